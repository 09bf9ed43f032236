"""How a bench is doing: processes, queues, jobs. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.jobs.orphans import Orphan, find_orphans
from prodgen.deploy.jobs.suspension import is_leftover
from prodgen.deploy.managers.core.base import Process, ProcessManager, State
from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.queue import rq
from prodgen.deploy.queue.redis_client import RedisQueue, RedisUnavailable
from prodgen.deploy.restart.maintenance_mode import LEFT_ON, WAY_OUT, is_left_on
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.events import Busy, Event, Waiting
from prodgen.deploy.session.session import Session
from prodgen.deploy.system import procfs
from prodgen.host.door import read_named
from prodgen.plan.core.model import GUNICORN_SETTINGS, Plan, Role

Loaded = Mapping[str, object]
"""What a manager has read of one process's config."""


@dataclass(frozen=True, slots=True)
class Row:
    """One service: its processes, and what they use together."""

    name: str
    role: Role
    processes: tuple[Process, ...]
    since: float | None
    """When the youngest of them was started, in seconds since the epoch."""
    memory: int
    """Bytes."""
    stale: str
    """What of its configuration is newer than a process; empty where all is as installed."""

    @property
    def up(self) -> int:
        return sum(one.state is State.UP for one in self.processes)

    @property
    def is_well(self) -> bool:
        return self.up == len(self.processes)

    @property
    def word(self) -> str:
        """The state in a word or two."""
        words = list(dict.fromkeys(one.word for one in self.processes))
        return words[0] if len(words) == 1 else f"{self.up} of {len(self.processes)} up"

    @property
    def last_exit(self) -> str:
        found = [one.last_exit for one in self.processes if one.last_exit]
        return found[0] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All that is known of a bench at one moment."""

    rows: tuple[Row, ...]
    queues: dict[str, int] | None = None
    """Jobs that wait, by queue; None where Redis did not say."""
    jobs: tuple[Busy, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    notes: tuple[str, ...] = field(default=())


def look(context: BenchContext, manager: ProcessManager) -> Status:
    """The status now. Raises DeployError where the manager cannot be asked."""
    processes = manager.look()
    every = procfs.everyone()
    loaded = manager.loaded()
    rows = [
        _row(context.plan, [one for one in processes if one.service is service], every, loaded)
        for service in {id(one.service): one.service for one in processes}.values()
    ]
    notes = [f"{LEFT_ON}; `{WAY_OUT}` ends that"] if is_left_on(context.door) else []
    queues, jobs, workers = _jobs(context, manager, processes, notes)
    orphans = find_orphans(context.door, [one.pid for one in processes], workers)
    return Status(
        rows=tuple(rows), queues=queues, jobs=jobs, orphans=tuple(orphans), notes=tuple(notes)
    )


def _row(
    plan: Plan,
    processes: Sequence[Process],
    every: Sequence[procfs.Stat],
    loaded: Mapping[str, Loaded],
) -> Row:
    service = processes[0].service
    pids = [one.pid for one in processes if one.pid]
    trees = [pid for root in pids for pid in (root, *procfs.descendants(root, every))]
    started = [found for pid in pids if (found := procfs.started_at(pid))]
    since = max(started) if started else None
    stale = next((one.stale for one in processes if one.stale), "")
    return Row(
        service.name.value,
        service.role.value,
        tuple(processes),
        since,
        procfs.memory(trees),
        stale or _older_than(plan, processes, min(started, default=None), loaded),
    )


def _older_than(
    plan: Plan, processes: Sequence[Process], since: float | None, loaded: Mapping[str, Loaded]
) -> str:
    """The first file that has something else for the processes than they were started with."""
    own, *others = config_files(plan, processes[0])
    if newer_than([own], since) and not _run_as(plan, own, processes, loaded):
        return own.name
    return newer_than(others, since)


def _run_as(
    plan: Plan, file: PurePosixPath, processes: Sequence[Process], loaded: Mapping[str, Loaded]
) -> bool:
    """Whether they run by the file, though it is newer."""
    if not loaded:
        return False
    try:
        text = read_named(Path(file)).decode()
    except (OSError, ValueError):
        return False
    backend = backend_of(plan.manager.value)
    return all(backend.runs_as_installed(one, loaded.get(one.name, {}), text) for one in processes)


def config_files(plan: Plan, one: Process) -> list[PurePosixPath]:
    """The installed files that a process was started by."""
    found = [backend_of(plan.manager.value).config_file(plan, one.service)]
    if one.service.gunicorn:
        found.append(plan.config_folder.value / GUNICORN_SETTINGS)
    if one.service.env_file:
        found.append(one.service.env_file.value)
    return found


def newer_than(files: Sequence[PurePosixPath], since: float | None) -> str:
    """The first of these files that was changed after `since`; empty where none was."""
    for file in files if since is not None else ():
        try:
            changed = Path(file).stat().st_mtime
        except OSError:
            continue
        if since is not None and changed > since:
            return file.name
    return ""


def _jobs(
    context: BenchContext, manager: ProcessManager, processes: Sequence[Process], notes: list[str]
) -> tuple[dict[str, int] | None, tuple[Busy, ...], set[int]]:
    """Queue lengths, running jobs, and the pids of this bench's workers by Redis."""
    if context.access is None:
        notes.append("queues: it is not known where redis_queue is")
        return None, (), set()
    try:
        queue = RedisQueue(context.access)
        session = Session(context, manager, queue, _ignore)
        workers = session.workers(patience=0)
        busy = [*session.busy(processes), *session.strangers(processes)]
        names = {rq.redis_name(name, context.bench_id): name for name in context.queue_names}
        lengths = queue.lengths(list(names))
        value, left = queue.suspension()
    except (RedisUnavailable, DeployError) as trouble:
        notes.append(f"queues: {trouble}")
        return None, (), set()
    if value:
        who = "by an interrupted prodgen, " if is_leftover(value) else ""
        notes.append(f"workers are suspended {who}{_left(left)}")
    waiting = {names[name]: count for name, count in lengths.items()}
    return waiting, tuple(busy), {worker.pid for worker in workers if worker.host == session.host}


def _left(seconds: int) -> str:
    return f"for {seconds} s more" if seconds >= 0 else "until somebody runs `rq resume`"


def _ignore(event: Event | Waiting) -> None:
    """Nobody listens."""
