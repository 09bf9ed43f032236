"""Writing files so that nobody ever sees half of one (rename(2) is atomic, write(2) is not)."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from prodgen.deploy.system.folder_transaction import Swap, Unrestored, make_folders
from prodgen.host.trust import own_path
from prodgen.inputs.reader import NoRegularFile, read_whole
from prodgen.review.changes.output_folder import Obstacle
from prodgen.targets.core.artifacts import Artifact

TEMPORARY_PREFIX = ".prodgen-"
LARGEST = 256 * 1024 * 1024
"""Bytes of a file that prodgen has made, or that is in the place of one: as of an archive."""


def read_folder(
    folder: Path, paths: Iterable[PurePosixPath]
) -> dict[PurePosixPath, bytes | Obstacle]:
    """What stands at those of `paths` below `folder` where anything does.

    Symbolic links below the folder are not followed: what they lead to is not the folder's.
    Raises OSError where something cannot be read, or where `folder` is no folder.
    """
    if not _is_folder(folder):
        return {}
    found = {path: _read(folder, path) for path in paths}
    return {path: content for path, content in found.items() if content is not None}


def _is_folder(path: Path) -> bool:
    """Whether there is a folder; raises OSError where there is something else."""
    if path.is_dir():
        return True
    if os.path.lexists(path):
        raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", str(path))
    return False


def _read(folder: Path, path: PurePosixPath) -> bytes | Obstacle | None:
    try:
        for parent in reversed(path.parents[:-1]):
            mode = (folder / parent).lstat().st_mode
            if not stat.S_ISDIR(mode):
                return Obstacle(f"has {_kind(mode)} above it, {parent}", removable=False)
        mode = (folder / path).lstat().st_mode
        if stat.S_ISREG(mode):
            return read_whole(folder / path, LARGEST)
    except FileNotFoundError:
        return None
    return Obstacle(f"is {_kind(mode)}", removable=not stat.S_ISDIR(mode))


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a file" if stat.S_ISREG(mode) else "a device, pipe or socket"


def read_file(path: Path) -> bytes | None:
    """The content of an ordinary file, or None where nothing is. Raises OSError."""
    try:
        return read_whole(path, LARGEST)
    except NoRegularFile as failure:
        raise FileExistsError(errno.EEXIST, "it is not an ordinary file", str(path)) from failure
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_folder(
    folder: Path, artifacts: Sequence[Artifact], remove: Sequence[PurePosixPath] = ()
) -> None:
    """Puts the artifacts below `folder` and takes the files in `remove` away: all, or nothing.

    Everything is written beside its place first, so a full disk or a missing permission leaves
    the folder as it was; one that was absent appears as a whole. Files and folders get their
    modes whatever the umask. Raises OSError, or `Unrestored` where the old could not be put back.
    """
    folder = _resolved(folder)
    with _parents(folder):
        there = folder.is_dir()
        _require_own(folder if there else folder.parent)
        with _staging(folder if there else folder.parent) as staging:
            for artifact in artifacts:
                list(make_folders(staging / "new", artifact.path))
                create_file(staging / "new" / artifact.path, artifact.content, artifact.mode)
            with _undisturbed():
                if there:
                    Swap(staging).apply(folder, [one.path for one in artifacts], remove)
                else:
                    (staging / "new").rename(folder)
    changed = {folder / path.parent for path in (*(one.path for one in artifacts), *remove)}
    for one in sorted({folder.parent, folder, *changed}):
        sync_folder(one)


def write_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Replaces the file as a whole, or leaves it as it was; the umask decides where no `mode` does.

    Raises OSError.
    """
    path = _resolved(path)
    with _parents(path):
        _require_own(path.parent)
        _replace(path, content, 0o666 & ~_umask() if mode is None else mode)
    sync_folder(path.parent)


def _replace(path: Path, content: bytes, mode: int) -> None:
    with _staging(path.parent) as staging:
        create_file(staging / "new", content, mode)
        (staging / "new").replace(path)


def _resolved(path: Path) -> Path:
    """Where a path leads; for root, by what nobody else can change: else PermissionError."""
    return own_path(path.absolute()) if os.geteuid() == 0 else Path(os.path.realpath(path))


def _require_own(folder: Path) -> None:
    """Raises PermissionError if root would write where others could put a link in its way.

    The way was looked at before (`host.door.rights_for`); since then somebody may have made the
    folder, or a link, in a folder for everyone.
    """
    if os.geteuid() == 0:
        own_path(folder, strict=True)


@contextlib.contextmanager
def _staging(beside: Path) -> Iterator[Path]:
    """A folder on the same filesystem, gone afterwards; it stays where it holds the old files."""
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=beside))
    precious = False
    try:
        folder.chmod(0o700)  # a umask may have taken its owner's rights too
        yield folder
    except Unrestored:
        precious = True
        raise
    finally:
        if not precious:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _parents(path: Path) -> Iterator[None]:
    """Makes the folders above `path`; takes those it made away again where the body fails."""
    made = []
    try:
        for parent in reversed(path.parents):
            if not _is_folder(parent):
                parent.mkdir()
                made.append(parent)
        yield
    except BaseException:
        for parent in reversed(made):
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Holds signals back for the moments in which some files are new and some are old."""
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def create_file(path: Path, content: bytes, mode: int) -> None:
    """Writes a file that is not there yet, of this mode whatever the umask. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, mode)
        _write_all(descriptor, content)
    except OSError as failure:
        failure.filename = str(path)  # write(2) has no name for it
        raise
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    """Writes the content and makes it last."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


def _umask() -> int:
    """The umask, which can only be read by setting it."""
    found = os.umask(0o077)
    os.umask(found)
    return found


@contextlib.contextmanager
def plain_umask() -> Iterator[None]:
    """New folders are for everyone to enter: services read below them, whatever root's umask is."""
    former = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(former)


def sync_folder(folder: Path) -> None:
    """Makes the renames in a folder last; some filesystems cannot, which is no failure."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
