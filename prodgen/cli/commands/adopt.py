"""`prodgen adopt`: takes over a bench that bench itself, or somebody, has set up."""

from __future__ import annotations

import json
from pathlib import Path

import click

from prodgen.app.adopt import (
    PreparedAdoption,
    prepare_adoption,
    require_all_kept,
    run_adoption,
)
from prodgen.app.apply import ApplyOptions, faults_of, find_artifacts, recover_first
from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.app.review import Stopped
from prodgen.app.running_bench import admit
from prodgen.app.terminal.text import write_stderr
from prodgen.cli.commands.apply import say_end
from prodgen.cli.commands.hand_over import PROGRAMS, follow_up, hand_over_first
from prodgen.cli.core.confirm import agreed
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.live_events import reporter, say_refusal
from prodgen.cli.core.options import (
    bench_option,
    colors_messages,
    format_option,
    report_options,
    supervisor_option,
)
from prodgen.cli.core.print_review import show_impact
from prodgen.cli.core.report import has_failed
from prodgen.deploy.apply.apply import End
from prodgen.deploy.core.errors import DeployError
from prodgen.plan.core.model import Plan
from prodgen.review.adopt.json import AdoptionReport, as_data
from prodgen.review.adopt.text import as_long_text, as_text
from prodgen.review.changes.change_set import make_review
from prodgen.review.core.redact import Mask
from prodgen.review.report.labels import span


@click.command("adopt")
@bench_option
@click.option("--leave-out", is_flag=True, help="Continue even if some settings are not kept.")
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
    """Take over a bench that was set up by bench itself or by hand.

    Finds what Supervisor or systemd, and nginx, have for this bench, shows what
    becomes of each setting, and asks. Your additions move into files of your
    own that prodgen's config includes; what cannot move is listed with the
    setting that keeps it. `prodgen apply --rollback` brings back what was there.
    A bench that belongs to root is first given to the `user` of prodgen.yaml.
    """
    # a review is one JSON document: only what follows it is a line for each event
    report = reporter("text" if dry_run else form, quiet=quiet, color=colors_messages(color))
    planned = plan_bench(bench, locked=False, programs=PROGRAMS)
    try:
        planned = hand_over_first(planned, bench, dry_run=dry_run, yes=yes)
        plan = planned.plan
        admit(planned, dry_run=dry_run)
        if not dry_run:
            recover_first(planned, supervisor_config, report)
        artifacts = find_artifacts(planned, ApplyOptions())
        if has_failed(planned, strict=strict, quiet=True, color=color) or not plan:
            return Exit.ERROR
        prepared = prepare_adoption(planned, plan, artifacts, supervisor_config)
        found = prepared.takeover
        if form == "json":
            _print_json(prepared, plan, indent=2 if dry_run else None)
        else:
            _show(prepared, plan, color, verbose=verbose)
        if not found.theirs or dry_run:
            return Exit.DONE
        if yes and not leave_out:
            require_all_kept(found)
        if not yes and not agreed("Apply this?"):
            return Exit.ERROR
        ended = run_adoption(planned, plan, prepared, supervisor_config, report)
        if found.ran_as_root and ended.end is not End.REFUSED:
            follow_up(planned)
        return say_end(ended, plan, supervisor_config, form, color)
    except (Stopped, DeployError, OSError) as failure:
        say_refusal(faults_of(failure), form, color=colors_messages(color))
    return Exit.ERROR


def _print_json(prepared: PreparedAdoption, plan: Plan, *, indent: int | None) -> None:
    comparison, found, mask = prepared.comparison, prepared.takeover, Mask()
    gone = sorted(str(path) for path in found.theirs)
    old = comparison.old if gone else comparison.new
    review = make_review(old, comparison.new, plan, mask, spares=comparison.spares)
    shown = AdoptionReport(plan.bench_name.value, found.found, gone, found.own, review)
    click.echo(json.dumps(as_data(shown, mask), indent=indent, ensure_ascii=False))


def _show(prepared: PreparedAdoption, plan: Plan, color: str, *, verbose: bool) -> None:
    """What is taken over, what becomes of each setting, and what that does to what runs."""
    comparison, found = prepared.comparison, prepared.takeover
    gone = sorted(str(path) for path in found.theirs)
    if not gone:
        write_stderr(
            "prodgen: nobody else has installed anything for this bench: `prodgen apply`\n"
        )
        return
    lines = (as_long_text if verbose else as_text)(found.found, gone, Mask())
    write_stderr("".join(f"{line}\n" for line in lines) + "\n")
    show_impact(comparison, color)
    if any(one.target == "systemd" for one in found.theirs.values()):
        longest = max((one.stop.value.seconds for one in plan.services), default=0)
        write_stderr(f"A job that runs is finished first, which may take up to {span(longest)}.\n")
