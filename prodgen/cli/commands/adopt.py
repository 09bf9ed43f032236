"""`prodgen adopt`: takes over a bench that bench itself, or somebody, has set up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import Outcome, plan_bench, render_targets
from prodgen.app.reports.text import show
from prodgen.app.review import Sides, Stopped, with_config
from prodgen.app.running_bench import admit, context_from
from prodgen.app.terminal.text import say
from prodgen.app.write_output import make_complete
from prodgen.cli.commands import apply as applying
from prodgen.cli.commands.hand_over import PROGRAMS, follow_up, hand_over_first
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.live_events import reporter
from prodgen.cli.core.options import (
    bench_option,
    colors_messages,
    format_option,
    report_options,
    supervisor_option,
)
from prodgen.cli.core.print_review import show_impact
from prodgen.cli.core.report import has_failed
from prodgen.deploy.apply.apply import HOST, End, Job, apply
from prodgen.deploy.apply.installed import look, state_folder
from prodgen.deploy.apply.takeover import Takeover, plan_takeover, with_live_spares, with_room
from prodgen.deploy.core.errors import DeployError
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import Door
from prodgen.plan.core.model import Manager, Plan
from prodgen.review.adopt.core.model import Lot
from prodgen.review.adopt.json import Shown, as_data
from prodgen.review.adopt.text import as_long_text, as_text
from prodgen.review.changes.change_set import make_review
from prodgen.review.core.file_sets import side_of
from prodgen.review.core.redact import Mask
from prodgen.review.report.labels import span
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.registry import target_names, with_companions


@click.command("adopt")
@bench_option
@click.option("--leave-out", is_flag=True, help="Go on though some settings are not kept.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-v", "--verbose", is_flag=True, help="Show every setting, not only the numbers.")
@supervisor_option
@format_option("Lines to read; or the review as a JSON object, and one for each event.")
@report_options
def command(
    *,
    bench: Selection,
    leave_out: bool,
    dry_run: bool,
    yes: bool,
    verbose: bool,
    supervisor_config: Path | None,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Take over a bench that bench itself, or somebody, has set up.

    Finds what Supervisor or systemd, and nginx, have for this bench, shows what
    becomes of each setting, and asks. Your additions move into files of your
    own that prodgen's config includes; what cannot move is listed with the
    setting that keeps it. `prodgen apply --rollback` brings back what was there.
    A bench that belongs to root is first given to the `user` of prodgen.yaml.
    """
    options = applying.ApplyOptions(
        names=("all",),
        rendered=None,
        rollback=False,
        review=None,
        overwrite=False,
        dry_run=dry_run,
        yes=yes,
        supervisor_config=supervisor_config,
        form=form,
        color=color,
    )
    outcome = plan_bench(bench, locked=False, programs=PROGRAMS)
    try:
        outcome = hand_over_first(outcome, bench, dry_run=dry_run, yes=yes)
        plan = outcome.plan
        admit(outcome, dry_run=dry_run)
        if plan and not dry_run:
            applying.recover_first(outcome, plan, options, quiet=quiet)
        artifacts = _artifacts(outcome, plan) if plan else []
        if has_failed(outcome, strict=strict, quiet=True, color=color) or not plan:
            return Exit.ERROR
        return _run(plan, outcome, artifacts, options, Extra(leave_out, verbose, quiet))
    except Stopped as stopped:
        show(stopped.found, color=colors_messages(color))
    except DeployError as refused:
        show(refused.found, color=colors_messages(color))
    except OSError as failure:
        show([applying.failure_of(failure)], color=colors_messages(color))
    return Exit.ERROR


def _artifacts(outcome: Outcome, plan: Plan) -> list[Artifact]:
    names = with_companions(target_names(("all",), plan.manager.value))
    return make_complete(render_targets(outcome, names), outcome)


class Extra(NamedTuple):
    """What is asked of an adoption alone."""

    leave_out: bool
    verbose: bool
    quiet: bool


def _run(
    plan: Plan,
    outcome: Outcome,
    artifacts: Sequence[Artifact],
    options: applying.ApplyOptions,
    extra: Extra,
) -> int:
    new, state = side_of(artifacts), state_folder(plan)
    owned = {one.destination for one in look(HOST, state, {}).listed}
    found = plan_takeover(plan, new, owned, HOST)
    _check(plan, found)
    found = with_live_spares(plan, found, options.supervisor_config)
    wanted = [*artifacts, *found.own]
    sides = _sides(plan, outcome.door, wanted, found, options.supervisor_config)
    _show(sides, plan, found, options, extra)
    if not found.theirs or options.dry_run:
        return Exit.DONE
    left = found.adoption.of(Lot.OPEN)
    if left and not extra.leave_out and options.yes:
        raise Stopped(not_kept(len(left)))
    if not options.yes and not applying.agreed():
        say("prodgen: nothing was changed\n")
        return Exit.ERROR
    job = Job(
        context_from(outcome),
        wanted,
        Path(state),
        reporter(options.form, quiet=extra.quiet, color=colors_messages(options.color)),
        supervisor_config=options.supervisor_config,
        broken_sites=applying.find_broken_sites(outcome),
        replaces=found.theirs,
        spares=found.spares,
    )
    with with_room(found.own):
        ended = apply(job)
    if found.ran_as_root and ended.end is not End.REFUSED:
        follow_up(outcome)
    return applying.said(ended, plan, options)


def _check(plan: Plan, found: Takeover) -> None:
    """Raises Stopped where the bench is set up in a way that cannot be taken over."""
    by = {
        manager: [str(path) for path, one in found.theirs.items() if one.target == manager.value]
        for manager in Manager
    }
    wanted = plan.manager.value
    other = next((one for one in Manager if one is not wanted and by[one]), None)
    if other and by[wanted]:
        raise Stopped(in_both(by[wanted], by[other]))
    if other:
        raise Stopped(under_another(other, wanted, by[other]))
    if plan.is_of_user and by[Manager.SYSTEMD]:
        raise Stopped(of_the_system(by[Manager.SYSTEMD]))


def named(paths: Sequence[str]) -> str:
    """A few files by name."""
    rest = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return f"{', '.join(paths[:2])}{rest}"


def in_both(first: Sequence[str], second: Sequence[str]) -> Diagnostic:
    """Both managers have the bench, and only one can run it."""
    return error(
        "PG813",
        f"Supervisor and systemd both have this bench: {named(first)}; {named(second)}",
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
) -> Sides:
    new = side_of(wanted)
    concerned = {path: one.target for path, one in {**found.theirs, **new}.items()}
    installed = look(HOST, state_folder(plan), concerned)
    drift = tuple(one for one in installed.drift if one.path not in found.theirs)
    sides = Sides(installed.side, new, plan, drift, plan.bench_name.value)
    sides = sides._replace(spares=found.spares)
    return with_config(sides, plan, door, supervisor_config=supervisor_config)


def _show(
    sides: Sides, plan: Plan, found: Takeover, options: applying.ApplyOptions, extra: Extra
) -> None:
    """What is taken over, what becomes of each setting, and what that does to what runs."""
    mask, gone = Mask(), sorted(str(path) for path in found.theirs)
    if options.form == "json":
        old = sides.old if gone else sides.new
        review = make_review(old, sides.new, plan, mask, spares=sides.spares)
        shown = Shown(plan.bench_name.value, found.found, gone, found.own, review)
        indent = 2 if options.dry_run else None
        click.echo(json.dumps(as_data(shown, mask), indent=indent, ensure_ascii=False))
    elif not gone:
        say("prodgen: nobody else has installed anything for this bench: `prodgen apply`\n")
    else:
        lines = (as_long_text if extra.verbose else as_text)(found.found, gone, mask)
        say("".join(f"{line}\n" for line in lines) + "\n")
        show_impact(sides, options.color)
        if any(one.target == "systemd" for one in found.theirs.values()):
            longest = max((one.stop.value.seconds for one in plan.services), default=0)
            say(f"A job that runs is finished first, which may take up to {span(longest)}.\n")
