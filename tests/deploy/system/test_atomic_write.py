"""Writing a folder: all or nothing, whatever fails, and nobody else's files."""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.apply.journal import Move, remove, replace
from prodgen.deploy.system.atomic_write import (
    TEMPORARY_PREFIX,
    read_file,
    read_folder,
    write_file,
    write_folder,
)
from prodgen.deploy.system.folder_transaction import Unrestored
from prodgen.review.changes.output_folder import Obstacle
from prodgen.targets.core.artifacts import Artifact
from tests.support.command import tree

FALLIBLE = ("open", "write", "fsync", "fchmod", "chmod", "mkdir", "link", "replace", "rename")


def artifact(path: str, text: str, mode: int = 0o644) -> Artifact:
    return Artifact(PurePosixPath(path), text, PurePosixPath("/etc", path), "test", mode)


OLD = [
    artifact("a/one", "1"),
    artifact("a/two", "2"),
    artifact("b/gone", "3"),
    artifact("top", "4"),
]
NEW = [artifact("a/one", "1"), artifact("a/two", "zwei"), artifact("c/d/new", "5"),
       artifact("top", "vier")]  # fmt: skip
GONE = [PurePosixPath("b/gone")]


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def texts(artifacts: list[Artifact]) -> dict[str, str]:
    return {str(one.path): one.text for one in artifacts}


@contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, name: str, number: int, *, for_good: bool = False
) -> Iterator[list[int]]:
    """The call with this number of `os.name` fails, and those after it where `for_good`.

    Of `open` only those calls count that make a file: reading folders is how the rest is cleaned.
    """
    calls: list[int] = []
    real: Callable[..., object] = getattr(os, name)

    def fail(*arguments: object, **options: object) -> object:
        if name == "open" and not int(str(arguments[1])) & os.O_CREAT:
            return real(*arguments, **options)
        calls.append(1)
        if len(calls) == number or (for_good and len(calls) > number):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        yield calls


@pytest.mark.slow
@pytest.mark.parametrize("name", FALLIBLE)
@pytest.mark.parametrize("there", [True, False], ids=["update", "create"])
def test_whatever_fails_the_old_or_the_new_stands(
    name: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 100):
        around = tmp_path / str(number)
        folder = around / "deep" / "out"
        around.mkdir()
        if there:
            write_folder(folder, OLD)
            (folder / "foreign").write_text("mine")
        before = tree(around)
        with failing(monkeypatch, name, number) as calls:
            try:
                write_folder(folder, NEW, GONE if there else ())
            except OSError:
                assert tree(around) == before
            else:
                assert contents(folder) == texts(NEW) | ({"foreign": "mine"} if there else {})
        assert not list(around.rglob(f"{TEMPORARY_PREFIX}*"))
        if len(calls) < number:
            return
    pytest.fail("never came to an end")


@pytest.mark.parametrize("name", ["open", "write", "fsync", "fchmod", "mkdir", "replace"])
@pytest.mark.parametrize("there", [True, False], ids=["update", "create"])
def test_an_archive_is_the_old_or_the_new(
    name: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 20):
        around = tmp_path / str(number)
        path = around / "deep" / "out.tar"
        around.mkdir()
        if there:
            write_file(path, b"old")
        before = tree(around)
        with failing(monkeypatch, name, number) as calls:
            try:
                write_file(path, b"new")
            except OSError:
                assert tree(around) == before
            else:
                assert path.read_bytes() == b"new"
        assert not list(around.rglob(f"{TEMPORARY_PREFIX}*"))
        if len(calls) < number:
            return
    pytest.fail("never came to an end")


def test_what_cannot_be_put_back_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "out"
    write_folder(folder, OLD)
    with (
        failing(monkeypatch, "replace", 3, for_good=True),
        pytest.raises(Unrestored) as caught,
    ):
        write_folder(folder, NEW, GONE)
    assert {path.read_text() for path in caught.value.kept.iterdir()} >= {"2"}


def test_an_interrupt_waits_until_the_folder_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    write_folder(folder, OLD)
    real = os.replace
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job has it ignored

    def interrupt(*arguments: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        real(*arguments)

    monkeypatch.setattr(os, "replace", interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            write_folder(folder, NEW, GONE)
    finally:
        signal.signal(signal.SIGINT, before)
    assert contents(folder) == texts(NEW)
    assert not list(tmp_path.rglob(f"{TEMPORARY_PREFIX}*"))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_modes_are_the_artifacts_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    old = os.umask(umask)
    try:
        write_folder(tmp_path / "out", [artifact("a/b/plain", ""), artifact("secret", "", 0o600)])
        write_folder(tmp_path / "out", [artifact("c/more", "", 0o755)])
    finally:
        os.umask(old)
    modes = {
        str(path.relative_to(tmp_path)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in tmp_path.rglob("*")
    }
    folders = dict.fromkeys(("out", "out/a", "out/a/b", "out/c"), "0o755")
    files = {"out/a/b/plain": "0o644", "out/secret": "0o600", "out/c/more": "0o755"}
    assert modes == folders | files


def test_an_emptied_folder_goes_and_others_stay(tmp_path: Path) -> None:
    write_folder(tmp_path, [artifact("a/b/c", ""), artifact("d/e", "")])
    (tmp_path / "d/foreign").write_text("")
    write_folder(tmp_path, [], [PurePosixPath("a/b/c"), PurePosixPath("d/e")])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["d", "foreign"]


def test_a_hard_link_that_cannot_be_made_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path, OLD)
    with failing(monkeypatch, "link", 1, for_good=True):
        write_folder(tmp_path, NEW, GONE)
    assert contents(tmp_path) == texts(NEW)


def test_reading_tells_files_from_what_stands_in_their_place(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_folder(folder, [artifact("file", "text"), artifact("folder/x", ""), artifact("a/b", "")])
    (folder / "link").symlink_to("file")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    names = ("file", "folder", "link", "dangling", "loop", "pipe", "absent", "elsewhere/x",
             "file/below", "absent/below", "a/b")  # fmt: skip
    assert read_folder(folder, map(PurePosixPath, names)) == {
        PurePosixPath("file"): b"text",
        PurePosixPath("a/b"): b"",
        PurePosixPath("folder"): Obstacle("is a folder", removable=False),
        PurePosixPath("link"): Obstacle("is a symbolic link", removable=True),
        PurePosixPath("dangling"): Obstacle("is a symbolic link", removable=True),
        PurePosixPath("loop"): Obstacle("is a symbolic link", removable=True),
        PurePosixPath("pipe"): Obstacle("is a device, pipe or socket", removable=True),
        PurePosixPath("elsewhere/x"): Obstacle(
            "has a symbolic link above it, elsewhere", removable=False
        ),
        PurePosixPath("file/below"): Obstacle("has a file above it, file", removable=False),
    }


def test_reading_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert read_folder(tmp_path / "absent", [PurePosixPath("x")]) == {}
    for name in ("file", "dangling"):
        with pytest.raises(NotADirectoryError):
            read_folder(tmp_path / name, [PurePosixPath("x")])


def test_an_archive_is_only_an_ordinary_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(FileExistsError):
            read_file(tmp_path / name)
    assert read_file(tmp_path / "absent") is None


def test_an_archive_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What fsync(2) is asked to make last, in order."""
    found: list[Path] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        found.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_a_file_that_is_replaced_lasts(tmp_path: Path, synced: list[Path]) -> None:
    """fsync(2) of the file says nothing of its name: the folder needs one of its own, later."""
    write_file(tmp_path / "x", b"1")
    assert synced[-1] == tmp_path
    assert len(synced) == 2
    assert synced[0].name == "new"


def test_a_folder_that_is_written_lasts(tmp_path: Path, synced: list[Path]) -> None:
    folder = tmp_path / "out"
    write_folder(folder, OLD)
    assert {tmp_path, folder, folder / "a", folder / "b"} <= set(synced)
    synced.clear()
    write_folder(folder, NEW, GONE)
    assert {folder, folder / "a", folder / "c/d"} <= set(synced)
    files = [place for place, path in enumerate(synced) if path.is_dir()]
    assert files == list(range(files[0], len(synced))), "folders come after every file"


def test_what_an_apply_replaces_lasts(tmp_path: Path, synced: list[Path]) -> None:
    places = [tmp_path / "etc" / name for name in ("a/one", "b/two")]
    for place in places:
        place.parent.mkdir(parents=True)
        place.with_name("new").write_text("new")
    moves = [Move(place, "test", place.with_name("new"), None, 0o644) for place in places]
    replace(moves)
    assert synced == [place.parent for place in places]
    synced.clear()
    remove([move._replace(staged=None) for move in moves])
    assert synced == [place.parent for place in places]
    assert not any(place.exists() for place in places)
