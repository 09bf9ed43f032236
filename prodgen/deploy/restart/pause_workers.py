"""Workers and scheduler stopped for a while, without a job lost, and without their managers
starting them again."""

from __future__ import annotations

import time
from collections.abc import Sequence

from prodgen.deploy.jobs.graceful_stop import resume_on_crash, terminate_when_idle
from prodgen.deploy.managers.core.base import STOP_SLACK, Process, State
from prodgen.deploy.queue import rq
from prodgen.deploy.queue.redis_client import RedisUnavailable
from prodgen.deploy.session.events import Busy
from prodgen.deploy.session.session import POLL, Session, as_data

AT_REST = (State.DOWN, State.FAILED, State.MISSING)
START_SECONDS = 15.0


def stop(session: Session, processes: Sequence[Process], seconds: float) -> str:
    """Stops them and waits for their end; why they do not come to it, else nothing.

    `seconds` is how long a job may hold up the stop of its worker: with less time left than its
    manager gives it, the job could not end.
    """
    end = time.monotonic() + seconds
    asked: dict[str, float] = {}
    names = [one.name for one in processes]
    while True:
        found = session.now(names)
        left = [one for one in found.values() if one.state not in AT_REST]
        if not left:
            session.waiting("", ())
            session.say("stopped", f"{len(names)} processes are stopped: no job runs")
            return ""
        busy = {one.pid: one for one in session.busy(left)}
        session.waiting("the workers to end", list(busy.values()))
        for one in left:
            may = one.name not in asked and _may_stop(session, one, busy.get(one.pid))
            if may and _stop(session, one):
                asked[one.name] = time.monotonic()
        if late := [one for one in left if _is_late(one, asked, end)]:
            return f"{', '.join(one.short for one in late)} did not stop"
        time.sleep(POLL)


def start_again(session: Session, processes: Sequence[Process]) -> None:
    """Starts what was stopped. Supervisor takes no start of what still ends, so that is awaited."""
    end = time.monotonic() + START_SECONDS
    left = [one.name for one in processes]
    while left:
        found = session.now(left)
        session.manager.start([name for name in left if name in found and _may_start(found[name])])
        left = [name for name, one in found.items() if one.state is State.STOPPING]
        if left and time.monotonic() > end:
            session.fail(f"{', '.join(left)} still ends its job; start it then with its manager")
            return
        time.sleep(POLL)


def _may_start(one: Process) -> bool:
    return one.state in (State.DOWN, State.FAILED)


def _is_late(one: Process, asked: dict[str, float], end: float) -> bool:
    if one.name not in asked:
        return time.monotonic() > end
    return time.monotonic() - asked[one.name] > one.service.stop.value.seconds + STOP_SLACK


def _may_stop(session: Session, one: Process, job: Busy | None) -> bool:
    """Whether its job, if it has one, ends before its manager would kill it."""
    row, end = _row(session, one), job.latest_end if job else None
    return rq.may_stop(row, end, time.time(), one.service.stop.value.seconds)


def _row(session: Session, one: Process) -> rq.Worker | None:
    rows = (row for row in session.workers() if row.host == session.host)
    return next((row for row in rows if one.pid and row.pid == one.pid), None)


def _stop(session: Session, one: Process) -> bool:
    """Has its manager stop it, at a moment when no job is in its hand; False where none came."""
    row = _row(session, one)
    if session.queue is None or not one.pid or row is None:
        session.manager.stop([one.name])
    else:
        try:
            with resume_on_crash([one.pid], session.context.door.owner):
                told = terminate_when_idle(
                    one.pid,
                    row.name,
                    session.queue,
                    lambda: session.manager.stop([one.name]),
                    session.whose,
                )
        except RedisUnavailable:
            return False
        if not told:
            return False
    session.touched = True
    session.say("told", f"{one.short} was told to stop", one.name, **as_data(one))
    return True
