"""`prodgen adopt`: takes over a bench that `bench setup production` or somebody has set up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from prodgen.cli import apply as applying
from prodgen.cli.bench import refusal, subject_from, supervisor_option
from prodgen.cli.delivery import make_complete
from prodgen.cli.events import reporter
from prodgen.cli.exits import Exit
from prodgen.cli.messages import say, show
from prodgen.cli.options import (
    Selection,
    bench_option,
    format_option,
    report_options,
    wants_color,
)
from prodgen.cli.pipeline import Outcome, plan_bench, render_targets
from prodgen.cli.report import has_failed
from prodgen.cli.reviewing import Sides, Stopped, print_review, with_config
from prodgen.deploy.adopt import (
    Takeover,
    foreign_units,
    make_room,
    plan_takeover,
    with_live_spares,
)
from prodgen.deploy.apply import HOST, Job, apply
from prodgen.deploy.installed import look, state_folder
from prodgen.deploy.managed import Refused
from prodgen.diagnostics import Diagnostic, error
from prodgen.plan.model import Manager, Plan
from prodgen.review.adopted import Entry, Lot
from prodgen.review.masking import Mask
from prodgen.review.sides import side_of
from prodgen.targets.artifacts import Artifact
from prodgen.targets.registry import target_names, with_companions

SHOWN = (Lot.MOVED, Lot.OPEN)
"""What is told in full; of the rest the numbers."""


@click.command("adopt")
@bench_option
@click.option("--leave-out", is_flag=True, help="Go on though some settings are not kept.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@supervisor_option
@format_option("Lines to read, or one JSON object for each event.")
@report_options
def command(
    *,
    bench: Selection,
    leave_out: bool,
    dry_run: bool,
    yes: bool,
    supervisor_config: Path | None,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Take over a bench that `bench setup production` has set up.

    Finds what Supervisor and nginx have for this bench, shows what becomes of
    each setting, and asks. Your additions move into files of your own that
    prodgen's config includes; what cannot move is listed with the setting that
    keeps it. `prodgen apply --rollback` brings back what was there.
    """
    wishes = applying.Wishes(
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
    outcome = plan_bench(bench, locked=False, programs={"nginx", "systemd"})
    try:
        plan = outcome.plan
        artifacts = _artifacts(outcome, plan) if plan else []
        if has_failed(outcome, strict=strict, quiet=True, color=color) or not plan:
            return Exit.ERROR
        return _run(plan, outcome, artifacts, wishes, Extra(leave_out, quiet))
    except Stopped as stopped:
        show(stopped.found, color=wants_color(color))
    except Refused as refused:
        show([refusal(refused)], color=wants_color(color))
    except OSError as failure:
        show([applying.failure_of(failure)], color=wants_color(color))
    return Exit.ERROR


def _artifacts(outcome: Outcome, plan: Plan) -> list[Artifact]:
    names = with_companions(target_names(("all",), plan.manager.value))
    return make_complete(render_targets(outcome, names), outcome)


class Extra(NamedTuple):
    """What is asked of an adoption alone."""

    leave_out: bool
    quiet: bool


def _run(
    plan: Plan,
    outcome: Outcome,
    artifacts: Sequence[Artifact],
    wishes: applying.Wishes,
    extra: Extra,
) -> int:
    new, state = side_of(artifacts), state_folder(plan)
    owned = {one.destination for one in look(HOST, state, {}).listed}
    units = foreign_units(plan, owned, HOST)
    found = with_live_spares(plan_takeover(plan, new, owned, HOST), wishes.supervisor_config)
    _check(plan, found, [str(one) for one in units])
    if not found.theirs:
        say("prodgen: nobody else has installed anything for this bench: `prodgen apply`\n")
        return Exit.DONE
    _tell(found)
    wanted = [*artifacts, *found.own]
    sides = _sides(plan, wanted, found)
    print_review(sides, "impact", wishes.color, to_stderr=True)
    if wishes.dry_run:
        return Exit.DONE
    left = found.adoption.of(Lot.OPEN)
    if left and not extra.leave_out and wishes.yes:
        raise Stopped(not_kept(len(left)))
    if not wishes.yes and not applying.agreed():
        say("prodgen: nothing was changed\n")
        return Exit.ERROR
    make_room(found.own)
    job = Job(
        subject_from(outcome),
        wanted,
        Path(state),
        reporter(wishes.form, quiet=extra.quiet, color=wants_color(wishes.color)),
        supervisor_config=wishes.supervisor_config,
        broken_sites=applying.find_broken_sites(outcome),
        replaces=found.theirs,
        spares=found.spares,
    )
    return applying.said(apply(job), plan, wishes)


def _check(plan: Plan, found: Takeover, units: Sequence[str]) -> None:
    """Raises Stopped where the bench is set up in a way that cannot be taken over."""
    if units:
        raise Stopped(not_ours(units))
    programs = any(one.target == "supervisor" for one in found.theirs.values())
    if programs and plan.manager.value is not Manager.SUPERVISOR:
        raise Stopped(
            error(
                "PG813",
                "Supervisor runs this bench, and prodgen.yaml wants systemd",
                None,
                "adopt it with `manager: supervisor`; a `prodgen apply` switches afterwards",
            )
        )


def not_ours(units: Sequence[str]) -> Diagnostic:
    """Units of the bench that somebody else has made."""
    return error(
        "PG813",
        f"systemd runs this bench by units that are not prodgen's: {', '.join(units[:3])}",
        None,
        "stop, disable and remove them; then `prodgen apply`",
    )


def not_kept(count: int) -> Diagnostic:
    """What nobody was asked about."""
    return error(
        "PG812",
        f"{count} settings of what is installed would not be kept",
        None,
        "set them as listed above, or add --leave-out",
    )


def _sides(plan: Plan, wanted: Sequence[Artifact], found: Takeover) -> Sides:
    new = side_of(wanted)
    concerned = {path: one.target for path, one in {**found.theirs, **new}.items()}
    installed = look(HOST, state_folder(plan), concerned)
    drift = tuple(one for one in installed.drift if one.path not in found.theirs)
    sides = Sides(installed.side, new, plan, drift, plan.bench_name.value)
    return with_config(sides._replace(spares=found.spares), plan)


def _tell(found: Takeover) -> None:
    """What is taken over, and what becomes of each setting."""
    mask = Mask()
    say("Installed for this bench, and not by prodgen:\n")
    for path in sorted(found.theirs):
        say(f"  {path}\n")
    for lot in Lot:
        entries = found.adoption.of(lot)
        if not entries:
            continue
        count = sum(one.settings for one in entries)
        say(f"\n{count} settings are {lot.value}\n" if lot not in SHOWN else f"\n{lot.value}:\n")
        for line in _lines(entries) if lot in SHOWN else _differences(entries):
            say(f"  {mask(line)}\n")
    say("\n")


def _differences(entries: Sequence[Entry]) -> Iterator[str]:
    """What ours does otherwise than bench, each once."""
    pairs = ((one.text, one.note) for one in entries if one.note.startswith("ours: "))
    for text, note in dict.fromkeys(pairs):
        if not text.startswith("["):
            yield f"{text} -> {note}"


def _lines(entries: Sequence[Entry]) -> Iterator[str]:
    subject = ""
    for one in entries:
        if one.subject != subject:
            subject = one.subject
            yield subject
        yield f"  {one.text}"
        if one.note:
            yield f"      -> {one.note}"
