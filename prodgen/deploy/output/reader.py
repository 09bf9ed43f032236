"""An output of `render` as it lies there, folder or archive, read to be verified.

Nothing is unpacked, no link is followed, and nothing but ordinary files is opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from prodgen.deploy.output.archives import LARGEST, BadArchive, read_archive
from prodgen.review.changes.verification import Found
from prodgen.targets.manifest import PATH, digest

LARGEST_MANIFEST = 64 * 1024 * 1024
"""Bytes; each of 10,000 files takes some 300."""
MOST_FILES = 100_000
CHUNK = 1024 * 1024


class Output(NamedTuple):
    """The manifest, and every other file by its path."""

    manifest: bytes
    files: dict[str, Found]


def read_output(path: Path) -> Output:
    """What lies at `path`; raises BadArchive where no output of prodgen can be, or OSError."""
    if path.is_dir():
        return _folder(path)
    with _opened(Path(os.path.realpath(path))) as stream:
        members = read_archive(stream)
    manifest = members.pop(str(PATH), None)
    if manifest is None:
        raise BadArchive(f"there is no {PATH} in it")
    found = {name: Found(digest(one.content), one.mode) for name, one in members.items()}
    return Output(manifest.content, found)


def _folder(folder: Path) -> Output:
    try:
        with _opened(folder / PATH) as stream:
            manifest = stream.read(LARGEST_MANIFEST + 1)
    except FileNotFoundError:
        raise BadArchive(f"there is no {PATH} in it") from None
    if len(manifest) > LARGEST_MANIFEST:
        raise BadArchive(f"its {PATH} is larger than {LARGEST_MANIFEST // 1024**2} MB")
    files: dict[str, Found] = {}
    for path in _walk(folder):
        name = str(path.relative_to(folder))
        if name == str(PATH):
            continue
        if len(files) == MOST_FILES:
            raise BadArchive(f"there are more than {MOST_FILES} files in it")
        with _opened(path) as stream:
            state = os.fstat(stream.fileno())
            if state.st_size > LARGEST:
                raise BadArchive(f"{path} is larger than {LARGEST // 1024**2} MB")
            files[name] = Found(_digest(stream), stat.S_IMODE(state.st_mode))
    return Output(manifest, files)


def _walk(folder: Path) -> Iterator[Path]:
    """Every entry below the folder that is no folder itself."""
    folders = [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                else:
                    yield Path(entry.path)


def _opened(path: Path) -> BinaryIO:
    """The ordinary file at `path`, open; raises BadArchive where it is anything else."""
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        raise BadArchive(
            f"{path} is {'a symbolic link' if stat.S_ISLNK(mode) else 'no ordinary file'}"
        )
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    stream = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise BadArchive(f"{path} is no ordinary file")
    return stream


def _digest(stream: BinaryIO) -> str:
    made = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        made.update(chunk)
    return made.hexdigest()
