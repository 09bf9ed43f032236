"""The restart of a bench in the safe order, as a library: no failed request, no lost job.

Web first, since it gives out jobs; then realtime, the workers and the scheduler. Never through
the bench's target and never Redis: both would hold up the web behind the jobs that run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.jobs.drain import drained
from prodgen.deploy.jobs.graceful_stop import kill_tree
from prodgen.deploy.jobs.orphans import find_orphans
from prodgen.deploy.jobs.suspension import clear_leftover
from prodgen.deploy.managers.core.base import (
    STOP_SLACK,
    Process,
    ProcessManager,
    State,
    TimedOut,
    how_to_load,
)
from prodgen.deploy.privilege.admission import require_admission
from prodgen.deploy.privilege.belonging import require_own
from prodgen.deploy.queue.redis_client import RedisQueue, RedisUnavailable
from prodgen.deploy.restart import web as restart_web
from prodgen.deploy.restart.bytecode import compile_apps
from prodgen.deploy.restart.maintenance_mode import lift_noted, require_rights
from prodgen.deploy.restart.selection import choose
from prodgen.deploy.restart.with_migration import GO_ON, Limits, migrated
from prodgen.deploy.restart.workers import Workers
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.events import Report
from prodgen.deploy.session.session import Session, as_data, await_up, bench_lock
from prodgen.plan.core.model import Role

UP_SECONDS = 60.0
HURRY = 10.0
"""Seconds that `now` gives a process to end by itself."""
ROUNDS = 3
"""Times that `now` tries."""


class Wait(Enum):
    """What happens to jobs that run."""

    FINISH = "finish"
    """Each worker is told to end and finishes its job; the restart waits for it."""
    DRAIN = "drain"
    """All workers are suspended first, and nothing restarts before the last job has ended."""
    NONE = "none"
    """Each worker is told to end and finishes its job; the restart does not wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartOptions:
    """What a restart shall do; times in seconds."""

    parts: tuple[str, ...] = ()
    """Names as `choose` takes them; none is everything."""
    now: bool = False
    """The system is down: everything at once, and jobs are not waited for."""
    wait: Wait = Wait.FINISH
    drain_seconds: float = 300
    migrate: bool = False
    """Migrate every site between: workers and scheduler are stopped, and maintenance mode is on."""
    migrate_seconds: float = 600
    """For each site."""
    end_orphans: bool = False
    """End work-horses that outlived their worker; without it they are only named."""
    force_kill: float | None = None
    """After how long a worker that still works is killed; None is never."""


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended: what is wrong, and whether anything was restarted."""

    problems: tuple[str, ...]
    touched: bool


def restart(
    context: BenchContext,
    manager: ProcessManager,
    report: Report,
    options: RestartOptions,
    lock: int | None = None,
) -> Result:
    """Restarts what is wished for. Raises DeployError where nothing could be begun.

    `lock` is what `bench_lock` gave a caller that holds the bench already.
    """
    require_admission(context.door, context.plan)
    processes = choose(manager.look(), options.parts, context.plan.bench_name.value)
    for one in processes:
        if one.state is State.MISSING:
            raise DeployError(
                "PG908",
                f"{context.plan.manager.value.title} has not loaded {one.short}",
                how_to_load(context.plan),
            )
    require_own(processes, manager.loaded(), context.door, context.plan)
    if options.migrate:
        require_rights(context.door)
    with contextlib.ExitStack() as stack:
        if lock is None:
            lock = stack.enter_context(bench_lock(context.door.path, context.door.reader))
        session = Session(context, manager, _queue(context, processes, options), report)
        if lift_noted(context.door):
            session.say("note", "lifted a maintenance mode that an interrupted prodgen had left")
        _compile(session)
        try:
            if options.now:
                _all_at_once(session, processes)
            elif options.migrate:
                _with_migrations(session, processes, options, lock)
            else:
                _in_order(session, processes, options)
        except RedisUnavailable as away:
            session.fail(f"{away} any more, so the restart was not brought to its end")
    if not session.problems:
        session.say("done", f"{len(processes)} processes restarted")
    return Result(tuple(session.problems), session.touched)


def _queue(
    context: BenchContext, processes: Sequence[Process], options: RestartOptions
) -> RedisQueue | None:
    """A connection if workers are among the processes; DeployError if Redis is away."""
    if options.now or not any(one.service.takes_jobs for one in processes):
        return None
    if context.access is None:
        raise DeployError(
            "PG915",
            "it is not known where redis_queue is (no redis_queue, or Sentinel)",
            "set redis_queue in sites/common_site_config.json, or restart other parts only",
        )
    queue = RedisQueue(context.access)
    try:
        queue.suspension()
    except RedisUnavailable as away:
        raise DeployError(
            "PG916",
            f"{away}, so nothing is known of running jobs",
            "start Redis first; `--now` restarts everything without looking at jobs",
        ) from away
    return queue


def _compile(session: Session) -> None:
    """Bytecode of the apps, where the services cannot write it; a failure costs time only."""
    done = compile_apps(session.context.plan, session.context.door)
    if done is None:
        return
    if done.code == 0:
        session.say("compiled", "the apps' bytecode is up to date")
    else:
        session.say("note", f"not all bytecode could be made, so starts are slower: {done.reason}")


def _in_order(session: Session, processes: Sequence[Process], options: RestartOptions) -> None:
    clear_leftover(session)
    workers = [one for one in processes if one.role is Role.WORKER]
    if workers:
        _mind_orphans(session, end=options.end_orphans)
    if options.wait is not Wait.DRAIN:
        _each_part(session, processes, options)
        return
    with drained(session, workers, options.drain_seconds, options.force_kill) as may_go:
        if may_go:
            _each_part(session, processes, options)


def _with_migrations(
    session: Session, processes: Sequence[Process], options: RestartOptions, lock: int
) -> None:
    clear_leftover(session)
    _mind_orphans(session, end=options.end_orphans)
    limits = Limits(
        drain=options.drain_seconds, migrate=options.migrate_seconds, force_kill=options.force_kill
    )
    with migrated(session, processes, limits, lock) as done:
        if not done:
            return
        now = session.now([one.name for one in processes])
        if not _each_part(session, [now.get(one.name, one) for one in processes], options):
            session.say("note", f"all sites are migrated; {GO_ON}")


def _each_part(session: Session, processes: Sequence[Process], options: RestartOptions) -> bool:
    """Web, realtime, workers, scheduler, the rest; False where the web does not return, and then
    nothing more."""
    web = [one for one in processes if one.role is Role.WEB]
    workers = [one for one in processes if one.role is Role.WORKER]
    if web and not restart_web.restart_web(session, web):
        session.say("note", "nothing else was restarted, since the new code does not run")
        return False
    restart_web.restart_realtime(session, [one for one in processes if one.role is Role.REALTIME])
    if workers and session.queue:
        pool = Workers(session, session.queue, workers, options.force_kill)
        pool.restart(wait=options.wait is not Wait.NONE)
    _plainly(session, [one for one in processes if one.role in (Role.SCHEDULER, Role.OTHER)])
    _await_all(
        session, [one for one in processes if one.role in (Role.WEB, Role.REALTIME)], quietly=True
    )
    return True


def _mind_orphans(session: Session, *, end: bool) -> None:
    """Names the work-horses that outlived their worker, and ends them where that is wished for."""
    managed = [one.pid for one in session.manager.look()]
    known = {row.pid for row in session.workers() if row.host == session.host}
    for orphan in find_orphans(session.context.door, managed, known):
        text = f"process {orphan.pid} of {orphan.queues or 'a worker'} goes on without its worker"
        if end:
            kill_tree(orphan.pid, session.whose)
            session.say("note", f"{text}: ended", pid=orphan.pid)
        else:
            session.say("note", f"{text}; --end-orphans ends it", pid=orphan.pid)


def _plainly(session: Session, processes: Sequence[Process]) -> None:
    """Restarts processes that nothing waits for."""
    for one in processes:
        session.say("restarting", f"{one.short} restarts", one.name, **as_data(one))
        session.touched = True
        try:
            session.manager.restart([one.name], one.service.stop.value.seconds + STOP_SLACK)
        except TimedOut as late:
            session.fail(str(late), one.name)
    _await_all(session, processes)


def _await_all(session: Session, processes: Sequence[Process], *, quietly: bool = False) -> None:
    """Waits until their manager calls them up."""
    if not processes:
        return
    late = await_up(session, [one.name for one in processes], UP_SECONDS)
    for one in processes:
        if one.name in late:
            found = session.now([one.name]).get(one.name, one)
            session.fail(f"{one.short} is not up: {found.word} {found.last_exit}".strip(), one.name)
        elif not quietly:
            session.say("ready", f"{one.short} is up", one.name)


def _all_at_once(session: Session, processes: Sequence[Process]) -> None:
    """Ends everything, by force where need be, and starts it again."""
    session.say("note", "everything restarts at once; jobs and requests that run are cut off")
    before = {one.name: one.pid for one in processes}
    session.touched = True
    workers = [one for one in processes if one.role is Role.WORKER and one.pid]
    # Stopped first: a worker that its manager starts again might not hear of the next signal,
    # since until its execve(2) it has its manager's handlers.
    session.manager.stop([one.name for one in workers])
    for one in workers:
        kill_tree(one.pid, session.whose)
    left = list(before)
    for _ in range(ROUNDS):
        try:
            session.manager.restart(left, HURRY)
            break
        except TimedOut:
            left = _kill_late(session, left, before)
    _await_all(session, processes)
    web = [one for one in processes if one.role is Role.WEB]
    if web and not session.problems:
        restart_web.await_sites(session, web)


def _kill_late(session: Session, names: Sequence[str], before: Mapping[str, int]) -> list[str]:
    """Kills those that have not ended; the names of all that have not been started anew."""
    late = [one for one in session.now(names).values() if one.pid in (0, before[one.name])]
    for one in late:
        if one.pid:
            session.say("killed", f"{one.short} did not end within {HURRY:.0f} s: killed")
            kill_tree(one.pid, session.whose)
    return [one.name for one in late]
