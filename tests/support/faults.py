"""Faults at every system call that changes the file system, one after the other.

Python tells an audit hook (PEP 578) of each; a fault is raised in its place, or the process dies.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CHANGES = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.chown",
    "os.truncate",
    "os.utime",
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FAULTS = (errno.ENOSPC, errno.EROFS, errno.EACCES)


class _Injector:
    """Counts the calls, and at the one that is chosen does what is wanted."""

    def __init__(self) -> None:
        self.count = 0
        self.at = -1
        self.act: Callable[[], None] | None = None

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.act is None or not (event in CHANGES or _is_write(event, arguments)):
            return
        self.count += 1
        if self.count == self.at:
            self.act()


def _is_write(event: str, arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if event == "open" and len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & WRITES)


INJECTOR = _Injector()
sys.addaudithook(INJECTOR)


@contextmanager
def at_call(number: int, act: Callable[[], None]) -> Iterator[_Injector]:
    """Does `act` at the call of this number, counted from 1; 0 only counts."""
    INJECTOR.count, INJECTOR.at, INJECTOR.act = 0, number, act
    try:
        yield INJECTOR
    finally:
        INJECTOR.act = None


def fail(code: int) -> Callable[[], None]:
    """A call that fails."""

    def act() -> None:
        raise OSError(code, os.strerror(code))

    return act


def die() -> None:
    """The end of the process, without a chance to tidy up."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], object]) -> int:
    """Does the work in a process of its own; the signal that ended it, 0 for none."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
