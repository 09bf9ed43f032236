"""`prodgen diff`: what would change, and what that does to what runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import Outcome, plan_bench, render_targets, use_templates
from prodgen.app.reports.text import show
from prodgen.app.review import (
    Sides,
    Stopped,
    read_artifacts,
    unreadable,
    with_config,
)
from prodgen.app.saved_review import write_review
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import (
    TARGET_NAMES,
    NamedChoice,
    colors_messages,
    environment_names,
    format_option,
    locked_option,
    report_options,
    settings_option,
    templates_option,
)
from prodgen.cli.core.print_review import print_review
from prodgen.cli.core.report import has_failed
from prodgen.plan.core.model import Plan
from prodgen.review.core.file_sets import side_of
from prodgen.review.report.reporters import REPORTERS
from prodgen.targets.core.file_set import Side
from prodgen.targets.registry import target_names, with_companions

if TYPE_CHECKING:
    from prodgen.host.door import Door


class DiffOptions(NamedTuple):
    """What the options ask for."""

    bench: Selection
    templates: Path | None
    environments: tuple[str, ...]
    names: tuple[str, ...]
    locked: bool
    strict: bool
    quiet: bool
    color: str

    def rendered(self, environment: str | None) -> tuple[Outcome, Side]:
        """The bench's artifacts in one environment; raises Stopped where it has errors."""
        chosen = Selection(self.bench.folder, environment, self.bench.settings)
        outcome = plan_bench(chosen, locked=self.locked, programs={"nginx", "systemd"})
        use_templates(outcome, self.templates)
        artifacts = []
        if outcome.plan is not None:
            names = with_companions(target_names(self.names, outcome.plan.manager.value))
            artifacts = render_targets(outcome, names)
        if has_failed(outcome, strict=self.strict, quiet=self.quiet, color=self.color):
            raise Stopped
        return outcome, side_of(artifacts)


@click.command("diff")
@click.argument("rendered", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@settings_option
@click.option(
    "--env",
    "environments",
    multiple=True,
    shell_complete=environment_names,
    metavar="NAME",
    help="One of the environments in prodgen.yaml; two are compared with each other.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Compare with this folder or archive of `render -o`, not with what is installed.",
)
@click.option(
    "-t",
    "--target",
    "names",
    type=NamedChoice(TARGET_NAMES),
    metavar="NAME",
    multiple=True,
    default=("all",),
    help="What to compare; may be given several times. Default: all.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("/"),
    metavar="DIR",
    help="The root of the host whose installed files are compared. Default: /.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the review, for `prodgen apply --reviewed FILE`.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if anything would change.")
@templates_option
@locked_option
@format_option(
    "Text, one JSON object, a comment for a pull request, or annotations of GitHub Actions.",
    REPORTERS,
)
@report_options
def command(
    *,
    rendered: Path | None,
    bench: Selection,
    environments: tuple[str, ...],
    against: Path | None,
    names: tuple[str, ...],
    root: Path,
    output: Path | None,
    detailed_exitcode: bool,
    templates: Path | None,
    locked: bool,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Show what would change on this host, and what that restarts.

    Compares the bench's config, or the folder or archive PATH that `render -o`
    made, with what is installed. First the lines that differ, then what happens
    to each process, unit and server, why, and how long it may take.
    """
    targets = () if names == ("all",) else names
    of_bench = {"--env": environments, "--templates": templates, "--target": targets}
    _check_usage(rendered, environments, against, of_bench, root)
    wanted = DiffOptions(bench, templates, environments, names, locked, strict, quiet, color)
    try:
        sides = _sides(wanted, rendered, against, root)
        if output:
            write_review(output, sides)
    except Stopped as refused:
        show(refused.found, color=colors_messages(color))
        return Exit.ERROR
    changed = print_review(sides, form, color)
    return Exit.PENDING if changed and detailed_exitcode else Exit.DONE


def _check_usage(
    rendered: Path | None,
    environments: tuple[str, ...],
    against: Path | None,
    of_bench: Mapping[str, object],
    root: Path,
) -> None:
    """`of_bench` are options that say how a bench is rendered."""
    if len(environments) > 2:
        raise click.UsageError("--env takes two names at most: the old and the new one")
    if len(environments) == 2 and (against or rendered):
        raise click.UsageError("two --env are compared with each other, with nothing else")
    if root != Path("/") and (against or len(environments) == 2):
        raise click.UsageError("--root is where installed files lie, and none are compared here")
    for option, given in of_bench.items():
        if rendered and given:
            raise click.UsageError(f"{rendered} is rendered already: {option} goes with a bench")


def _sides(wanted: DiffOptions, rendered: Path | None, against: Path | None, root: Path) -> Sides:
    if len(wanted.environments) == 2:
        first, second = wanted.environments
        _, old = wanted.rendered(first)
        outcome, new = wanted.rendered(second)
        title = f"{_name(outcome.plan)}: {first} to {second}"
        return Sides(old, new, outcome.plan, title=title, folder=outcome.folder)
    plan, door, folder = None, None, ""
    if rendered:
        made = read_artifacts(rendered)
        new, title = side_of(made.artifacts), made.bench
    else:
        outcome, new = wanted.rendered(next(iter(wanted.environments), None))
        plan, door, folder = outcome.plan, outcome.door, outcome.folder
        title = _name(plan)
    if against:
        old = side_of(read_artifacts(against).artifacts)
        return Sides(old, new, plan, title=title, folder=folder)
    return _installed(root, new, plan, door, title)._replace(folder=folder)


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
