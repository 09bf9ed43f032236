"""What `diff` compares: a bench, two of its environments, or outputs, with what is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from prodgen.app.bench_selection import Selection
from prodgen.app.complete_output import made_from_now
from prodgen.app.pipeline import PlanResult, plan_bench, render_targets, use_templates
from prodgen.app.review import Comparison, Stopped, read_artifacts, unreadable, with_config
from prodgen.plan.core.model import Plan
from prodgen.review.changes.change_source import MadeFrom, change_source, made_from
from prodgen.review.core.file_sets import file_set_of
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.manifest import PATH
from prodgen.targets.registry import target_names, with_companions

if TYPE_CHECKING:
    from prodgen.host.door import Door


class DiffOptions(NamedTuple):
    """What is compared with what."""

    bench: Selection = Selection()
    environments: tuple[str, ...] = ()
    """None, one, or two that are compared with each other."""
    rendered: Path | None = None
    """An output of `render -o` in the place of the bench."""
    against: Path | None = None
    """An output of `render -o` in the place of what is installed."""
    root: Path = Path("/")
    """The root of the host on which the config is installed."""
    names: tuple[str, ...] = ("all",)
    """Targets."""
    templates: Path | None = None
    locked: bool = False


Judge = Callable[[PlanResult], bool]
"""Whether what was found in a bench stands in the way; it may print it."""


def compare(options: DiffOptions, judge: Judge) -> Comparison:
    """The old and the new files. Raises Stopped if there is nothing to compare."""
    if len(options.environments) == 2:
        return _two_environments(options, judge)
    new = _new_side(options, judge)
    if options.against:
        before = read_artifacts(options.against).artifacts
        comparison = Comparison(
            file_set_of(before), new.side, new.plan, title=new.title, folder=new.folder
        )
        return comparison._replace(source=change_source(made_from_output(before), new.made))
    return _installed(options.root, new)._replace(folder=new.folder)


class _New(NamedTuple):
    """The files as they should be."""

    side: FileSet
    title: str
    made: MadeFrom | None
    plan: Plan | None = None
    door: Door | None = None
    folder: str = ""


def _new_side(options: DiffOptions, judge: Judge) -> _New:
    if options.rendered:
        output = read_artifacts(options.rendered)
        return _New(file_set_of(output.artifacts), output.bench, made_from_output(output.artifacts))
    planned, artifacts = _rendered(options, next(iter(options.environments), None), judge)
    made = made_from_now(artifacts, planned)
    title = _name(planned.plan)
    return _New(file_set_of(artifacts), title, made, planned.plan, planned.door, planned.folder)


def made_from_output(artifacts: Iterable[Artifact]) -> MadeFrom | None:
    """What the artifacts of an output were made from, as its manifest says."""
    return next((made_from(one.text) for one in artifacts if one.path == PATH), None)


def _two_environments(options: DiffOptions, judge: Judge) -> Comparison:
    first, second = options.environments
    _, old = _rendered(options, first, judge)
    planned, new = _rendered(options, second, judge)
    title = f"{_name(planned.plan)}: {first} to {second}"
    return Comparison(
        file_set_of(old), file_set_of(new), planned.plan, title=title, folder=planned.folder
    )


def _rendered(
    options: DiffOptions, environment: str | None, judge: Judge
) -> tuple[PlanResult, list[Artifact]]:
    """The bench's artifacts in one environment; raises Stopped if it has errors."""
    chosen = Selection(options.bench.folder, environment, options.bench.settings)
    planned = plan_bench(chosen, locked=options.locked, programs={"nginx", "systemd"})
    use_templates(planned, options.templates)
    artifacts: list[Artifact] = []
    if planned.plan is not None:
        names = with_companions(target_names(options.names, planned.plan.manager.value))
        artifacts = render_targets(planned, names)
    if judge(planned):
        raise Stopped
    return planned, artifacts


def _name(plan: Plan | None) -> str:
    return plan.bench_name.value if plan else ""


def _installed(root: Path, new: _New) -> Comparison:
    from prodgen.deploy.apply.installed import look, state_folder, state_of
    from prodgen.deploy.core.errors import DeployError

    state = state_folder(new.plan) if new.plan else state_of(new.title, new.side)
    try:
        found = look(root, state, {path: one.target for path, one in new.side.items()})
    except DeployError as refused:
        raise Stopped(*refused.found) from refused
    except OSError as failure:
        raise Stopped(unreadable(failure)) from failure
    comparison = Comparison(found.side, new.side, new.plan, found.drift, new.title)
    comparison = comparison._replace(source=change_source(found.made, new.made))
    if new.plan and new.door and root == Path("/"):
        return with_config(comparison, new.plan, new.door)
    return comparison
