"""Workers that a new config ends: each is told so at a moment when no job is in its hands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from prodgen.deploy.jobs.graceful_stop import resume_on_crash, terminate_when_idle
from prodgen.deploy.queue import rq
from prodgen.deploy.queue.redis_client import RedisQueue, RedisUnavailable
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.session import POLL, Session
from prodgen.deploy.system import procfs

PATIENCE = 2.0
"""Seconds for Redis to answer: where it is away, no worker has a job from it."""


def end_workers(
    activation: Activation,
    pids: Mapping[str, int],
    seconds: Mapping[str, int],
    stop: Callable[[str], None],
) -> None:
    """Has their manager `stop` those of the processes that are workers.

    One whose job may need longer than the `seconds` that its manager gives it is waited for first.
    Everything else, and a worker that Redis does not know, is left to the caller; so is one that
    runs as another user, as all of a bench may have under the config that goes.
    """
    access = activation.context.access
    if access is None:
        return
    queue = RedisQueue(access)
    session = Session(activation.context, activation.manager(), queue, activation.report)
    left = {pid: name for name, pid in pids.items() if pid}
    try:
        while left:
            rows = {row.pid: row for row in session.workers(PATIENCE) if row.host == session.host}
            left = {pid: name for pid, name in left.items() if pid in rows}
            for pid, name in list(left.items()):
                may_end = _may_end(queue, rows[pid], seconds.get(name, 0))
                if may_end and (
                    not _is_ours(session, pid) or _end(session, queue, rows[pid], name, stop)
                ):
                    del left[pid]
            time.sleep(POLL if left else 0)
    except RedisUnavailable as away:
        activation.say("note", f"{away}: what works without it is stopped as it is")


def _is_ours(session: Session, pid: int) -> bool:
    """Whether we may send signals to a process; one that is gone has no use for any."""
    return session.whose is None or procfs.owner(pid) == session.whose


def _may_end(queue: RedisQueue, row: rq.Worker, seconds: int) -> bool:
    """Whether its job, if it has one, ends before its manager would kill it."""
    job = queue.jobs([row.job]).get(row.job) if row.is_busy and row.job else None
    return rq.may_stop(row, job.latest_end if job else None, time.time(), seconds)


def _end(
    session: Session, queue: RedisQueue, row: rq.Worker, name: str, stop: Callable[[str], None]
) -> bool:
    with resume_on_crash([row.pid], session.context.door.owner):
        return terminate_when_idle(row.pid, row.name, queue, lambda: stop(name), session.whose)
