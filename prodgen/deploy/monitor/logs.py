"""The logs of a bench's processes as one stream: from files, or from systemd's journal."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import Process
from prodgen.host.door import rights_for
from prodgen.host.programs import environment
from prodgen.host.system_path import find_program
from prodgen.inputs.reader import open_regular

POLL = 0.25
BLOCK = 8192
MOST_TAIL = 1024 * 1024
"""Bytes of the last lines of one file."""
MOST_NEWS = 16 * 1024 * 1024
"""Bytes of what was added to a file between two looks; of more, the end."""
LONGEST_LINE = 64 * 1024
"""Characters; the rest of a longer line is left out."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a process."""

    process: str
    text: str


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

    def tail(self, count: int) -> Iterator[Line]:
        """Its last lines."""
        for text in last_lines(self.file, count):
            yield Line(self.process, text)

    def news(self) -> Iterator[Line]:
        """The whole lines that were added since the last call."""
        yield from self._read()
        if self._is_rotated():
            yield from self._read()
            self.file.close()
            self.file, self.rest = open_log(self.path), b""
            yield from self._read()

    def _read(self) -> Iterator[Line]:
        gap = os.fstat(self.file.fileno()).st_size - self.file.tell() - MOST_NEWS
        if gap > 0:  # who writes the log can make it as long as it likes (ftruncate(2))
            self.file.seek(gap, os.SEEK_CUR)
        data = self.rest + self.file.read(MOST_NEWS)
        *lines, rest = data.split(b"\n")
        self.rest = rest[:LONGEST_LINE]
        for line in lines:
            yield Line(self.process, line[:LONGEST_LINE].decode("utf-8", "replace"))

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


def read_files(processes: Sequence[Process], tail: int, *, follow: bool) -> Iterator[Line]:
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


def journal_command(
    units: Sequence[str], tail: int, *, follow: bool, user: bool
) -> tuple[str, ...]:
    """Asks the journal for the lines of units (journalctl(1))."""
    option = "--user-unit" if user else "--unit"
    return (
        find_program("journalctl") or "/usr/bin/journalctl",
        "--no-pager",
        "--quiet",
        "--output=json",
        "--all",
        f"--lines={tail}",
        *(["--follow"] if follow else []),
        *(f"{option}={unit}" for unit in units),
    )


def parse_entry(text: str) -> Line | None:
    """One line of `journalctl --output=json`.

    Its sender may have set any field but those that begin with `_` (systemd.journal-fields(7)), and
    each of them twice; `UNIT` is believed of PID 1 only.
    """
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("MESSAGE") is None:
        return None
    about = entry.get("UNIT") if entry.get("_PID") == "1" else None
    unit = entry.get("_SYSTEMD_USER_UNIT") or about or entry.get("_SYSTEMD_UNIT") or ""
    message = _field(entry["MESSAGE"])[:LONGEST_LINE]
    return Line(_field(unit).removesuffix(".service"), message)


def _field(value: object) -> str:
    """A field as text: bytes that are no text are numbers, and a field that is twice is a list."""
    if not isinstance(value, list):
        return str(value)
    if all(isinstance(one, int) and 0 <= one < 256 for one in value):
        return bytes(value).decode("utf-8", "replace")
    return " ".join(_field(one) for one in value)


def read_journal(units: Sequence[str], tail: int, *, follow: bool, user: bool) -> Iterator[Line]:
    """The journal's last lines of these units and, to `follow`, what is added.

    Raises DeployError.
    """
    argv = journal_command(units, tail, follow=follow, user=user)
    try:
        process = subprocess.Popen(
            argv,
            env=environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as failure:
        raise DeployError(
            "PG926", f"journalctl cannot be run: {failure}", "read the journal on the bench's host"
        ) from failure
    if process.stdout is None or process.stderr is None:
        raise ValueError("no pipe")
    try:
        for raw in process.stdout:
            line = parse_entry(raw.decode("utf-8", "replace"))
            if line:
                yield line
        reason = process.stderr.read().decode("utf-8", "replace").strip()
        if process.wait() != 0 and reason:
            raise DeployError(
                "PG926", f"the journal cannot be read: {reason.splitlines()[0]}", "use sudo"
            )
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
