"""What every step of a restart has at hand, and what it finds there at any moment."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import Process, ProcessManager, State
from prodgen.deploy.queue import rq
from prodgen.deploy.queue.redis_client import RedisQueue, RedisUnavailable
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.events import Busy, Event, Json, Report, Waiting
from prodgen.deploy.system import procfs
from prodgen.host.run_as import Identity, acting_as

REDIS_RETURN = 60.0
"""Seconds that a restart waits for a Redis that is away, as it is while it restarts."""
POLL = 0.2


@dataclass
class Session:
    """One run over one bench."""

    context: BenchContext
    manager: ProcessManager
    queue: RedisQueue | None
    report: Report
    host: str = field(default_factory=socket.gethostname)
    problems: list[str] = field(default_factory=list)
    """What is not as it should be at the end."""
    touched: bool = False
    """Whether anything has been restarted."""

    @property
    def whose(self) -> int | None:
        """The uid whose processes get our signals; None for whoever's we may send them to."""
        return self.context.door.owner.uid if os.geteuid() == 0 else None

    def say(self, kind: str, text: str, process: str = "", **data: object) -> None:
        """Reports one step."""
        self.report(Event(kind, text, process, dict(data)))

    def fail(self, text: str, process: str = "", **data: object) -> None:
        """Reports something that is wrong, and keeps it for the end."""
        self.problems.append(text)
        self.say("problem", text, process, **data)

    def now(self, names: Sequence[str]) -> dict[str, Process]:
        """The processes of these names as their manager sees them now."""
        return {one.name: one for one in self.manager.look() if one.name in names}

    def workers(self, patience: float = REDIS_RETURN) -> list[rq.Worker]:
        """This bench's workers that live, by Redis; empty without one."""
        mine, _ = self.all_workers(patience)
        return mine

    def all_workers(
        self, patience: float = REDIS_RETURN
    ) -> tuple[list[rq.Worker], list[rq.Worker]]:
        """This bench's living workers, and those of others on the same Redis."""
        if self.queue is None:
            return [], []
        rows = self._patiently(self.queue.workers, patience)
        pids = [row.pid for row in rows if row.host == self.host]
        started = {pid: procfs.started_at(pid) for pid in pids if procfs.stat(pid)}
        there = [row for row in rows if rq.is_there(row, self.host, started)]
        own = self._own_pids() if not self.context.bench_id else []
        bench = self.context.bench_id
        mine = [row for row in there if rq.is_of_bench(row, bench, own, self.host)]
        return mine, [row for row in there if row not in mine and row.queues]

    def _own_pids(self) -> list[int]:
        return [one.pid for one in self.manager.look() if one.pid]

    def _patiently(self, ask: Callable[[], list[rq.Worker]], patience: float) -> list[rq.Worker]:
        """The answer, waiting for a Redis that restarts."""
        end = time.monotonic() + patience
        while True:
            try:
                return ask()
            except RedisUnavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(POLL)

    def busy(self, processes: Sequence[Process]) -> list[Busy]:
        """Those of the processes that are at work, with their jobs."""
        rows = {row.pid: row for row in self.workers() if row.host == self.host and row.is_busy}
        found = [(one, rows[one.pid]) for one in processes if one.pid and one.pid in rows]
        return self._with_jobs([(one.name, one.short, row) for one, row in found])

    def _with_jobs(self, found: Sequence[tuple[str, str, rq.Worker]]) -> list[Busy]:
        jobs: dict[str, rq.Job] = {}
        if self.queue and found:
            with contextlib.suppress(RedisUnavailable):
                jobs = self.queue.jobs(row.job for _, _, row in found if row.job)
        made = []
        for _, short, row in found:
            job = jobs.get(row.job, rq.Job(id=row.job))
            made.append(
                Busy(
                    process=short,
                    pid=row.pid,
                    job=job.id,
                    site=job.site,
                    queue=job.queue,
                    description=job.description,
                    since=job.began,
                    latest_end=job.latest_end,
                )
            )
        return made

    def strangers(self, processes: Sequence[Process]) -> list[Busy]:
        """This bench's busy workers that are none of the processes, such as one in a terminal."""
        pids = {one.pid for one in processes}
        rows = [row for row in self.workers() if row.is_busy and row.pid not in pids]
        return self._with_jobs([(row.name, f"worker {row.pid} on {row.host}", row) for row in rows])

    def waiting(self, what: str, workers: Sequence[Busy]) -> None:
        """Reports whom the run waits for."""
        self.report(Waiting(what, tuple(workers)))


def as_data(one: Process) -> Json:
    """What programs are told of a process."""
    return {"service": one.service.name.value, "pid": one.pid, "state": one.state.value}


def await_up(session: Session, names: Sequence[str], seconds: float) -> list[str]:
    """Waits until all of them are up; the names of those that are not in time."""
    end = time.monotonic() + seconds
    while True:
        found = session.now(names)
        left = [name for name in names if name not in found or found[name].state is not State.UP]
        if not left or time.monotonic() > end:
            return left
        time.sleep(POLL)


@contextlib.contextmanager
def bench_lock(folder: Path, who: Identity | None = None) -> Iterator[int]:
    """Only one prodgen at a time deals with a bench; raises DeployError for the second (flock(2)).

    The lock is on the folder itself: no file is made where another user may write. A child that
    gets its descriptor, which is what comes back, holds it as long as it lives. The folder is
    opened with the rights of `who`: a file system may keep root out of it.
    """
    with acting_as(who):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as failure:
            text = f"another prodgen is at work on {folder}, or a migration that it has begun"
            raise DeployError("PG912", text, "wait for its end") from failure
        yield handle
    finally:
        os.close(handle)
