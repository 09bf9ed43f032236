"""`render -o`: what is written, what is refused, and what is said about it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from prodgen.targets.manifest import digest
from tests.support.command import COMMAND, ORDINARY, Done, copy_bench, prodgen, tree

LINES = {
    "README.md": "create",
    "gunicorn/gunicorn.conf.py": "create",
    "manifest.json": "create",
    "supervisor/frappe-bench.conf": "create",
}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    return copy_bench(tmp_path / "frappe-bench")


def render(bench: Path, output: str | Path = "out", *more: str) -> Done:
    return prodgen("render", "-t", "supervisor", "-o", output, *more, cwd=bench)


def said(done: Done, output: str = "out") -> dict[str, str]:
    """The verb by path, of the lines that say what happened."""
    words = [line.split() for line in done.err.splitlines()]
    return {
        one[1].removeprefix(f"{output}/"): one[0]
        for one in words
        if len(one) == 2 and one[1].startswith(f"{output}/")
    }


def nothing_temporary(folder: Path) -> bool:
    return not list(folder.rglob(".prodgen-*"))


def test_a_folder_is_created_and_then_identical(bench: Path) -> None:
    done = render(bench)
    assert (done.code, done.out) == (0, "")
    assert said(done) == LINES
    before = tree(bench / "out")
    time.sleep(0.01)
    again = render(bench)
    assert again.code == 0
    assert said(again) == dict.fromkeys(LINES, "identical")
    assert tree(bench / "out") == before


def test_what_changed_is_updated_and_the_rest_keeps_its_time(bench: Path) -> None:
    render(bench)
    before = tree(bench / "out")
    with (bench / "Procfile").open("a") as procfile:
        procfile.write("extra: sleep 9\n")
    done = render(bench)
    assert said(done) == LINES | {
        "README.md": "identical",
        "gunicorn/gunicorn.conf.py": "identical",
        "manifest.json": "update",
        "supervisor/frappe-bench.conf": "update",
    }
    after = tree(bench / "out")
    assert after["gunicorn/gunicorn.conf.py"] == before["gunicorn/gunicorn.conf.py"]
    assert b"sleep 9" in after["supervisor/frappe-bench.conf"][0]
    assert nothing_temporary(bench)


def test_stale_files_of_ours_are_removed_and_no_others(bench: Path) -> None:
    prodgen("render", "-t", "supervisor", "-t", "nginx", "-o", "out", cwd=bench)
    (bench / "out/nginx/foreign").write_text("mine")
    done = render(bench)
    assert "remove" in said(done).values()
    assert [path.name for path in (bench / "out/nginx").rglob("*")] == ["foreign"]


def test_check_writes_nothing_and_tells_by_its_code(bench: Path) -> None:
    absent = render(bench, "out", "--check")
    assert (absent.code, said(absent)) == (2, LINES)
    assert not (bench / "out").exists()
    render(bench)
    assert render(bench, "out", "--check").code == 0
    (bench / "Procfile").write_text((bench / "Procfile").read_text() + "extra: sleep 9\n")
    before = tree(bench / "out")
    assert render(bench, "out", "--check", "-q") == Done(2, "", "")
    assert tree(bench / "out") == before


def test_an_edited_file_is_named_and_kept_until_overwritten(bench: Path) -> None:
    render(bench)
    ours = bench / "out/supervisor/frappe-bench.conf"
    text = ours.read_text()
    ours.write_text("edited")
    before = tree(bench / "out")
    done = render(bench)
    assert done.code == 1
    assert "out/supervisor/frappe-bench.conf was edited since prodgen wrote it" in done.err
    assert "take it away, or use --overwrite" in done.err
    assert tree(bench / "out") == before
    assert render(bench, "out", "--check").code == 1
    assert said(render(bench, "out", "--overwrite"))["supervisor/frappe-bench.conf"] == "update"
    assert ours.read_text() == text


def test_every_foreign_file_is_named_at_once(bench: Path) -> None:
    for name in LINES:
        (bench / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (bench / "out" / name).write_text("foreign")
    before = tree(bench / "out")
    done = render(bench)
    assert done.code == 1
    assert all(f"out/{name} is not prodgen's" in done.err for name in LINES)
    assert tree(bench / "out") == before
    assert render(bench, "out", "--overwrite").code == 0


def test_nothing_is_written_through_a_link_in_the_folder(bench: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (bench / "out").mkdir()
    (bench / "out/supervisor").symlink_to(elsewhere)
    for option in ((), ("--overwrite",)):
        done = render(bench, "out", *option)
        assert done.code == 1
        assert "has a symbolic link above it, supervisor" in done.err
        assert "take it away\n" in done.err
    assert not list(elsewhere.iterdir())


def test_a_link_to_a_folder_is_that_folder(bench: Path) -> None:
    (bench / "real").mkdir()
    (bench / "out").symlink_to("real")
    assert render(bench).code == 0
    assert (bench / "real/manifest.json").is_file()
    assert (bench / "out").is_symlink()


def add_to_manifest(bench: Path, path: str) -> None:
    """Lists an empty file there, as if an earlier render had made it."""
    manifest = bench / "out/manifest.json"
    content = json.loads(manifest.read_text())
    like = next(one for one in content["files"] if one["destination"].startswith("/"))
    entry = {**like, "path": path, "sha256": digest(b"")}
    manifest.write_text(json.dumps({**content, "files": [entry, *content["files"]]}))


@pytest.mark.parametrize("way", ["../victim", "x/../../victim", "{bench}/victim", "linked/victim"])
def test_a_manifest_cannot_make_us_remove_what_is_outside(bench: Path, way: str) -> None:
    """One that lists a file as prodgen would, with its digest: where it is alone stops us."""
    render(bench)
    victim = bench / "victim"
    victim.write_text("")
    (bench / "out/linked").symlink_to(bench)
    add_to_manifest(bench, way.format(bench=bench))
    assert render(bench).code == (0 if way.startswith("linked") else 1)
    assert victim.exists()
    render(bench, "out", "--overwrite")
    assert victim.exists()


def test_what_a_manifest_lists_and_nobody_makes_any_more_is_removed(bench: Path) -> None:
    """The counterpart: such an entry of a file inside does what it says."""
    render(bench)
    (bench / "out/old").write_text("")
    add_to_manifest(bench, "old")
    assert render(bench).code == 0
    assert not (bench / "out/old").exists()


PLACES = {
    "a file": ("Procfile", "cannot write Procfile: it is not a folder"),
    "below a file": ("Procfile/x", "/Procfile: it is not a folder"),
    "below a file, deep": ("Procfile/x/y/z.tar", "Procfile: it is not a folder"),
    "a folder for an archive": ("d.tar", "cannot write d.tar: it is not an ordinary file"),
    "a device": ("/dev/full", "cannot write /dev/full: it is not a folder"),
    "a dangling link": ("dangling", "cannot write dangling: it is not a folder"),
    "a loop": ("loop", "cannot write loop: it is not a folder"),
    "a pipe": ("pipe.tar", "cannot write pipe.tar: it is not an ordinary file"),
    "where nothing can be": ("/proc/x", "cannot write /proc/x"),
    "a name too long": ("x" * 300, "file name too long"),
    "read-only": ("closed/out", "cannot write closed/out: permission denied"),
    "read-only, there": ("closed", "cannot write closed: permission denied"),
    "read-only, archive": ("closed/x.tar", "cannot write closed/x.tar: permission denied"),
    "unreadable": ("blind", "permission denied"),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_place_that_cannot_be_written(case: str, bench: Path) -> None:
    (bench / "d.tar").mkdir()
    (bench / "dangling").symlink_to("nowhere")
    (bench / "loop").symlink_to("loop")
    os.mkfifo(bench / "pipe.tar")
    (bench / "closed").mkdir(mode=0o555)
    (bench / "blind").mkdir(mode=0o000)
    before = tree(bench)
    output, message = PLACES[case]
    done = prodgen(
        "render", "-t", "supervisor", "-o", output, cwd=bench, command=(*ORDINARY, *COMMAND)
    )
    assert (done.code, done.out) == (1, "")
    assert message in done.err
    assert done.err.count("error[") == 1
    assert "nothing was changed" in done.err
    assert tree(bench) == before


def test_a_full_disk(bench: Path) -> None:
    """On a disk of 32 KB, which two files fill."""
    (bench / "disk").mkdir()
    mount = 'mount -t tmpfs -o size=32k tmpfs disk && "$@"; code=$?; ls -A disk >&2; exit $code'
    rootless = () if os.getuid() == 0 else ("--map-root-user",)
    done = subprocess.run(
        ["unshare", "--mount", *rootless, "sh", "-c", mount, "sh", *COMMAND,
         "render", "-q", "-o", "disk/out"],
        cwd=bench, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount here: {done.stderr}")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error[PG801]: cannot write disk/out: no space left on device",
        "  help: nothing was changed; make room for it, or name another place with -o",
    ]


def test_an_archive_is_created_updated_and_identical(bench: Path) -> None:
    for name in ("out.tar", "out.tar.gz", "out.tgz", "OUT.TAR"):
        assert f"create    {name}\n" in render(bench, name).err
        assert f"identical {name}\n" in render(bench, name).err
    with (bench / "Procfile").open("a") as procfile:
        procfile.write("extra: sleep 9\n")
    assert render(bench, "out.tar", "--check").code == 2
    assert "update    out.tar\n" in render(bench, "out.tar").err
    assert nothing_temporary(bench)


def test_an_archive_that_is_not_ours_stays(bench: Path) -> None:
    backup = bench / "backup.tar"
    subprocess.run(["tar", "-cf", "backup.tar", "Procfile"], cwd=bench, check=True)
    before = backup.read_bytes()
    done = render(bench, "backup.tar")
    assert done.code == 1
    assert "backup.tar is not an archive as prodgen left it" in done.err
    assert backup.read_bytes() == before
    assert render(bench, "backup.tar", "--overwrite").code == 0


def test_an_empty_file_becomes_the_archive(bench: Path) -> None:
    (bench / "x.tar").touch()
    assert "update    x.tar\n" in render(bench, "x.tar").err


def test_an_archive_holds_what_a_folder_gets(bench: Path) -> None:
    render(bench, "out")
    render(bench, "out.tar.gz")
    (bench / "un").mkdir()
    subprocess.run(["tar", "-xzf", "../out.tar.gz"], cwd=bench / "un", check=True)
    contents = [{name: found[0] for name, found in tree(bench / one).items()} for one in
                ("out", "un")]  # fmt: skip
    assert contents[0] == contents[1]


def test_stdout_is_the_files_themselves(bench: Path) -> None:
    render(bench, "out")
    files = [bench / "out" / name for name in LINES if "/" in name]
    one = prodgen("render", "-t", "supervisor", cwd=bench)
    assert one.out == files[1].read_text()
    assert prodgen("render", "-t", "supervisor", "-o", "-", cwd=bench).out == one.out
    two = prodgen("render", "-t", "supervisor", "-t", "gunicorn", cwd=bench).out
    assert two == (
        f"# supervisor/frappe-bench.conf\n\n{one.out}\n"
        f"# gunicorn/gunicorn.conf.py\n\n{files[0].read_text()}"
    )
