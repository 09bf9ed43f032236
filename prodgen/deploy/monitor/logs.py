"""The logs of a bench's processes as one stream: from files, or from their manager's journal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.managers.core.log_line import LONGEST_LINE, LogLine
from prodgen.deploy.session.backend import Backend
from prodgen.host.door import rights_for
from prodgen.inputs.reader import open_regular
from prodgen.plan.core.model import Plan

POLL = 0.25
BLOCK = 8192
MOST_TAIL = 1024 * 1024
"""Bytes of the last lines of one file."""
MOST_NEWS = 16 * 1024 * 1024
"""Bytes of what was added to a file between two looks; of more, the end."""


def last_lines(file: BufferedReader, count: int) -> list[str]:
    """The last lines of a file; its position is then at its end."""
    end = position = file.seek(0, os.SEEK_END)
    blocks: list[bytes] = []
    breaks = 0
    while position > 0 and breaks <= count and end - position < MOST_TAIL:
        size = min(BLOCK, position)
        position -= size
        file.seek(position)
        blocks.append(file.read(size))
        breaks += blocks[-1].count(b"\n")
    file.seek(end)
    lines = b"".join(reversed(blocks)).decode("utf-8", "replace").splitlines()
    return [line[:LONGEST_LINE] for line in lines[-count:]] if count else []


def open_log(path: Path) -> BufferedReader:
    """An ordinary file, open to read with the rights of those who have a hand in its path.

    Raises OSError.
    """
    with rights_for(path):
        return os.fdopen(open_regular(path)[0], "rb")


class Follower:
    """One log file, also over its rotation."""

    def __init__(self, process: str, path: Path) -> None:
        self.process = process
        self.path = path
        self.file = open_log(path)
        self.rest = b""

    def tail(self, count: int) -> Iterator[LogLine]:
        """Its last lines."""
        for text in last_lines(self.file, count):
            yield LogLine(self.process, text)

    def news(self) -> Iterator[LogLine]:
        """The whole lines that were added since the last call."""
        yield from self._read()
        if self._is_rotated():
            yield from self._read()
            self.file.close()
            self.file, self.rest = open_log(self.path), b""
            yield from self._read()

    def _read(self) -> Iterator[LogLine]:
        gap = os.fstat(self.file.fileno()).st_size - self.file.tell() - MOST_NEWS
        if gap > 0:  # who writes the log can make it as long as it likes (ftruncate(2))
            self.file.seek(gap, os.SEEK_CUR)
        data = self.rest + self.file.read(MOST_NEWS)
        *lines, rest = data.split(b"\n")
        self.rest = rest[:LONGEST_LINE]
        for line in lines:
            yield LogLine(self.process, line[:LONGEST_LINE].decode("utf-8", "replace"))

    def _is_rotated(self) -> bool:
        try:
            found = self.path.stat()
        except OSError:
            return False
        own = os.fstat(self.file.fileno())
        if (found.st_ino, found.st_dev) == (own.st_ino, own.st_dev):
            if found.st_size < self.file.tell():
                self.file.seek(0)
                self.rest = b""
            return False
        return True


def read_files(processes: Sequence[Process], tail: int, *, follow: bool) -> Iterator[LogLine]:
    """The files' last lines and, to `follow`, what is added to them. Raises DeployError."""
    followers = []
    for one in processes:
        for path in dict.fromkeys(one.logs):
            try:
                followers.append(Follower(one.short, path))
            except FileNotFoundError:
                continue
            except OSError as failure:
                reason = (failure.strerror or str(failure)).lower()
                raise DeployError(
                    "PG926", f"{path} cannot be read: {reason}", "run it with sudo"
                ) from failure
    try:
        for follower in sorted(followers, key=lambda one: one.path.stat().st_mtime):
            yield from follower.tail(tail)
        while follow:
            for follower in followers:
                yield from follower.news()
            time.sleep(POLL)
    finally:
        for follower in followers:
            follower.file.close()


def read_logs(
    backend: Backend, plan: Plan, processes: Sequence[Process], tail: int, *, follow: bool
) -> Iterator[LogLine]:
    """The last lines and, to `follow`, what is added to them: of files, where the processes have
    any, else of their manager's journal. Raises DeployError."""
    if any(one.logs for one in processes):
        return read_files(processes, tail, follow=follow)
    return backend.journal(plan, [one.name for one in processes], tail, follow)
