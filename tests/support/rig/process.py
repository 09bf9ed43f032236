"""One child process of a test: started, waited for, and gone at the end with all it started."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
from typing import TYPE_CHECKING

from tests.support.rig import procs
from tests.support.rig.place import HOST, Place, open_socket
from tests.support.rig.waiting import TooLateError, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

PLAIN_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
}
TAIL = 4000

_numbers = itertools.count(1)


class Child:
    """A process in a session of its own, with the plain environment of a service.

    Used as a context manager it is started at the beginning, and at the end it gets the stop
    signal, then SIGKILL, together with every process that came of it.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        place: Place = HOST,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_wait: float = 5.0,
    ) -> None:
        self.argv = [str(word) for word in argv]
        self.log = log
        self.place = place
        self.cwd = cwd
        self.user = user
        self.stop_signal = stop_signal
        self.stop_wait = stop_wait
        self.mark = procs.mark(f"{next(_numbers)}")
        self.env = {**PLAIN_ENVIRONMENT, **(env or {}), procs.MARK: self.mark}
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> Child:
        """Start it; what it prints is appended to the log file."""
        folder = [] if self.cwd is None else ["env", "-C", str(self.cwd)]
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                self.place.argv([*folder, *self.argv], self.user),
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process object; only once it was started."""
        if self._process is None:
            msg = f"not started: {self.argv}"
            raise RuntimeError(msg)
        return self._process

    @property
    def pid(self) -> int:
        """The pid as this host sees it."""
        return self.process.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def family(self) -> list[int]:
        """All living processes that came of it, itself included, also those it lost track of."""
        if self._process is None:
            return []
        own = [self.pid] if self.alive() else []
        found = {*own, *procs.descendants(self.pid), *procs.marked(self.mark)}
        return sorted(found)

    def output(self) -> str:
        """What it has printed since it was started."""
        try:
            return self.log.read_bytes()[self._log_start :].decode(errors="replace")
        except OSError:
            return ""

    def tail(self) -> str:
        """The end of what it printed."""
        return self.output()[-TAIL:]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, to this process alone."""
        self.process.send_signal(number)

    def wait(self, deadline: float = 10.0) -> int:
        """Its exit code, negative for a signal; too late is an error with the log's tail."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            message = f"{self.argv[0]} still runs after {deadline:g} s\n{self.tail()}"
            raise TooLateError(message) from None

    def wait_ready(self, check: Callable[[], object], deadline: float = 10.0) -> Child:
        """Wait until `check` is true; an error with the log's tail if it ends or takes too long."""

        def ready() -> bool:
            return not self.alive() or bool(check())

        try:
            wait_for(ready, deadline, f"{' '.join(self.argv)} being ready")
        except TooLateError as error:
            msg = f"{error}\n{self.tail()}"
            raise TooLateError(msg) from None
        if not self.alive():
            code = self.process.returncode
            msg = f"{' '.join(self.argv)} ended with {code}\n{self.tail()}"
            raise TooLateError(msg)
        return self

    def wait_port(self, port: int, deadline: float = 10.0) -> Child:
        """Wait until something listens on this loopback port in its world."""
        return self.wait_ready(lambda: connects(self.place, ("127.0.0.1", port)), deadline)

    def wait_log(self, text: str, deadline: float = 10.0) -> Child:
        """Wait until it has printed this text."""
        return self.wait_ready(lambda: text in self.output(), deadline)

    def stop(self, wait: float | None = None) -> int | None:
        """Stop signal, a while of patience, then SIGKILL for whatever is left of the family."""
        if self._process is None:
            return None
        patience = self.stop_wait if wait is None else wait
        try:
            if self.alive() and patience > 0:
                with contextlib.suppress(ProcessLookupError):
                    self.send(self.stop_signal)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(patience)
        finally:
            self.kill()
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL for the whole family, again until none is left."""
        if self._process is None:
            return
        while left := self.family():
            procs.kill_all(left)
            self._process.poll()
        self._process.wait(5)

    def __enter__(self) -> Child:
        return self.start() if self._process is None else self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def connects(place: Place, address: tuple[str, int] | str) -> bool:
    """Whether something accepts connections there."""
    try:
        open_socket(place, address, 1.0).close()
    except OSError:
        return False
    return True


def own_environment(**more: str) -> dict[str, str]:
    """This process's own environment with additions, for a child that needs all of it."""
    return {**os.environ, **more}
