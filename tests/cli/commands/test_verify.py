"""`prodgen verify`: every change is seen, and nothing hostile is believed or unpacked."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prodgen.cli.commands.verify import command
from prodgen.deploy.output import archives
from prodgen.deploy.output.archives import pack
from prodgen.targets.manifest import make_manifest
from tests.deploy.system.test_atomic_write import artifact
from tests.support.command import COMMAND, Done, copy_bench, prodgen, tree

CONF = "supervisor/frappe-bench.conf"
MADE = [artifact("a/one", "1\n"), artifact("two", "2\n", 0o600)]
FILES = [*MADE, make_manifest(MADE, "bench", "1", {}, {})]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bench with its output as a folder and as both kinds of archive."""
    folder = copy_bench(tmp_path_factory.mktemp("verify") / "frappe-bench")
    for output in ("out", "out.tar", "out.tar.gz"):
        assert prodgen("render", "-q", "-t", "supervisor", "-o", output, cwd=folder).code == 0
    return folder


@pytest.fixture
def out(bench: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to be changed."""
    subprocess.run(["cp", "-a", bench / "out", tmp_path / "out"], check=True)
    return tmp_path / "out"


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Callable[[Path], Done]:
    """Runs the command in this process, as starting one each time takes long."""

    def run(path: Path) -> Done:
        assert command.callback
        code = command.callback(path=path, form="text")
        return Done(code, *capsys.readouterr())

    return run


def problem(done: Done) -> str:
    """The one thing that is said about what is wrong."""
    assert (done.code, done.out) == (1, ""), done
    lines = [line for line in done.err.splitlines() if not line.startswith("  help: ")]
    assert len(lines) == 1, lines
    return lines[0]


def test_programs_get_the_diagnostics(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / CONF).write_text("other")
    assert command.callback
    assert command.callback(path=out, form="json") == 1
    [one] = json.loads(capsys.readouterr().out)["problems"]
    problem = "was changed: it has another digest"
    assert one == {"path": CONF, "problem": problem, "code": "PG811"}
    assert command.callback(path=out, form="github") == 1
    said = capsys.readouterr()
    assert f"::error title=PG811%3A an output was modified,file={out / CONF}::" in said.out
    assert said.err == ""
    assert command.callback(path=out, form="sarif") == 1
    [result] = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("PG811", "error")


@pytest.mark.parametrize("output", ["out", "out.tar", "out.tar.gz"])
def test_what_render_made_is_unmodified(output: str, bench: Path) -> None:
    before = tree(bench)
    done = prodgen("verify", output, cwd=bench)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{output}: unmodified, 3 files\nbench frappe-bench, prodgen ")
    assert tree(bench) == before


CHANGES: dict[str, Callable[[Path], object]] = {
    "was changed: it has another digest": lambda out: (out / CONF).write_text("other"),
    "was changed: its mode is 0600, not 0644": lambda out: (out / CONF).chmod(0o600),
    "is missing": lambda out: (out / CONF).unlink(),
}


@pytest.mark.parametrize("words", CHANGES)
def test_a_change_is_named(words: str, out: Path) -> None:
    CHANGES[words](out)
    assert problem(prodgen("verify", out)) == f"error[PG811]: {out}: {CONF} {words}"


def test_a_file_more_is_named(out: Path) -> None:
    (out / "nginx").mkdir()
    (out / "nginx/more.conf").touch()
    assert "nginx/more.conf is not in the manifest" in problem(prodgen("verify", out))


def test_a_change_in_an_archive_is_named(bench: Path, tmp_path: Path) -> None:
    changed = [artifact("a/one", "other"), *FILES[1:]]
    (tmp_path / "x.tar").write_bytes(pack(changed, compress=False))
    assert "a/one was changed" in problem(prodgen("verify", tmp_path / "x.tar"))


def test_json_says_the_same(out: Path) -> None:
    good = json.loads(prodgen("verify", out, "--format", "json").out)
    assert (good["unmodified"], good["bench"], good["problems"]) == (True, "frappe-bench", [])
    (out / CONF).unlink()
    done = prodgen("verify", out, "--format", "json")
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["problems"] == [
        {"path": CONF, "problem": "is missing", "code": "PG811"}
    ]
    none = json.loads(prodgen("verify", out / CONF, "--format", "json").out)
    assert (none["unmodified"], none["manifest_sha256"]) == (False, None)


def test_many_changes_are_not_a_flood(tmp_path: Path) -> None:
    made = [artifact(f"f{number}", "") for number in range(50)]
    (tmp_path / "x.tar").write_bytes(pack([make_manifest(made, "b", "1", {}, {})], compress=False))
    done = prodgen("verify", tmp_path / "x.tar")
    assert done.err.count("error[PG811]") == 21
    assert "30 more files" in done.err


def member(name: str, content: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for key, value in more.items():
        setattr(made, key, value)
    return made, content


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Our own files, and these behind them."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=form) as made:
        for one in sorted(FILES, key=lambda one: one.path):
            info, content = member(str(one.path), one.content, mode=one.mode)
            made.addfile(info, io.BytesIO(content))
        for info, content in members:
            made.addfile(info, io.BytesIO(content))
    return archive.getvalue()


def link(name: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=kind, linkname="/etc/passwd")


def hostile() -> Iterator[tuple[bytes, str]]:
    good = pack(FILES, compress=False)
    yield tar(member("../x", b"x")), "`../x` leads out of the folder"
    yield tar(member("a/../../x")), "leads out of the folder"
    yield tar(member("/etc/cron.d/x")), "`/etc/cron.d/x` leads out"
    yield tar(link("x", tarfile.SYMTYPE)), "`x` is a symbolic link"
    yield tar(link("x", tarfile.LNKTYPE)), "`x` is a hard link"
    yield tar(member("x", type=tarfile.CHRTYPE, devmajor=1, devminor=8)), "`x` is a device"
    yield tar(member("x", type=tarfile.FIFOTYPE)), "`x` is a named pipe"
    yield tar(member("x", type=tarfile.DIRTYPE)), "`x` is a folder"
    yield tar(member("x", type=b"Z")), "of an unknown kind"
    yield tar(member("two", b"other")), "`two` stands in it twice"
    yield tar(member("./two", b"other")), "`./two` is an odd name"
    yield tar(member("a\x1b[2J", b"")), "an odd name"
    yield tar(member("x", pax_headers={"path": "../x"})), "`../x` leads out"
    yield tar(member("x", pax_headers={"GNU.sparse.major": "1"})), ""
    yield tar(member("z", b"", uid=1000)), "owners, times, order or padding"
    yield tar(member("z", b"", mtime=1)), "owners, times, order or padding"
    yield tar(member("z", b"", mode=0o4755, uname="root")), "owners, times, order or padding"
    yield tar(member("z" * 120), form=tarfile.GNU_FORMAT), "owners, times, order or padding"
    yield good + b"more", "owners, times, order or padding"
    yield good[:-10240] + good[-10240:][:1500], ""
    yield good[:1600], "it is cut off"
    yield b"", "it is empty"
    yield b"x" * 2000, "it is no tar archive"
    yield b"x", "it is no tar archive"
    yield b"\x1f\x8b" + b"x" * 100, "its gzip layer is damaged"
    yield gzip.compress(good)[:-10], "it is cut off"
    yield gzip.compress(good) + b"more", "its gzip layer is damaged"
    yield gzip.compress(b"x" * 2000), "it is no tar archive"
    yield pack(MADE, compress=True), "there is no manifest.json in it"
    yield tar(), ""  # the ruler that all of these are measured with


HOSTILE = list(hostile())


@pytest.mark.parametrize(("content", "words"), HOSTILE[:-1], ids=range(len(HOSTILE) - 1))
def test_a_hostile_archive_is_refused(
    content: bytes, words: str, tmp_path: Path, here: Callable[[Path], Done]
) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    said = problem(here(tmp_path / "x.tar"))
    assert said.startswith(f"error[PG810]: {tmp_path}/x.tar: ")
    assert words in said
    assert list(tmp_path.iterdir()) == [tmp_path / "x.tar"]


def test_the_ruler_is_straight(tmp_path: Path, here: Callable[[Path], Done]) -> None:
    (tmp_path / "x.tar").write_bytes(HOSTILE[-1][0])
    assert here(tmp_path / "x.tar").code == 0


def test_a_bomb_does_not_go_off(tmp_path: Path) -> None:
    """1 GB of zeros: refused within the address space of a small machine."""
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(bytes(16 * 1024**2)) * 64)
    small = ("prlimit", f"--as={archives.LARGEST * 3}", *COMMAND)
    assert "it unpacks to more than 256 MB" in problem(
        prodgen("verify", "x.tar.gz", cwd=tmp_path, command=small)
    )


def in_manifest(key: str, value: object) -> bytes:
    content = json.loads(FILES[-1].content)
    content[key] = value
    return json.dumps(content).encode()


def in_entry(key: str, value: object) -> bytes:
    content = json.loads(FILES[-1].content)
    content["files"][0][key] = value
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it is not an object"),
        (b'{"a": 1, "a": 2}', "a key stands in it twice"),
        (in_manifest("format_version", 0), "`format_version` is not 1"),
        (in_manifest("bench", None), "must be texts"),
        (in_manifest("files", []), "must be a list"),
        (in_manifest("files", [1]), "other keys"),
        (in_manifest("inputs", {"Procfile": "x"}), "something else than digests"),
        (in_manifest("templates", 5), "must be an object"),
        (in_entry("path", "../x"), "no path of a file beside it"),
        (in_entry("path", "/x"), "no path of a file beside it"),
        (in_entry("path", "manifest.json"), "no path of a file beside it"),
        (in_entry("path", "two"), "a file stands in it twice"),
        (in_entry("path", 5), "is no text"),
        (in_entry("destination", "elsewhere"), "is no place for a file"),
        (in_entry("destination", "/etc/../x"), "is no place for a file"),
        (in_entry("sha256", "x"), "digest or mode"),
        (in_entry("mode", "4755"), "digest or mode"),
        (in_entry("more", "x"), "other keys"),
    ],
)
def test_a_manifest_that_is_none(
    content: bytes, words: str, tmp_path: Path, here: Callable[[Path], Done]
) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    said = problem(here(tmp_path))
    assert "its manifest.json is none of prodgen's" in said
    assert words in said


def replace_by_pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "link": (lambda out: (out / "x").symlink_to("/etc/passwd"), "is a symbolic link"),
    "link to a folder": (lambda out: (out / "x").symlink_to("/etc"), "is a symbolic link"),
    "pipe": (lambda out: replace_by_pipe(out / "x"), "is no ordinary file"),
    "pipe for a manifest": (
        lambda out: replace_by_pipe(out / "manifest.json"),
        "is no ordinary file",
    ),
    "no manifest": (lambda out: (out / "manifest.json").unlink(), "there is no manifest.json"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_folder_with_something_odd_in_it(
    name: str, out: Path, here: Callable[[Path], Done]
) -> None:
    make, words = ODD[name]
    make(out)
    assert words in problem(here(out))


def test_a_link_to_an_output_is_followed(bench: Path, tmp_path: Path) -> None:
    for output in ("out", "out.tar"):
        (tmp_path / output).symlink_to(bench / output)
        assert prodgen("verify", output, cwd=tmp_path).code == 0


def test_a_name_that_is_not_utf8_and_very_deep_folders(
    out: Path, here: Callable[[Path], Done]
) -> None:
    deep = out
    for _ in range(1200):
        deep = deep / "d"
        deep.mkdir()
    (out / os.fsdecode(b"x\xff")).touch()
    try:
        assert "x\\xff is not in the manifest" in problem(here(out))
    finally:  # pytest's own clean-up cannot take away what is so deep
        subprocess.run(["rm", "-rf", out / "d"], check=True)


def test_what_is_not_there(tmp_path: Path) -> None:
    said = problem(prodgen("verify", "absent.tar", cwd=tmp_path))
    assert said == "error[PG810]: absent.tar: no such file or directory"
    assert problem(prodgen("verify", "/dev/zero")).endswith("/dev/zero is no ordinary file")
