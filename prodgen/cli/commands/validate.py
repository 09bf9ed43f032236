"""`prodgen validate`: everything that is wrong with a bench, and nothing written."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench, render_targets, use_templates
from prodgen.app.reports.layout import Layout
from prodgen.app.reports.reporters import REPORTERS
from prodgen.app.terminal.text import say
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import (
    bench_option,
    format_option,
    locked_option,
    report_options,
    templates_option,
)
from prodgen.cli.core.report import has_failed, judged, show_accepted, summary
from prodgen.diagnostics import has_errors
from prodgen.inputs.accepted import unmatched
from prodgen.targets.registry import target_names


@click.command("validate")
@bench_option
@format_option(
    "Text goes to standard error; the others, for programs, to standard output.", REPORTERS
)
@templates_option
@locked_option
@report_options
def command(
    *,
    bench: Selection,
    form: str,
    templates: Path | None,
    locked: bool,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Check a bench: its files, and that its config can be made.

    Reports everything that is wrong at once, and writes nothing.
    """
    outcome = plan_bench(bench, locked=locked, programs=("nginx", "systemd"))
    use_templates(outcome, templates)
    if outcome.plan:
        render_targets(outcome, target_names(("all",), outcome.plan.manager.value))
        outcome.diagnostics += unmatched(outcome.accepted, outcome.diagnostics, of_hosts=False)
    if form != "text":
        found = judged(outcome, strict=strict)
        click.echo(REPORTERS[form](found, Layout(PurePosixPath(outcome.folder))), nl=False)
        return Exit.ERROR if has_errors(found) else Exit.DONE
    failed = has_failed(outcome, strict=strict, quiet=quiet, color=color)
    if not quiet:
        show_accepted(outcome, color=color)
        say(f"prodgen: {summary(outcome, strict=strict)}\n")
    return Exit.ERROR if failed else Exit.DONE
