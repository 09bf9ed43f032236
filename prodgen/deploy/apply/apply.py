"""apply: the reviewed change and nothing else, or nothing at all.

Lock; end or undo what an earlier run left; stage beside the live files; try the staged config;
note in the journal what is about to happen; replace; tell what runs; look whether it is healthy;
keep what was installed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path, PurePosixPath

from prodgen.deploy.apply import bench_setup, boot_guard, journal
from prodgen.deploy.apply.activate import activate, forget_removed
from prodgen.deploy.apply.health import look_after
from prodgen.deploy.apply.history import (
    DRAFT,
    FOLDER,
    draft_generation,
    keep_generation,
    keep_replaced,
)
from prodgen.deploy.apply.installed import Installed, at, look
from prodgen.deploy.apply.journal import Journal, KeyChange, Phase, Place
from prodgen.deploy.apply.preflight import Change, refusals_of
from prodgen.deploy.apply.recovery import settle, sides_of, sweep
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.registry import manager_of
from prodgen.deploy.privilege.admission import require_admission
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.events import Event, Report
from prodgen.deploy.session.session import bench_lock
from prodgen.deploy.system.atomic_write import plain_umask
from prodgen.diagnostics import Diagnostic, error
from prodgen.plan.core.model import Manager, Plan
from prodgen.provenance import Sourced
from prodgen.review.changes.drift import FOREIGN, Drift
from prodgen.review.changes.site_config_edit import Value
from prodgen.review.core.file_sets import file_set_of
from prodgen.review.impact.impact import impact, running, spared
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.file_set import FileSet

HOST = Path("/")


class End(Enum):
    """How an apply ended."""

    UNCHANGED = "unchanged"
    """There was nothing to do, and nothing was done."""
    DONE = "done"
    REFUSED = "refused"
    """Nothing live was changed."""
    UNHEALTHY = "unhealthy"
    """The new config is in place, and something of it does not run."""


@dataclass(frozen=True)
class Outcome:
    """How it ended, and what is wrong."""

    end: End
    problems: tuple[str, ...] = ()
    """Of what is in place."""
    refusals: tuple[Diagnostic, ...] = ()
    """Why nothing was changed."""


@dataclass
class Job:
    """One apply: what shall be installed, for whom, and where it stands."""

    context: BenchContext
    artifacts: Sequence[Artifact]
    """With the manifest among them; without it the bench is no longer installed."""
    state: Path
    report: Report
    root: Path = HOST
    overwrite: bool = False
    supervisor_config: Path | None = None
    activates: bool = True
    """Whether what runs is told; not so below another root."""
    keys: Mapping[str, Value] | None = None
    """What the production keys shall be, for a rollback; else what production needs."""
    is_planned: bool = True
    """Whether the artifacts were made of the context's plan, and not before."""
    broken_sites: Sequence[str] = ()
    """Folders of sites that are left out, since their files are broken."""
    replaces: FileSet = field(default_factory=dict)
    """Files of others that it takes the place of, as they were reviewed."""
    spares: Collection[str] = ()
    """Groups of Supervisor, or units, that go on as they run."""
    restores: Collection[PurePosixPath] = ()
    """Places where an earlier apply found a file: a rollback may put it there again."""
    inputs: Mapping[str, str] | None = None
    """What the artifacts were made from, by the file's path in the bench, secrets masked."""
    lock: int | None = None
    """The bench's, while it is held."""

    @property
    def bench(self) -> str:
        return self.context.plan.bench_name.value

    @property
    def wanted(self) -> FileSet:
        """What shall be there."""
        return file_set_of(self.artifacts)

    def say(self, kind: str, text: str) -> None:
        self.report(Event(kind, text))


def apply(job: Job) -> Outcome:
    """Installs what the job wants. Raises OSError where the host cannot be read or written
    before anything live has changed; afterwards everything is put back first. Raises
    DeployError if another prodgen is at work on the bench."""
    _admit(job)
    with _held(job):
        return _apply(job)


def recover_interrupted(job: Job) -> None:
    """Undoes or ends what an interrupted run left, if one did. Raises as `apply` does."""
    if (job.state / journal.PENDING).is_dir() or boot_guard.is_set(job.bench):
        _admit(job)
        with _held(job):
            recover(job)


def _admit(job: Job) -> None:
    """Raises NotAdmitted where root may not act for the bench."""
    if job.root == HOST:
        require_admission(job.context.door, job.context.plan)


@contextlib.contextmanager
def _held(job: Job) -> Iterator[None]:
    """While it lasts, no other prodgen applies to the bench or restarts it; else DeployError."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(plain_umask())
        job.state.mkdir(parents=True, exist_ok=True)
        stack.enter_context(bench_lock(job.state))
        if job.activates:
            job.lock = stack.enter_context(
                bench_lock(job.context.door.path, job.context.door.reader)
            )
        yield


def _apply(job: Job) -> Outcome:
    recover(job)
    wanted = job.wanted
    concerned = {path: one.target for path, one in {**job.replaces, **wanted}.items()}
    installed = look(job.root, _state_path(job), concerned)
    drift = [one for one in installed.drift if not _is_reviewed(job, one)]
    if drift and not job.overwrite:
        return _drifted(drift)
    places = _places(job, installed, wanted)
    keys = wanted_keys(job)
    if not places and not keys:
        return Outcome(End.UNCHANGED)
    refusals = _refusals(job, installed, wanted, places)
    if refusals:
        return Outcome(End.REFUSED, refusals=tuple(refusals))
    return _carry_out(
        job,
        installed,
        wanted,
        places,
        bench_setup.key_change(job.context.plan, job.context.door, keys),
    )


def wanted_keys(job: Job) -> Mapping[str, Value]:
    """The production keys that have to change; none where no manager's config is installed."""
    plan = job.context.plan
    if job.keys is not None or not job.activates:
        return job.keys or {}
    managed = any(one.target == plan.manager.value.value for one in job.artifacts)
    if not managed:
        return {}
    return bench_setup.keys_to_set(plan, job.context.door, job.supervisor_config)


def _state_path(job: Job) -> PurePosixPath:
    return PurePosixPath("/") / job.state.relative_to(job.root)


def _is_reviewed(job: Job, one: Drift) -> bool:
    """Whether it is a file that the job replaces, and still as it was reviewed."""
    return one.path in job.replaces and job.replaces[one.path].text == one.found


def _drifted(drift: Iterable[Drift]) -> Outcome:
    return Outcome(End.REFUSED, refusals=tuple(map(not_left_so, drift)))


def not_left_so(one: Drift) -> Diagnostic:
    """The refusal to replace a file that is not as prodgen left it."""
    message, way_out = f"{one.path} {one.what}", "--overwrite replaces it, and keeps a copy"
    if one.what == FOREIGN:
        adopt = "`prodgen adopt` takes over what others have set up"
        return error("PG831", message, None, f"{adopt}; {way_out}")
    return error("PG830", message, None, f"see `prodgen diff`; {way_out}")


def _places(job: Job, installed: Installed, wanted: FileSet) -> list[Place]:
    """What has to change: new files, other bytes or modes, and what prodgen no longer wants."""
    found = []
    for path, new in sorted(wanted.items()):
        if installed.side.get(path) != new:
            content = new.text.encode()
            found.append(Place(at(job.root, path), new.target, content, new.mode))
    stale = {one.destination: (one.target, one.mode) for one in installed.listed}
    stale |= {path: (one.target, one.mode) for path, one in job.replaces.items()}
    return found + [
        Place(at(job.root, path), target, None, mode)
        for path, (target, mode) in stale.items()
        if path not in wanted and path in installed.side
    ]


def _refusals(
    job: Job, installed: Installed, wanted: FileSet, places: Sequence[Place]
) -> list[Diagnostic]:
    """What stands in the way; below another root nothing is tried."""
    if job.root != HOST:
        return []
    change = Change(
        job.context.plan,
        [one for one in job.artifacts if one.destination not in job.restores],
        places,
        installed.side,
        wanted,
        is_planned=job.is_planned,
        broken_sites=job.broken_sites,
    )
    found, notes = refusals_of(change, job.state)
    for note in notes:
        job.say("note", note)
    return found


def _carry_out(
    job: Job,
    installed: Installed,
    wanted: FileSet,
    places: Sequence[Place],
    keys: KeyChange | None,
) -> Outcome:
    moves = journal.moves_for(job.state, places)
    spares = tuple(sorted(job.spares))
    work = Journal(Phase.STAGING, tuple(moves), journal.boot_id(), keys, spares)
    try:
        journal.write_journal(job.state, work)
        draft_generation(job.state, job.artifacts, job.inputs)
        journal.stage(job.state, moves, places)
        keep_replaced(job.state, moves, job.root)
        if job.activates and not job.context.plan.is_of_user:  # root's boot is none of his
            boot_guard.set_guard(job.bench, job.state)
        journal.write_journal(job.state, work._replace(phase=Phase.REPLACING))
        journal.replace(moves)
        journal.write_journal(job.state, work._replace(phase=Phase.ACTIVATING))
    except BaseException:
        recover(job)
        raise
    job.say("replaced", f"files in place: {len(moves)}")
    return _activate(job, installed.side, wanted, work)


def _activate(job: Job, old: FileSet, new: FileSet, left: Journal) -> Outcome:
    effects = impact(old, new) if job.activates else []
    effects = spared(effects, left.spares)
    context = replace(job.context, plan=managed_plan(job.context.plan, new))
    wanted = frozenset(running(new))
    config = job.supervisor_config
    work = Activation(
        context,
        effects,
        job.report,
        lambda: manager_of(context.plan, config),
        config,
        wanted,
        job.lock,
    )
    try:
        if job.activates:
            bench_setup.prepare(work, left.keys, job.state / FOLDER / DRAFT)
        activate(work)
    except DeployError as refused:
        work.fail(f"{refused}{f': {refused.help}' if refused.help else ''}")
    look_after(work, wanted)
    try:
        journal.remove(left.moves)
        if job.activates:
            forget_removed(work, {move.target for move in left.moves if move.staged is None})
        keep_generation(job.state)
        journal.discard(job.state, left.moves)
        if job.activates:
            boot_guard.clear_guard(job.bench)
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        work.fail(f"{failure.filename}: {reason}; `prodgen apply` once more brings it to its end")
    return Outcome(End.UNHEALTHY if work.problems else End.DONE, work.problems)


def managed_plan(plan: Plan, side: FileSet) -> Plan:
    """The plan under the manager that the files are for: a rollback may go back to the other."""
    found = {one.target for one in side.values()}
    for manager in Manager:
        if manager.value in found and plan.manager.value.value not in found:
            return plan._replace(manager=Sourced(manager, plan.manager.origin))
    return plan


def recover(job: Job) -> None:
    """Undoes or ends what an interrupted run left. Raises OSError, DeployError."""
    left = journal.read_journal(job.state)
    if left is None:
        sweep(job.state)
        if job.activates:
            boot_guard.clear_guard(job.bench)
        return
    if left.phase is Phase.ACTIVATING and left.is_of_this_boot:
        job.say("recovered", "an apply that was interrupted is brought to its end")
        _activate(job, *sides_of(job.state, job.root, left.moves), left)
    else:
        job.say("recovered", settle(job.state, left))
