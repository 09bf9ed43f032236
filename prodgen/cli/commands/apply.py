"""`prodgen apply`: exactly the change that `prodgen diff` shows, or nothing."""

from __future__ import annotations

from pathlib import Path

import click

from prodgen.app.apply import (
    ApplyOptions,
    faults_of,
    find_artifacts,
    prepare,
    recover_first,
    rollback_command,
    run,
)
from prodgen.app.bench_selection import Selection
from prodgen.app.host_files import host_notes
from prodgen.app.pipeline import plan_bench
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.review import Stopped
from prodgen.app.running_bench import admit
from prodgen.app.saved_review import check_review
from prodgen.app.terminal.text import write_stderr
from prodgen.cli.core.confirm import agreed
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.live_events import reporter, say_refusal
from prodgen.cli.core.options import (
    TARGET_NAMES,
    NamedChoice,
    bench_option,
    colors_messages,
    format_option,
    report_options,
    supervisor_option,
)
from prodgen.cli.core.print_review import show_review
from prodgen.cli.core.report import has_failed
from prodgen.deploy.apply.apply import End
from prodgen.deploy.apply.apply import Outcome as Ended
from prodgen.deploy.core.errors import DeployError
from prodgen.plan.core.model import Plan


@click.command("apply")
@click.argument("rendered", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@bench_option
@click.option(
    "-t",
    "--target",
    "names",
    type=NamedChoice(TARGET_NAMES),
    metavar="NAME",
    multiple=True,
    default=("all",),
    help="What to install; may be given several times. Default: all.",
)
@click.option("--rollback", is_flag=True, help="Install what was there before the last apply.")
@click.option(
    "--reviewed",
    "review",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Apply only what `prodgen diff -o FILE` showed; refuse if anything has changed since.",
)
@click.option("--recover", type=click.Path(path_type=Path), hidden=True)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace files even if they were edited, or are not prodgen's.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show the change; change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@supervisor_option
@format_option("Lines to read, or one JSON object for each event.")
@report_options
def command(
    *,
    rendered: Path | None,
    bench: Selection,
    names: tuple[str, ...],
    rollback: bool,
    review: Path | None,
    recover: Path | None,
    overwrite: bool,
    dry_run: bool,
    yes: bool,
    supervisor_config: Path | None,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Install the bench's config; restart only what has to restart.

    Shows the change and asks. New files are tried by nginx, Supervisor and
    systemd before any live one changes; a failure leaves everything as it was.
    PATH is a folder or archive that `render -o` made for this bench.
    """
    if recover:
        return _recover_at_boot(recover)
    _check_usage(rendered, "--target" if names != ("all",) else "", review, rollback=rollback)
    options = ApplyOptions(names, rendered, rollback, overwrite, supervisor_config)
    report = reporter(form, quiet=quiet, color=colors_messages(color))
    planned = plan_bench(bench, locked=False, programs={"nginx", "systemd"})
    try:
        admit(planned, dry_run=dry_run)
        if not dry_run:
            recover_first(planned, supervisor_config, report)
        artifacts = find_artifacts(planned, options)
        if has_failed(planned, strict=strict, quiet=quiet, color=color) or not planned.plan:
            return Exit.ERROR
        if not quiet:
            show_diagnostics(host_notes(artifacts), color=colors_messages(color))
        prepared = prepare(planned, planned.plan, artifacts, options)
        changed = show_review(prepared.comparison, color)
        if review:
            check_review(review, prepared.comparison)
        if dry_run or not changed:
            return Exit.DONE
        if not yes and not agreed("Apply this?"):
            return Exit.ERROR
        ended = run(planned, planned.plan, prepared, options, report)
        return say_end(ended, planned.plan, supervisor_config, form, color)
    except (Stopped, DeployError, OSError) as failure:
        say_refusal(faults_of(failure), form, color=colors_messages(color))
    return Exit.ERROR


def _recover_at_boot(state: Path) -> Exit:
    """What the unit runs that guards an apply against the next boot."""
    from prodgen.deploy.apply.recovery import recover_at_boot

    try:
        write_stderr(f"{recover_at_boot(state)}\n")
    except (DeployError, OSError) as failure:
        show_diagnostics(faults_of(failure), color=False)
        return Exit.ERROR
    return Exit.DONE


def _check_usage(
    rendered: Path | None, target: str, review: Path | None, *, rollback: bool
) -> None:
    if rendered and target:
        raise click.UsageError(f"{rendered} is rendered already: {target} goes with a bench")
    for given in (rendered, target, review and "--reviewed"):
        if rollback and given:
            raise click.UsageError(
                f"--rollback takes back the whole of the last apply: it goes without {given}"
            )


def say_end(ended: Ended, plan: Plan, supervisor_config: Path | None, form: str, color: str) -> int:
    """Say how an apply ended; returns the exit code."""
    if ended.end is End.REFUSED:
        say_refusal(ended.refusals, form, color=colors_messages(color))
        return Exit.ERROR
    if ended.end is End.UNHEALTHY:
        write_stderr("prodgen: the new config is in place, but not all is well; to go back:\n")
        write_stderr(f"  {rollback_command(plan, supervisor_config)}\n")
        return Exit.UNHEALTHY
    return Exit.DONE
