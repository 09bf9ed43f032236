"""Workers of RQ: `sleep` children that heed SIGTERM as RQ does, by the clock of the test.

RQ ends an idle worker at SIGTERM. A busy one ends after its job; a second SIGTERM kills the job,
unless it comes within a second of the first (rq/worker.py, `request_stop`, `request_force_stop`).
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence

import pytest

from prodgen.deploy.jobs import graceful_stop
from prodgen.deploy.managers.core.base import Process, State
from prodgen.deploy.queue import rq
from prodgen.host.run_as import Identity
from tests.support.fakes.children import Children
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import FakeManager, processes_of
from tests.support.fakes.fake_redis import FakeQueue
from tests.support.fakes.recorder import BENCH_ID, HOST
from tests.support.owner import OWNER, ROOT

DYING = 0.05
"""Seconds from a signal to the end of who heeds it."""


class FakeWorkers:
    """The workers of a bench, each known to its manager and to Redis."""

    def __init__(self, clock: FakeClock, children: Children, services: Sequence[object]) -> None:
        self.clock = clock
        self.children = children
        self.queue = FakeQueue()
        self.manager = FakeManager(processes_of(services))
        self.manager.on_start = self.birth
        self.manager.on_stop = self._stop
        self.heard: list[tuple[int, int]] = []
        """Every signal, with who got it."""
        self.lost: list[str] = []
        """Jobs that did not come to their end."""
        self._told: dict[int, float] = {}
        for name in self.manager.found:
            self.birth(name)

    @property
    def processes(self) -> list[Process]:
        return list(self.manager.found.values())

    def pid(self, name: str) -> int:
        return self.manager.found[name].pid

    def terms(self, pid: int) -> int:
        """How often a process was told to end."""
        return self.heard.count((pid, signal.SIGTERM))

    def birth(self, name: str, who: Identity = OWNER) -> None:
        """Starts a worker, which tells Redis of itself."""
        pid = self.children.start(who=who)
        self.manager.put(name, state=State.UP, word="running", pid=pid)
        self.queue.put(f"w{pid}", queues=(f"{BENCH_ID}:short",), state="idle", pid=pid, host=HOST)

    def misname(self, name: str) -> int:
        """Has a process of root's stand where a worker was, for its manager and in Redis; its pid.

        The bench's user writes those pids into Redis, and may write any.
        """
        old = self.pid(name)
        del self.queue.rows[f"w{old}"]
        self.children.end(old)
        self.birth(name, ROOT)
        return self.pid(name)

    def give_job(self, name: str, job: str, seconds: float, timeout: int = 300) -> None:
        """Has a worker begin a job, which takes so many seconds and may take `timeout`."""
        pid = self.pid(name)
        self.queue.put(f"w{pid}", state="busy", job=job)
        self.queue.running[job] = rq.Job(id=job, timeout=timeout, began=self.clock.now)
        self.clock.after(seconds, lambda: self._finish(pid, job))

    def hear(self, pid: int, number: int) -> None:
        """What a signal does to a worker."""
        self.heard.append((pid, number))
        row = self.queue.rows.get(f"w{pid}", rq.Worker(name=f"w{pid}"))
        if number == signal.SIGKILL:
            self._lose(row)
            self._die(pid)
        elif number == signal.SIGTERM and not row.is_busy:
            self._told.setdefault(pid, self.clock.now)
            self.clock.after(DYING, lambda: self._die(pid))
        elif number == signal.SIGTERM and not row.told:
            self.queue.put(row.name, told=True)
            self._told[pid] = self.clock.now
        elif number == signal.SIGTERM and self.clock.now - self._told.get(pid, 0) > 1:
            self._lose(row)
            self._die(pid)

    def _stop(self, name: str) -> None:
        """The manager's own stop: SIGTERM, and SIGKILL after the stop time."""
        one = self.manager.found[name]
        if not one.pid:
            self.manager.put(name, state=State.DOWN)
            return
        self.manager.put(name, state=State.STOPPING, word="stopping")
        self.hear(one.pid, signal.SIGTERM)
        self.clock.after(one.service.stop.value.seconds, lambda: self._kill_late(name, one.pid))

    def _kill_late(self, name: str, pid: int) -> None:
        if self.pid(name) == pid:
            self.hear(pid, signal.SIGKILL)

    def _finish(self, pid: int, job: str) -> None:
        row = self.queue.rows.get(f"w{pid}")
        if row is None or row.job != job:
            return
        self.queue.put(row.name, state="idle", job="")
        if row.told:
            self._die(pid)

    def _lose(self, row: rq.Worker) -> None:
        if row.is_busy:
            self.lost.append(row.job)

    def _die(self, pid: int) -> None:
        self.queue.rows.pop(f"w{pid}", None)
        self.children.end(pid)
        for name, one in self.manager.found.items():
            if one.pid == pid:
                self.manager.put(name, state=State.DOWN, word="stopped", pid=0)

    def take_signals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Has every signal of the code under test come to these workers."""
        real = graceful_stop.send

        def send(
            pid: int,
            number: signal.Signals,
            how: Callable[[int, int], None] | None = None,
            whose: int | None = None,
        ) -> bool:
            if number in (signal.SIGSTOP, signal.SIGCONT):
                return real(pid, number, how, whose)
            if not real(pid, signal.Signals(signal.SIGCONT), whose=whose):
                return False
            self.hear(pid, number)
            return True

        monkeypatch.setattr(graceful_stop, "send", send)
