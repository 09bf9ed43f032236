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

from prodgen.deploy.managed import Process, Refused
from prodgen.host.door import rights_for
from prodgen.host.programs import environment
from prodgen.host.system_path import find_program
from prodgen.inputs.reader import open_regular

POLL = 0.25
BLOCK = 8192
MOST_TAIL = 1024 * 1024
"""Bytes of the last lines of one file."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a process."""

    process: str
    text: str


def last_lines(file: BufferedReader, count: int) -> list[str]:
    """The last lines of a file; its position is then at its end."""
    end = position = file.seek(0, os.SEEK_END)
    data = b""
    while position > 0 and data.count(b"\n") <= count and len(data) < MOST_TAIL:
        size = min(BLOCK, position)
        position -= size
        file.seek(position)
        data = file.read(size) + data
    file.seek(end)
    lines = data.decode("utf-8", "replace").splitlines()
    return lines[-count:] if count else []


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
        data = self.rest + self.file.read()
        *lines, self.rest = data.split(b"\n")
        for line in lines:
            yield Line(self.process, line.decode("utf-8", "replace"))

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
    """The files' last lines and, to `follow`, what is added to them. Raises Refused."""
    followers = []
    for one in processes:
        for path in dict.fromkeys(one.logs):
            try:
                followers.append(Follower(one.short, path))
            except FileNotFoundError:
                continue
            except OSError as failure:
                reason = (failure.strerror or str(failure)).lower()
                raise Refused(f"{path} cannot be read: {reason}", "run it with sudo") from failure
    for follower in sorted(followers, key=lambda one: one.path.stat().st_mtime):
        yield from follower.tail(tail)
    while follow:
        for follower in followers:
            yield from follower.news()
        time.sleep(POLL)


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
    """One line of `journalctl --output=json`."""
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no text
        message = bytes(message).decode("utf-8", "replace")
    unit = entry.get("_SYSTEMD_USER_UNIT") or entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or ""
    return Line(str(unit).removesuffix(".service"), str(message)) if message is not None else None


def read_journal(units: Sequence[str], tail: int, *, follow: bool, user: bool) -> Iterator[Line]:
    """The journal's last lines of these units and, to `follow`, what is added. Raises Refused."""
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
        raise Refused(f"journalctl cannot be run: {failure}") from failure
    if process.stdout is None or process.stderr is None:
        raise ValueError("no pipe")
    try:
        for raw in process.stdout:
            line = parse_entry(raw.decode("utf-8", "replace"))
            if line:
                yield line
        reason = process.stderr.read().decode("utf-8", "replace").strip()
        if process.wait() != 0 and reason:
            raise Refused(f"the journal cannot be read: {reason.splitlines()[0]}", "use sudo")
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
