"""Files as they lie on disk: absent, huge, foreign, forbidden, or no files at all."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prodgen.diagnostics import Diagnostic
from prodgen.host.run_as import Identity, acting_as
from prodgen.inputs import reader
from prodgen.inputs.reader import BenchFiles, find_bench, read_bench, read_regular
from tests.support.accounts import ALICE, needs_root

NOBODY = 65534


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A small bench with one site."""
    root = tmp_path / "frappe-bench"
    write(root, "Procfile", "web: bench serve\n")
    write(root, "sites/common_site_config.json", "{}")
    write(root, "sites/a.example.com/site_config.json", '{"db_name": "a"}')
    return root


def write(root: Path, name: str, content: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def said(found: list[Diagnostic]) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity.value, str(one.location)) for one in found]


def test_everything_is_read(bench: Path) -> None:
    write(bench, "config/redis_cache.conf", "port 13000")
    write(bench, "apps/frappe/frappe/__init__.py", '__version__ = "15.72.4"')
    write(bench, "apps/frappe/frappe/realtime/server.py", "")
    write(bench, "prodgen.yaml", "web:")
    write(bench, ".env", "A=1")
    (bench / "env/lib/python3.11/site-packages/gunicorn-23.0.0.dist-info").mkdir(parents=True)
    files, found = read_bench(bench)
    assert found == []
    assert sorted(source.name for source in files.sources()) == [
        "Procfile", "apps/frappe/frappe/__init__.py", "config/redis_cache.conf",
        "prodgen.yaml", "sites/a.example.com/site_config.json", "sites/common_site_config.json",
    ]  # fmt: skip
    assert files.packages == {"gunicorn": "23.0.0", "python": "3.11"}
    assert files.has_python_realtime
    assert files.dotenv is not None
    assert files.dotenv.secret
    assert files.dotenv not in files.sources(), "what is listed may be shown"


def test_nothing_is_there(tmp_path: Path) -> None:
    assert read_bench(tmp_path) == (BenchFiles(tmp_path), [])
    assert read_bench(tmp_path / "absent") == (BenchFiles(tmp_path / "absent"), [])


def test_settings_elsewhere(bench: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "other.yaml", "web:")
    files, found = read_bench(bench, path)
    assert found == []
    assert files.settings is not None
    assert files.settings.name == str(path)
    assert said(read_bench(bench, tmp_path / "no.yaml")[1]) == [
        ("PG401", "error", str(tmp_path / "no.yaml"))
    ]


def test_byte_order_mark_is_no_text(bench: Path) -> None:
    write(bench, "Procfile", b"\xef\xbb\xbfweb: x")
    write(bench, "sites/common_site_config.json", b"\xef\xbb\xbf{}")
    files, found = read_bench(bench)
    assert found == []
    assert files.procfile is not None
    assert (files.procfile.text, files.procfile.bom) == ("web: x", True)
    assert files.common is not None
    assert files.common.text == "{}"


@pytest.mark.parametrize(
    ("content", "line", "column", "byte"),
    [
        (b"\xff", 1, 1, "0xff"),
        ("a: ü\nb: x".encode() + b"\xe9", 2, 5, "0xe9"),
        ("ü\rü".encode() + b"\xc3", 2, 2, "0xc3"),
        (b"\xef\xbb\xbf\x80", 1, 1, "0x80"),
        ("web: x".encode("utf-16"), 1, 1, "0xff"),
        (b"\xed\xa0\x80", 1, 1, "0xed"),
    ],
)
def test_not_utf8(bench: Path, content: bytes, line: int, column: int, byte: str) -> None:
    write(bench, "Procfile", content)
    files, found = read_bench(bench)
    assert files.procfile is None
    assert said(found) == [("PG003", "error", f"Procfile:{line}:{column}")]
    assert found[0].message == f"the byte {byte} is not UTF-8"


def test_too_large(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(bench, "prodgen.yaml", "#" * (reader.LARGEST_SETTINGS + 1))
    with (bench / "Procfile").open("wb") as sparse:
        sparse.truncate(reader.LARGEST_FILE + 1)
    files, found = read_bench(bench)
    assert files.procfile is files.settings is None
    assert [(one.code, one.message) for one in found] == [
        ("PG002", "this file is larger than 1 MB"),
        ("PG002", "this file is larger than 256 KB"),
    ]


def put(kind: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    if kind == "a folder":
        path.mkdir()
    elif kind == "a named pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as server:
            here = Path.cwd()
            os.chdir(path.parent)  # a socket's path is short
            try:
                server.bind(path.name)
            finally:
                os.chdir(here)
    else:
        path.symlink_to("/dev/zero")


@pytest.mark.parametrize("kind", ["a folder", "a named pipe", "a socket", "a device"])
@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("Procfile", "error"),
        ("sites/common_site_config.json", "error"),
        ("prodgen.yaml", "error"),
        ("sites/a.example.com/site_config.json", "warning"),
        (".env", "warning"),
        ("config/redis_queue.conf", "warning"),
    ],
)
def test_no_file_at_all(bench: Path, kind: str, name: str, severity: str) -> None:
    (bench / "config").mkdir()
    put(kind, bench / name)
    started = time.monotonic()
    files, found = read_bench(bench)
    assert time.monotonic() - started < 2, "it hangs"
    assert said(found) == [("PG004", severity, name)]
    assert found[0].message == f"this is {kind}, not a file"
    assert name not in [source.name for source in files.sources()]


def test_links(bench: Path) -> None:
    (bench / "elsewhere").write_text("web: x")
    (bench / "Procfile").unlink()
    (bench / "Procfile").symlink_to("elsewhere")
    (bench / "prodgen.yaml").symlink_to("nowhere")
    (bench / ".env").symlink_to(".env")
    files, found = read_bench(bench)
    assert files.procfile is not None
    assert [one[:2] for one in said(found)] == [("PG005", "error"), ("PG005", "warning")]
    assert "nowhere" in found[0].message
    assert "leads back to itself" in found[1].message


def test_a_linked_site_config(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = bench / "sites/a.example.com/site_config.json"
    config.rename(tmp_path / "elsewhere")
    config.symlink_to(tmp_path / "elsewhere")
    write(bench, "sites/b.example.com/x", "")
    os.mkfifo(tmp_path / "pipe")
    (bench / "sites/b.example.com/site_config.json").symlink_to(tmp_path / "pipe")
    opened: list[str] = []
    real = os.open

    def noted(path: str, flags: int) -> int:
        opened.append(path)
        return real(path, flags)

    monkeypatch.setattr(os, "open", noted)
    files, found = read_bench(bench)
    monkeypatch.undo()
    assert not [path for path in opened if "b.example.com" in path]
    assert [site.config.text for site in files.sites if site.config] == ['{"db_name": "a"}']
    assert [one.code for one in found] == ["PG004"]


def test_a_file_of_the_kernel_that_says_it_is_empty(bench: Path) -> None:
    (bench / ".env").symlink_to("/proc/self/status")
    files, found = read_bench(bench)
    assert files.dotenv is not None, found
    assert "Threads:" in files.dotenv.text


def test_linked_sites(bench: Path, tmp_path: Path) -> None:
    write(tmp_path, "far/site_config.json", "{}")
    (bench / "sites/b.example.com").symlink_to("a.example.com")
    (bench / "sites/c.example.com").symlink_to(tmp_path / "far")
    (bench / "sites/assets").symlink_to("a.example.com")
    (bench / "sites/d").symlink_to("d")
    (bench / "sites/e").symlink_to("nowhere")
    files, found = read_bench(bench)
    assert [site.name for site in files.sites] == ["a.example.com"]
    assert said(found) == [
        ("PG007", "warning", "sites/b.example.com"),
        ("PG007", "warning", "sites/c.example.com"),
    ]
    assert "add b.example.com to `domains` in sites/a.example.com/site_config.json" in found[0].help
    assert "mount" in found[1].help


def test_names_that_are_not_utf8(bench: Path) -> None:
    folder = os.fsencode(bench / "sites") + b"/caf\xe9"
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder), "site_config.json").write_text("{}")
    files, found = read_bench(bench)
    assert [site.name for site in files.sites] == ["a.example.com"]
    assert said(found) == [("PG006", "warning", "sites/caf?")]


def test_sites_may_be_anything(bench: Path) -> None:
    (bench / "sites/b").mkdir()
    (bench / "sites/apps.txt").write_text("frappe")
    write(bench, "sites/z.org/site_config.json", "broken")
    files, found = read_bench(bench)
    assert [site.name for site in files.sites] == ["a.example.com", "z.org"]
    assert found == []


def test_sites_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "sites").write_text("")
    found = read_bench(tmp_path)[1]
    assert {one.code for one in found} == {"PG001"}
    assert "not a directory" in found[0].message


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user without rights here; root would be let in everywhere."""
    own = os.geteuid(), os.getegid()
    if own[0] == 0:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if own[0] == 0:
            os.seteuid(own[0])
            os.setegid(own[1])


@pytest.fixture
def open_bench() -> Iterator[Path]:
    """A bench at a place that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = Path(folder, "frappe-bench")
        write(root, "Procfile", "web: bench serve\n")
        write(root, "sites/common_site_config.json", "{}")
        write(root, "sites/a.example.com/site_config.json", "{}")
        yield root


def test_what_may_not_be_read(open_bench: Path) -> None:
    write(open_bench, "sites/b.org/site_config.json", "{}").chmod(0)
    write(open_bench, "sites/closed/site_config.json", "{}").parent.chmod(0)
    (open_bench / "Procfile").chmod(0)
    with as_nobody():
        files, found = read_bench(open_bench)
        assert find_bench(open_bench / "sites" / "closed") == open_bench
    (open_bench / "sites/closed").chmod(0o755)
    assert said(found) == [
        ("PG001", "error", "Procfile"),
        ("PG001", "warning", "sites/b.org/site_config.json"),
        ("PG001", "warning", "sites/closed/site_config.json"),
    ]
    assert {one.message for one in found} == {"this cannot be read: permission denied"}
    assert [site.name for site in files.sites if site.config] == ["a.example.com"]


def test_a_bench_that_may_not_be_entered(open_bench: Path) -> None:
    (open_bench / "sites").chmod(0)
    with as_nobody():
        files, found = read_bench(open_bench)
        assert find_bench(open_bench / "sites") == open_bench
    (open_bench / "sites").chmod(0o755)
    assert [one.code for one in found] == ["PG001", "PG001"]
    assert files.sites == ()


def test_find_bench(bench: Path, tmp_path: Path) -> None:
    deep = bench / "apps/frappe/frappe"
    deep.mkdir(parents=True)
    write(bench, "apps/frappe/Procfile", "web: x")
    for start in (bench, deep, bench / "sites", bench / "sites/a.example.com", bench / "no/such"):
        assert find_bench(start) == bench
    assert find_bench(tmp_path) is None
    (bench / "Procfile").unlink()
    assert find_bench(bench / "sites") == bench
    alone = tmp_path / "alone"
    write(alone, "Procfile", "web: x")
    assert find_bench(alone) == alone


@pytest.mark.slow
def test_ten_thousand_sites(tmp_path: Path) -> None:
    for number in range(10_000):
        folder = tmp_path / "sites" / f"site{number}.example.com"
        folder.mkdir(parents=True)
        (folder / "site_config.json").write_text('{"db_name": "x", "db_password": "y"}')
    started = time.process_time()
    files, found = read_bench(tmp_path)
    assert found == []
    assert len(files.sites) == 10_000
    assert [site.name for site in files.sites] == sorted(site.name for site in files.sites)
    assert time.process_time() - started < 10


def test_a_file_that_changes_while_it_is_opened(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regular when it was looked at, a named pipe when it is opened."""
    (bench / "Procfile").unlink()
    os.mkfifo(bench / "Procfile")
    regular = (bench / "sites/common_site_config.json").stat()
    monkeypatch.setattr(Path, "stat", lambda *_, **__: regular)
    assert said(read_bench(bench)[1]) == [("PG004", "error", "Procfile")]


def test_only_what_is_the_bench_s_own_is_read_under_other_rights(
    bench: Path, tmp_path: Path
) -> None:
    given = tmp_path / "given.yaml"
    given.write_text("version: 1\n")

    @contextmanager
    def less() -> Iterator[None]:
        for path in (given, bench / "Procfile"):
            path.rename(path.with_suffix(".away"))
        yield

    files, found = read_bench(bench, given, less)
    assert files.settings is not None
    assert files.procfile is None
    assert said(found) == []


@needs_root
def test_a_link_to_the_current_folder_leads_nobody_past_the_folders_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root is in a folder for everyone, below one that is for root alone (proc(5), cwd)."""
    (tmp_path / "roots/inner").mkdir(parents=True)
    (tmp_path / "roots/inner/key").write_text("t0psecret")
    (tmp_path / "roots").chmod(0o700)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    (tmp_path / "link").symlink_to("/proc/self/cwd/key")
    monkeypatch.chdir(tmp_path / "roots/inner")
    assert read_regular(tmp_path / "link", 99) == b"t0psecret"
    with (
        acting_as(Identity(ALICE, ALICE, (ALICE,), "alice", "/")),
        pytest.raises(PermissionError),
    ):
        read_regular(tmp_path / "link", 99)


def test_a_procfile_has_a_limit_of_its_own(bench: Path) -> None:
    (bench / "Procfile").write_text("a: b\n" * 300_000)
    files, found = read_bench(bench)
    assert files.procfile is None
    assert [(one.code, str(one.location)) for one in found] == [("PG002", "Procfile")]
    assert "1 MB" in found[0].message
