"""Real processes for code that looks into /proc and sends signals: `sleep`, and nothing more."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence

from prodgen.deploy.system import procfs
from prodgen.host.run_as import Identity, as_child
from tests.support.owner import OWNER

SLEEP = ("sleep", "600")
HEEDS = ("sh", "-c", "trap 'exit 7' TERM; sleep 600 & wait")
"""Ends by itself at SIGTERM, so that the kernel does not end it while it is held still."""


class Children:
    """Processes that a test has started."""

    def __init__(self) -> None:
        self.started: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, argv: Sequence[str] = SLEEP, who: Identity = OWNER) -> int:
        """Starts one, as a user if root runs the tests; its pid."""
        # Nobody reads what it says, and nothing of it may hold up a pipe of pytest's.
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **as_child(who),
        )
        self.started[child.pid] = child
        return child.pid

    def end(self, pid: int) -> None:
        """Ends it by force, and waits until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self.started[pid].wait(10)

    def signal_of(self, pid: int) -> int:
        """The signal that has ended it; 0 while it runs."""
        code = self.started[pid].poll()
        return -code if code is not None else 0

    def awaited_signal_of(self, pid: int) -> int:
        """The same, once it has ended."""
        return -self.started[pid].wait(10)

    def end_all(self) -> None:
        for pid in self.started:
            self.end(pid)


@contextlib.contextmanager
def children() -> Iterator[Children]:
    """Children that all end with the block."""
    made = Children()
    try:
        yield made
    finally:
        made.end_all()


def state_of(pid: int) -> str:
    """Its state in /proc: `T` is held still; empty where it has ended."""
    found = procfs.stat(pid)
    return found.state if found else ""


def await_state(pid: int, *wanted: str) -> None:
    """Waits until a process is in one of these states; signals take a moment to arrive."""
    end = time.monotonic() + 10
    while state_of(pid) not in wanted:
        assert time.monotonic() < end, f"it is {state_of(pid)!r}, not in {wanted}"
        time.sleep(0.001)
