"""What `diff` compares: a bench, two of its environments, or outputs, with what is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import Outcome, plan_bench, render_targets, use_templates
from prodgen.app.review import Sides, Stopped, read_artifacts, unreadable, with_config
from prodgen.plan.core.model import Plan
from prodgen.review.core.file_sets import side_of
from prodgen.targets.core.file_set import Side
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
    plan, door, folder = None, None, ""
    new: Side
    if options.rendered:
        made = read_artifacts(options.rendered)
        new, title = side_of(made.artifacts), made.bench
    else:
        outcome, new = _rendered(options, next(iter(options.environments), None), judge)
        plan, door, folder = outcome.plan, outcome.door, outcome.folder
        title = _name(plan)
    if options.against:
        old = side_of(read_artifacts(options.against).artifacts)
        return Sides(old, new, plan, title=title, folder=folder)
    return _installed(options.root, new, plan, door, title)._replace(folder=folder)


def _two_environments(options: DiffOptions, judge: Judge) -> Sides:
    first, second = options.environments
    _, old = _rendered(options, first, judge)
    outcome, new = _rendered(options, second, judge)
    title = f"{_name(outcome.plan)}: {first} to {second}"
    return Sides(old, new, outcome.plan, title=title, folder=outcome.folder)


def _rendered(options: DiffOptions, environment: str | None, judge: Judge) -> tuple[Outcome, Side]:
    """The bench's artifacts in one environment; raises Stopped if it has errors."""
    chosen = Selection(options.bench.folder, environment, options.bench.settings)
    outcome = plan_bench(chosen, locked=options.locked, programs={"nginx", "systemd"})
    use_templates(outcome, options.templates)
    artifacts = []
    if outcome.plan is not None:
        names = with_companions(target_names(options.names, outcome.plan.manager.value))
        artifacts = render_targets(outcome, names)
    if judge(outcome):
        raise Stopped
    return outcome, side_of(artifacts)


def _name(plan: Plan | None) -> str:
    return plan.bench_name.value if plan else ""


def _installed(root: Path, new: Side, plan: Plan | None, door: Door | None, title: str) -> Sides:
    from prodgen.deploy.apply.installed import look, state_folder, state_of

    state = state_folder(plan) if plan else state_of(title, new)
    try:
        found = look(root, state, {path: one.target for path, one in new.items()})
    except OSError as failure:
        raise Stopped(unreadable(failure)) from failure
    sides = Sides(found.side, new, plan, found.drift, title)
    return with_config(sides, plan, door) if plan and door and root == Path("/") else sides
