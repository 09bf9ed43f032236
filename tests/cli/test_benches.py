"""Any bench, or none: one clear message, the right exit code, and nothing written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.command import COMMAND, ORDINARY, Done, copy_bench, prodgen, tree

PLANNERS = (("render", "-o", "out"), ("validate",), ("plan",), ("explain", "frappe-web"))


def refused(done: Done, *messages: str) -> None:
    """The run ended as bad input does, and said each of the messages."""
    assert (done.code, done.out) == (1, ""), done
    assert "Traceback" not in done.err
    assert "  help: " in done.err
    for message in messages:
        assert message in done.err


@pytest.mark.pitfall("30")
@pytest.mark.parametrize("command", PLANNERS)
def test_no_bench_here(command: tuple[str, ...], tmp_path: Path) -> None:
    done = prodgen(*command, cwd=tmp_path)
    refused(done, f"{tmp_path} is in no bench", "name it with -C DIR")
    assert not list(tmp_path.iterdir())


NOT_A_BENCH = {
    "absent": "/absent does not exist",
    "file": "/file is a file; a bench is a folder",
    "file/below": "/file/below does not exist",
    "closed": "/closed cannot be read: permission denied",
    "closed/below": "cannot be read: permission denied",
    "loop": "loop",
    "x" * 5000: "cannot be read: file name too long",
}


@pytest.mark.parametrize("place", NOT_A_BENCH, ids=lambda place: place[:20])
@pytest.mark.parametrize("command", PLANNERS)
def test_what_is_no_bench(command: tuple[str, ...], place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "loop").symlink_to("loop")
    done = prodgen(*command, "-C", place, cwd=tmp_path, command=(*ORDINARY, *COMMAND))
    refused(done, NOT_A_BENCH[place])
    assert len(done.err) < 1000


def test_the_current_folder_was_removed(tmp_path: Path) -> None:
    there = tmp_path / "gone"
    there.mkdir()
    gone = ("sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", *COMMAND)
    refused(prodgen("render", cwd=there, command=gone), "the current folder cannot be read")
    there.mkdir()
    bench = copy_bench(tmp_path / "frappe-bench")
    assert prodgen("render", "-C", bench, cwd=there, command=gone).code == 0


@pytest.mark.pitfall("30")
def test_a_folder_inside_a_bench_is_the_bench(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    from_top = prodgen("render", "-t", "supervisor", cwd=bench)
    for inside in ("sites", "apps/frappe", "sites/.."):
        found = prodgen("render", "-t", "supervisor", "-C", inside, cwd=bench)
        assert (found.code, found.out) == (0, from_top.out)


BAD_FILES = {
    "Procfile": b"\xff\xfe",
    "sites/common_site_config.json": b'{"webserver_port": }',
    "prodgen.yaml": b"\xff",
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "dangling", "unreadable", "broken"])
def test_a_file_that_cannot_be_read(name: str, kind: str, tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    path = bench / name
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind in ("loop", "dangling"):
        path.symlink_to(path.name if kind == "loop" else "nowhere")
    else:
        path.write_bytes(BAD_FILES[name])
        path.chmod(0 if kind == "unreadable" else 0o644)
    done = prodgen("render", "-o", "out", cwd=bench, command=(*ORDINARY, *COMMAND))
    refused(done, name, "; nothing was made")
    assert not (bench / "out").exists()


def test_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    for name, content in BAD_FILES.items():
        (bench / name).write_bytes(content)
    done = prodgen("validate", "-C", bench, cwd=tmp_path)
    refused(done, *(f"--> frappe-bench/{name}:" for name in BAD_FILES))


@pytest.mark.parametrize(
    "name",
    ["with space", "100%", "it's", 'a"b', "a;b", "a#b", "$HOME", "`x`", "a\\b", "{{x}}", "日x"],
)
def test_a_path_with_odd_characters(name: str, tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / name / "frappe-bench")
    for target in ("supervisor", "systemd", "nginx", "gunicorn"):
        done = prodgen("render", "-t", target, cwd=bench)
        assert done.code in (0, 1)
        assert (done.code == 0) == bool(done.out)


@pytest.mark.parametrize("name", ["new\nline", "tab\t", "esc\x1b[31m", b"\xff", "\u2028", "\u202e"])
def test_a_path_that_no_config_can_hold(name: str | bytes, tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / os.fsdecode(name) / "frappe-bench")
    done = prodgen("render", cwd=bench)
    refused(done, "characters that no config file can hold", "help: rename the folder")
    assert done.err.replace("\n", "").isprintable()


def test_strict_takes_warnings_for_errors(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    (bench / "config/redis_cache.conf").unlink()
    assert prodgen("render", "-q", cwd=bench).code == 0
    assert "1 warning" in prodgen("validate", cwd=bench).err
    done = prodgen("render", "--strict", "-q", "-o", "out", cwd=bench)
    refused(done, "error[PG622]")
    assert not (bench / "out").exists()
    assert prodgen("validate", "--strict", cwd=bench).err.endswith("prodgen: 1 error\n")


def test_validate_finds_what_only_a_target_refuses(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    assert prodgen("validate", cwd=bench).err.endswith("prodgen: no errors\n")
    with (bench / "Procfile").open("a") as procfile:
        procfile.write("extra: /bin/echo 'a\x1bb'\n")
    assert prodgen("validate", cwd=bench).code == 0
    config = bench / "sites/common_site_config.json"
    manager = '"restart_systemd_on_update": '
    config.write_text(config.read_text().replace(f"{manager}false", f"{manager}true"))
    refused(prodgen("validate", cwd=bench), "systemd cannot hold this value")


@pytest.mark.pitfall("D-SV10")
def test_neither_the_bench_nor_the_current_folder_is_touched(tmp_path: Path) -> None:
    bench, here = copy_bench(tmp_path / "frappe-bench"), tmp_path / "here"
    (here / "sites").mkdir(parents=True)
    config = bench / "sites/common_site_config.json"
    config.write_text('{"zzz": 1,\n' + config.read_text().lstrip("{"))
    before = tree(tmp_path)
    for words in (("render",), ("render", "-o", "../out"), ("plan",), ("validate",)):
        assert prodgen(*words, "-C", bench, cwd=here).code == 0
    after = tree(tmp_path)
    assert {name: after[name] for name in after if not name.startswith("out")} == before
