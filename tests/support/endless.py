"""What nobody may hang on: named pipes, devices, files without an end; each in a file's place."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

SPARSE = 10 * 1024**3


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(SPARSE)


def _socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{folder}/{path.name}")  # a socket's own path must be short
    os.close(folder)


def _linked_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


KINDS: dict[str, Callable[[Path], object]] = {
    "a named pipe": os.mkfifo,
    "a link to a pipe": _linked_pipe,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a socket": _socket,
    "a sparse file of 10 GB": _sparse,
}


def put(kind: str, path: Path) -> Path:
    """Puts it in the place of what is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    KINDS[kind](path)
    return path
