"""`prodgen validate`: everything that is wrong with a bench, and nothing written."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench, render_targets, use_templates
from prodgen.app.reports.layout import Layout
from prodgen.app.reports.reporters import REPORTERS
from prodgen.app.terminal.text import write_stderr
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
    planned = plan_bench(bench, locked=locked, programs=("nginx", "systemd"))
    use_templates(planned, templates)
    if planned.plan:
        render_targets(planned, target_names(("all",), planned.plan.manager.value))
        planned.diagnostics += unmatched(planned.accepted, planned.diagnostics, of_hosts=False)
    if form != "text":
        found = judged(planned, strict=strict)
        click.echo(REPORTERS[form](found, Layout(PurePosixPath(planned.folder))), nl=False)
        return Exit.ERROR if has_errors(found) else Exit.DONE
    failed = has_failed(planned, strict=strict, quiet=quiet, color=color, notes=True)
    if not quiet:
        show_accepted(planned, color=color)
        write_stderr(f"prodgen: {summary(planned, strict=strict)}\n")
    return Exit.ERROR if failed else Exit.DONE
