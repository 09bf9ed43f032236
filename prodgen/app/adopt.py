"""What `adopt` takes over from bench or from somebody, and how it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from prodgen.app.apply import Report, find_broken_sites
from prodgen.app.complete_output import texts_of
from prodgen.app.pipeline import PlanResult
from prodgen.app.review import Comparison, Stopped, with_config
from prodgen.app.running_bench import context_from
from prodgen.deploy.apply.apply import HOST, Job, apply
from prodgen.deploy.apply.apply import Outcome as Ended
from prodgen.deploy.apply.installed import look, state_folder
from prodgen.deploy.apply.takeover import Takeover, plan_takeover, with_live_spares, with_room
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import Door
from prodgen.plan.core.model import Manager, Plan
from prodgen.review.adopt.core.model import Disposition
from prodgen.review.core.file_sets import file_set_of
from prodgen.targets.core.artifacts import Artifact


class PreparedAdoption(NamedTuple):
    """An adoption that is ready to be shown and done."""

    comparison: Comparison
    takeover: Takeover
    artifacts: Sequence[Artifact]


def prepare_adoption(
    planned: PlanResult, plan: Plan, artifacts: Sequence[Artifact], supervisor_config: Path | None
) -> PreparedAdoption:
    """Compare the artifacts with what somebody else has installed for the bench.

    Raises Stopped if the bench is set up in a way that cannot be taken over, and OSError.
    """
    new, state = file_set_of(artifacts), state_folder(plan)
    owned = {one.destination for one in look(HOST, state, {}).listed}
    found = plan_takeover(plan, new, owned, HOST)
    _check(plan, found)
    found = with_live_spares(plan, found, supervisor_config)
    wanted = [*artifacts, *found.own]
    comparison = _sides(plan, planned.door, wanted, found, supervisor_config)
    return PreparedAdoption(comparison, found, wanted)


def require_all_kept(found: Takeover) -> None:
    """Raises Stopped if a setting of what is installed would not be kept."""
    left = found.adoption.of(Disposition.OPEN)
    if left:
        raise Stopped(not_kept(len(left)))


def run_adoption(
    planned: PlanResult,
    plan: Plan,
    prepared: PreparedAdoption,
    supervisor_config: Path | None,
    report: Report,
) -> Ended:
    """Put prodgen's files in the place of the others. Raises DeployError and OSError."""
    found = prepared.takeover
    job = Job(
        context_from(planned),
        prepared.artifacts,
        Path(state_folder(plan)),
        report,
        supervisor_config=supervisor_config,
        broken_sites=find_broken_sites(planned),
        replaces=found.theirs,
        spares=found.spares,
        inputs=texts_of(planned),
    )
    with with_room(found.own):
        return apply(job)


def _check(plan: Plan, found: Takeover) -> None:
    """Raises Stopped where the bench is set up in a way that cannot be taken over."""
    by = {
        manager: [str(path) for path, one in found.theirs.items() if one.target == manager.value]
        for manager in Manager
    }
    wanted = plan.manager.value
    other = next((one for one in Manager if one is not wanted and by[one]), None)
    if other and by[wanted]:
        raise Stopped(in_both({one: by[one] for one in (wanted, other)}))
    if other:
        raise Stopped(under_another(other, wanted, by[other]))
    if plan.is_of_user and by[Manager.SYSTEMD]:
        raise Stopped(of_the_system(by[Manager.SYSTEMD]))


def named(paths: Sequence[str]) -> str:
    """A few files by name."""
    rest = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return f"{', '.join(paths[:2])}{rest}"


def in_both(files: Mapping[Manager, Sequence[str]]) -> Diagnostic:
    """Both managers have the bench, and only one can run it."""
    titles = [one.title for one in Manager if one in files]
    return error(
        "PG813",
        f"{' and '.join(titles)} both have this bench: {'; '.join(map(named, files.values()))}",
        None,
        "remove the files of the one that does not run it, and adopt again",
    )


def under_another(manager: Manager, wanted: Manager, paths: Sequence[str]) -> Diagnostic:
    """The manager that runs the bench is not the one that shall."""
    return error(
        "PG813",
        f"{manager.title} runs this bench, not {wanted.title}: {named(paths)}",
        None,
        f"adopt it with `manager: {manager.value}` in prodgen.yaml; "
        "a `prodgen apply` switches afterwards",
    )


def of_the_system(paths: Sequence[str]) -> Diagnostic:
    """The units are root's, and shall be the user's."""
    return error(
        "PG813",
        f"the machine's systemd runs this bench, not its user's: {named(paths)}",
        None,
        "adopt it with `systemd: {scope: system}` in prodgen.yaml",
    )


def not_kept(count: int) -> Diagnostic:
    """What nobody was asked about."""
    return error(
        "PG812",
        f"{count} settings of what is installed would not be kept",
        None,
        "set them as listed above, or add --leave-out",
    )


def _sides(
    plan: Plan,
    door: Door,
    wanted: Sequence[Artifact],
    found: Takeover,
    supervisor_config: Path | None,
) -> Comparison:
    new = file_set_of(wanted)
    concerned = {path: one.target for path, one in {**found.theirs, **new}.items()}
    installed = look(HOST, state_folder(plan), concerned)
    drift = tuple(one for one in installed.drift if one.path not in found.theirs)
    comparison = Comparison(installed.side, new, plan, drift, plan.bench_name.value)
    comparison = comparison._replace(spares=found.spares)
    return with_config(comparison, plan, door, supervisor_config=supervisor_config)
