"""A bench's workers at rest: none begins a job any more, and those that run have ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from prodgen.deploy.jobs.graceful_stop import kill_tree
from prodgen.deploy.jobs.suspension import Suspension
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.queue.redis_client import RedisQueue, RedisUnavailable
from prodgen.deploy.queue.rq import redis_name
from prodgen.deploy.session.session import POLL, Session

CALM = 3
"""Looks in a row that find nobody at work."""
FULL = 0.8
"""The part of Frappe's limit of waiting jobs from which on a queue counts as nearly full."""


@contextlib.contextmanager
def drained(
    session: Session, workers: Sequence[Process], seconds: float, force_kill: float | None
) -> Iterator[bool]:
    """The workers at rest; False where they do not come to it within `seconds`."""
    if not workers or session.queue is None:
        yield True
        return
    _, foreign = session.all_workers()
    if foreign:
        names = sorted(
            {queue.rpartition(":")[0] or queue for one in foreign for queue in one.queues}
        )
        session.say(
            "note",
            f"this Redis also serves {', '.join(names)}: nothing is suspended, which would stop "
            "their jobs too; each worker of this bench ends after its job",
        )
        yield True
        return
    with Suspension(session, session.queue) as suspension:
        trouble = await_idle(session, session.queue, workers, seconds)
        if trouble and force_kill is not None:
            kill_busy(session, workers)
        elif trouble:
            suspension.lift()
            session.fail(f"the workers do not come to rest: {trouble}; nothing was restarted")
            yield False
            return
        yield True


def kill_busy(session: Session, workers: Sequence[Process]) -> None:
    """Kills those that are at work; their jobs are lost."""
    for one in session.busy(workers):
        session.fail(f"{one.process} is killed; its job {one.job} is lost", one.process)
        kill_tree(one.pid, session.whose)


def await_idle(
    session: Session, queue: RedisQueue, processes: Sequence[Process], seconds: float
) -> str:
    """Waits, while suspended, until no worker of the bench is at work; why not, else nothing.

    A worker that was idle may begin one job yet, since it looks for a suspension only between
    jobs (rq/worker.py, `work`).
    """
    end = time.monotonic() + seconds
    limit = session.context.max_queued
    calm = 0
    while True:
        busy = [*session.busy(processes), *session.strangers(processes)]
        session.waiting("all workers to be idle", busy)
        calm = 0 if busy else calm + 1
        if calm >= CALM:
            session.waiting("", ())
            return ""
        if limit and _longest(session, queue) > FULL * limit:
            return f"the queues are nearly full (Frappe refuses more than {limit} waiting jobs)"
        if time.monotonic() > end:
            jobs = ", ".join(f"{one.job or '?'} ({one.process})" for one in busy) or "no job"
            return f"still at work after {seconds:.0f} s: {jobs}"
        time.sleep(POLL)


def _longest(session: Session, queue: RedisQueue) -> int:
    names = [redis_name(name, session.context.bench_id) for name in session.context.queue_names]
    try:
        return max(queue.lengths(names).values(), default=0)
    except RedisUnavailable:
        return 0
