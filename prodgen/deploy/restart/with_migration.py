"""A restart with migrations between: nothing works on the sites while they are migrated."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prodgen.deploy.jobs.drain import drained
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.restart import pause_workers
from prodgen.deploy.restart import web as restart_web
from prodgen.deploy.restart.bench_migrate import migrate_all
from prodgen.deploy.restart.maintenance_mode import CACHED_SECONDS, Maintenance, is_cached
from prodgen.deploy.session.session import Session
from prodgen.plan.core.model import Role

GO_ON = (
    "workers and scheduler stay stopped; when the cause is removed, `prodgen restart --migrate` "
    "goes on (what is migrated stays so), and `prodgen restart` starts everything as it is"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things may take, in seconds."""

    drain: float
    migrate: float
    """For each site."""
    force_kill: float | None = None


@contextlib.contextmanager
def migrated(
    session: Session, processes: Sequence[Process], limits: Limits, lock: int
) -> Iterator[bool]:
    """The sites migrated, workers and scheduler stopped, and maintenance mode on if need be.

    False where they are not migrated; then nothing else should be restarted. Where the run ends
    before the first migration has begun, what was stopped is started again.
    """
    workers = [one for one in processes if one.service.takes_jobs]
    stopped = [*workers, *(one for one in processes if one.role is Role.SCHEDULER)]
    maintenance = Maintenance(session)
    with drained(session, workers, limits.drain, limits.force_kill) as is_calm:
        trouble = _stop(session, stopped, limits.drain) if is_calm else "at work"
    if trouble:
        yield False
        return
    with contextlib.ExitStack() as stack:
        with _started_again(session, stopped):
            stack.enter_context(maintenance.on())
            is_seen = _show(session, processes)
        try:
            done = is_seen and migrate_all(session, limits.migrate, lock)
            if done and is_cached(session.context.frappe):
                # What restarts next shall read that it is over; no old code answers any more.
                maintenance.lift()
            yield done
        except BaseException:
            session.say("note", GO_ON)
            raise
        if not done:
            session.say("note", GO_ON)


def _stop(session: Session, processes: Sequence[Process], seconds: float) -> str:
    with _started_again(session, processes):
        trouble = pause_workers.stop(session, processes, seconds)
        if trouble:
            session.fail(f"{trouble}; nothing was migrated")
            pause_workers.start_again(session, processes)
        return trouble


@contextlib.contextmanager
def _started_again(session: Session, processes: Sequence[Process]) -> Iterator[None]:
    """Starts them where the body is interrupted or fails."""
    try:
        yield
    except BaseException:
        pause_workers.start_again(session, processes)
        session.say("note", "nothing was migrated; what was stopped is started again")
        raise


def _show(session: Session, processes: Sequence[Process]) -> bool:
    """Makes the web see the maintenance mode; False where it does not come back."""
    web = [one for one in processes if one.role is Role.WEB]
    if not web or not is_cached(session.context.frappe):
        return True
    session.say(
        "note",
        f"this Frappe hears of maintenance mode after up to {CACHED_SECONDS} s, or at its start: "
        "so the web restarts before the migration too",
    )
    return restart_web.restart_web(session, web)
