"""Apply the config of a bench, of an output, or of the generation before."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen.app.complete_output import made_from_now, make_complete, texts_of
from prodgen.app.pipeline import PlanResult, render_targets
from prodgen.app.review import Comparison, Stopped, read_artifacts, with_config
from prodgen.app.running_bench import context_from
from prodgen.deploy.apply.apply import Job, apply, recover_interrupted
from prodgen.deploy.apply.apply import Outcome as Ended
from prodgen.deploy.apply.bench_setup import program
from prodgen.deploy.apply.history import (
    NothingToRollBack,
    created_files,
    former_artifacts,
    former_inputs,
    former_production_keys,
    replaced_files,
)
from prodgen.deploy.apply.installed import look, state_folder
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.session.events import Event, Waiting
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.trust import Danger, danger_below, danger_on_way
from prodgen.plan.core.model import Plan
from prodgen.review.changes.change_source import change_source
from prodgen.review.changes.site_config_edit import Value
from prodgen.review.core.file_sets import file_set_of
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.file_set import Placed
from prodgen.targets.registry import target_names, with_companions

Report = Callable[[Event | Waiting], None]
"""Takes the events of a run."""


class ApplyOptions(NamedTuple):
    """What shall be installed, and how."""

    names: tuple[str, ...] = ("all",)
    """Targets, unless `rendered` or `rollback` is set."""
    rendered: Path | None = None
    """A folder or archive that `render -o` made."""
    rollback: bool = False
    overwrite: bool = False
    supervisor_config: Path | None = None


class Prepared(NamedTuple):
    """A change that is ready to be shown and applied."""

    comparison: Comparison
    artifacts: Sequence[Artifact]
    keys: Mapping[str, Value] | None
    """Keys of common_site_config.json that a rollback sets; None: those that the plan needs."""
    replaces: Mapping[PurePosixPath, Placed]
    restores: Collection[PurePosixPath]
    inputs: Mapping[str, str] | None
    """What the artifacts were made from, if that is known."""
    is_planned: bool
    """Whether the files are made from the plan of the bench."""


def find_artifacts(planned: PlanResult, options: ApplyOptions) -> list[Artifact]:
    """The artifacts to install, with their manifest; none if the bench has errors.

    Raises Stopped if there is nothing that may be installed.
    """
    plan = planned.plan
    if plan is None:
        return []
    if options.rollback:
        return _former(Path(state_folder(plan)))
    if options.rendered:
        _require_trust(options.rendered)
        made = read_artifacts(options.rendered)
        if made.bench != plan.bench_name.value:
            raise Stopped(_other_bench(made.bench, plan.bench_name.value))
        return list(made.artifacts)
    names = with_companions(target_names(options.names, plan.manager.value))
    return make_complete(render_targets(planned, names), planned)


def recover_first(planned: PlanResult, supervisor_config: Path | None, report: Report) -> None:
    """End or undo what an interrupted apply left, before anything is compared."""
    if planned.plan is None:
        return
    state = Path(state_folder(planned.plan))
    recover_interrupted(
        Job(context_from(planned), [], state, report, supervisor_config=supervisor_config)
    )


def prepare(
    planned: PlanResult, plan: Plan, artifacts: Sequence[Artifact], options: ApplyOptions
) -> Prepared:
    """Compare the artifacts with what is installed. Raises OSError."""
    new = file_set_of(artifacts)
    state = state_folder(plan)
    made = created_files(Path(state)) if options.rollback else {}
    found = look(Path("/"), state, made | {path: one.target for path, one in new.items()})
    replaces = {path: found.side[path] for path in made if path in found.side}
    is_planned = not options.rollback and not options.rendered
    drift = tuple(one for one in found.drift if one.path not in replaces)
    comparison = Comparison(
        found.side, new, plan if is_planned else None, drift, plan.bench_name.value
    )
    if is_planned:
        source = change_source(found.made, made_from_now(artifacts, planned))
        comparison = comparison._replace(source=source)
    inputs = texts_of(planned) if is_planned else None
    if options.rollback:
        inputs = former_inputs(Path(state))
    keys = former_production_keys(Path(state)) if options.rollback else None
    comparison = with_config(comparison, plan, planned.door, keys, options.supervisor_config)
    restores = replaced_files(Path(state)) if options.rollback else ()
    return Prepared(comparison, artifacts, keys, replaces, restores, inputs, is_planned)


def run(
    planned: PlanResult, plan: Plan, prepared: Prepared, options: ApplyOptions, report: Report
) -> Ended:
    """Apply the prepared change, whole or not at all. Raises DeployError and OSError."""
    job = Job(
        context_from(planned),
        prepared.artifacts,
        Path(state_folder(plan)),
        report,
        overwrite=options.overwrite,
        supervisor_config=options.supervisor_config,
        keys=prepared.keys,
        is_planned=prepared.is_planned,
        broken_sites=find_broken_sites(planned),
        replaces=prepared.replaces,
        restores=prepared.restores,
        inputs=prepared.inputs,
    )
    return apply(job)


def find_broken_sites(planned: PlanResult) -> list[str]:
    """Folders of sites whose files have errors: they are in no plan."""
    if planned.files is None or planned.bench is None:
        return []
    read = {site.name for site in planned.bench.sites}
    return [one.name for one in planned.files.sites if one.name not in read]


def rollback_command(plan: Plan, supervisor_config: Path | None) -> str:
    """The command that undoes this apply, for a shell in any folder."""
    words = ["apply", "--rollback", "-C", str(plan.bench.value)]
    if supervisor_config:
        words += ["--supervisor-config", str(supervisor_config.absolute())]
    return f"{program()} {shlex.join(words)}"


def _former(state: Path) -> list[Artifact]:
    try:
        return former_artifacts(state)
    except NothingToRollBack as nothing:
        way_out = "install its config with `prodgen apply`; that can be taken back"
        raise Stopped(error("PG808", str(nothing), None, way_out)) from None


def _require_trust(path: Path) -> None:
    """As root: raises Stopped where somebody else could change what is about to be installed."""
    if os.geteuid() != 0 or not path.exists():
        return
    danger = danger_on_way(path.absolute()) or danger_below(path)
    if danger:
        raise Stopped(_not_roots(danger))


def _not_roots(danger: Danger) -> Diagnostic:
    return error(
        "PG809",
        str(danger),
        None,
        "copy it to a folder of root's, look at it there with `prodgen diff`, and apply that",
    )


def _other_bench(named: str, here: str) -> Diagnostic:
    return error(
        "PG804",
        f"it was rendered for the bench {named}, and this one is {here}",
        None,
        "name the bench with -C, or render it anew",
    )


def faults_of(failure: Stopped | DeployError | OSError) -> Sequence[Diagnostic]:
    """Why an apply or adopt did not begin, or was refused."""
    return [_failure_of(failure)] if isinstance(failure, OSError) else failure.found


def _failure_of(failure: OSError) -> Diagnostic:
    reason = (failure.strerror or str(failure)).lower()
    may = "run it with sudo" if failure.errno in (errno.EACCES, errno.EPERM) else "correct that"
    return error(
        "PG801",
        f"cannot apply: {failure.filename or ''}: {reason}",
        None,
        f"nothing was changed; {may}, and try again",
    )
