"""What `diff` compares: a bench, two of its environments, or outputs, with what is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from prodgen.app.bench_selection import Selection
from prodgen.app.complete_output import made_from_now
from prodgen.app.pipeline import Outcome, plan_bench, render_targets, use_templates
from prodgen.app.review import Sides, Stopped, read_artifacts, unreadable, with_config
from prodgen.plan.core.model import Plan
from prodgen.review.changes.change_source import MadeFrom, change_source, made_from
from prodgen.review.core.file_sets import side_of
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.file_set import Side
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


Judge = Callable[[Outcome], bool]
"""Whether what was found in a bench stands in the way; it may print it."""


def compare(options: DiffOptions, judge: Judge) -> Sides:
    """The old and the new files. Raises Stopped if there is nothing to compare."""
    if len(options.environments) == 2:
        return _two_environments(options, judge)
    new = _new_side(options, judge)
    if options.against:
        before = read_artifacts(options.against).artifacts
        sides = Sides(side_of(before), new.side, new.plan, title=new.title, folder=new.folder)
        return sides._replace(source=change_source(made_from_output(before), new.made))
    return _installed(options.root, new)._replace(folder=new.folder)


class _New(NamedTuple):
    """The files as they should be."""

    side: Side
    title: str
    made: MadeFrom | None
    plan: Plan | None = None
    door: Door | None = None
    folder: str = ""


def _new_side(options: DiffOptions, judge: Judge) -> _New:
    if options.rendered:
        output = read_artifacts(options.rendered)
        return _New(side_of(output.artifacts), output.bench, made_from_output(output.artifacts))
    outcome, artifacts = _rendered(options, next(iter(options.environments), None), judge)
    made = made_from_now(artifacts, outcome)
    title = _name(outcome.plan)
    return _New(side_of(artifacts), title, made, outcome.plan, outcome.door, outcome.folder)


def made_from_output(artifacts: Iterable[Artifact]) -> MadeFrom | None:
    """What the artifacts of an output were made from, as its manifest says."""
    return next((made_from(one.text) for one in artifacts if one.path == PATH), None)


def _two_environments(options: DiffOptions, judge: Judge) -> Sides:
    first, second = options.environments
    _, old = _rendered(options, first, judge)
    outcome, new = _rendered(options, second, judge)
    title = f"{_name(outcome.plan)}: {first} to {second}"
    return Sides(side_of(old), side_of(new), outcome.plan, title=title, folder=outcome.folder)


def _rendered(
    options: DiffOptions, environment: str | None, judge: Judge
) -> tuple[Outcome, list[Artifact]]:
    """The bench's artifacts in one environment; raises Stopped if it has errors."""
    chosen = Selection(options.bench.folder, environment, options.bench.settings)
    outcome = plan_bench(chosen, locked=options.locked, programs={"nginx", "systemd"})
    use_templates(outcome, options.templates)
    artifacts: list[Artifact] = []
    if outcome.plan is not None:
        names = with_companions(target_names(options.names, outcome.plan.manager.value))
        artifacts = render_targets(outcome, names)
    if judge(outcome):
        raise Stopped
    return outcome, artifacts


def _name(plan: Plan | None) -> str:
    return plan.bench_name.value if plan else ""


def _installed(root: Path, new: _New) -> Sides:
    from prodgen.deploy.apply.installed import look, state_folder, state_of
    from prodgen.deploy.core.errors import DeployError

    state = state_folder(new.plan) if new.plan else state_of(new.title, new.side)
    try:
        found = look(root, state, {path: one.target for path, one in new.side.items()})
    except DeployError as refused:
        raise Stopped(*refused.found) from refused
    except OSError as failure:
        raise Stopped(unreadable(failure)) from failure
    sides = Sides(found.side, new.side, new.plan, found.drift, new.title)
    sides = sides._replace(source=change_source(found.made, new.made))
    if new.plan and new.door and root == Path("/"):
        return with_config(sides, new.plan, new.door)
    return sides
