"""Reading /proc: who descends from whom, and which processes a test run has left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "PRODGEN_RIG_CHILD"


class Proc(NamedTuple):
    """One line of the process table."""

    pid: int
    name: str
    state: str
    ppid: int
    group: int
    session: int
    started: int


def read(pid: int) -> Proc | None:
    """What /proc says of a process; nothing when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name = text[text.index("(") + 1 : text.rindex(")")]
    fields = text[text.rindex(")") + 2 :].split()
    ppid, group, session = (int(field) for field in fields[1:4])
    return Proc(pid, name, fields[0], ppid, group, session, int(fields[19]))


def everyone() -> Iterator[Proc]:
    """All processes but zombies."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            found = read(int(entry.name))
            if found is not None and found.state != "Z":
                yield found


def alive(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be reaped."""
    found = read(pid)
    return found is not None and found.state != "Z"


def descendants(pid: int) -> list[int]:
    """The living children of a process, their children and so on."""
    children: dict[int, list[int]] = {}
    for found in everyone():
        children.setdefault(found.ppid, []).append(found.pid)
    result = list(children.get(pid, ()))
    for child in result:
        result.extend(children.get(child, ()))
    return result


def environment(pid: int) -> dict[str, str]:
    """The environment a process was started with; empty when it is gone or not ours to read."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (item.split(b"=", 1) for item in raw.split(b"\0") if b"=" in item)
    return {os.fsdecode(key): os.fsdecode(value) for key, value in pairs}


def command(pid: int) -> list[str]:
    """The command line of a process; empty when it is gone."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(word) for word in raw.split(b"\0")[:-1]]


def mark(name: str) -> str:
    """A value for `MARK` that tells which test run started the process."""
    own = read(os.getpid())
    return f"{os.getpid()}.{own.started if own else 0}.{name}"


def marked(value: str) -> list[int]:
    """The processes that carry this mark, whoever is their parent by now."""
    return [found.pid for found in everyone() if environment(found.pid).get(MARK) == value]


def is_orphan(value: str) -> bool:
    """Whether the test run that gave this mark is gone."""
    pid, started = value.split(".")[:2]
    owner = read(int(pid))
    return owner is None or owner.started != int(started)


def kill_all(pids: Iterable[int], deadline: float = 30.0) -> None:
    """SIGKILL to each, and back when they are gone; one that the kernel holds on to is an error."""
    waiting = set(pids) - {os.getpid()}
    end = time.monotonic() + deadline
    while waiting:
        for pid in waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
        waiting = {pid for pid in waiting if alive(pid)}
        if waiting and time.monotonic() > end:
            msg = f"processes {sorted(waiting)} survive SIGKILL"
            raise RuntimeError(msg)


def sweep() -> list[int]:
    """End what earlier test runs left behind when they were killed; returns the pids."""
    stale = []
    for found in everyone():
        value = environment(found.pid).get(MARK, "")
        if value.count(".") >= 2 and is_orphan(value):
            stale.append(found.pid)
    kill_all(stale)
    return stale
