"""`prodgen doctor`: what will hurt this bench on this host, and the way out."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.app.reports.layout import Layout
from prodgen.app.reports.reporters import REPORTERS
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.running_bench import context_from
from prodgen.app.terminal.color import style, wants_color
from prodgen.app.terminal.text import columns_of, printable, wrapped
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import (
    bench_option,
    colors_messages,
    format_option,
    report_options,
    supervisor_option,
)
from prodgen.cli.core.report import has_failed, show_danger
from prodgen.codes import CODES
from prodgen.deploy.doctor.finding import Finding, Grade, with_accepted
from prodgen.inputs.accepted import unmatched

FORMAT_VERSION = 1
TONES = {Grade.BAD: "red", Grade.WARNING: "magenta", Grade.GOOD: "green", Grade.UNKNOWN: None}


@click.command("doctor")
@bench_option
@supervisor_option
@format_option("Lines to read; the others are for programs.", REPORTERS)
@report_options
def command(
    *,
    bench: Selection,
    supervisor_config: Path | None,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Check the host for problems that will affect this bench.

    Each finding comes with a command that fixes it, and a code that
    `prodgen explain` knows. The exit code is 1 if something is bad (or, with
    --strict, a warning). It changes nothing.
    """
    from prodgen.deploy.doctor.run import Patient, examine

    planned = plan_bench(bench, locked=False, programs=("nginx", "systemd"))
    if has_failed(planned, strict=False, quiet=True, color=color) or planned.plan is None:
        return Exit.ERROR
    if not quiet:
        show_danger(planned, color=color)
    config = dict(planned.bench.common.data) if planned.bench else {}
    found = examine(Patient(context_from(planned), config, supervisor_config))
    found = with_accepted(found, {one.code: one.because for one in planned.accepted})
    problems = [one.diagnostic for one in found if one.diagnostic]
    idle = unmatched(planned.accepted, problems, of_hosts=True)
    show_diagnostics(idle, color=colors_messages(color), quiet=quiet, folder=planned.folder)
    if form == "json":
        click.echo(as_json(found))
    elif form != "text":
        click.echo(REPORTERS[form](problems, Layout()), nl=False)
    else:
        columns = columns_of(sys.stdout)
        text = as_text(found, quiet=quiet, color=wants_color(color, sys.stdout), columns=columns)
        click.echo(text, nl=False, color=True)
    wrong = {Grade.BAD, Grade.WARNING} if strict else {Grade.BAD}
    return (
        Exit.ERROR if any(one.grade in wrong and not one.accepted for one in found) else Exit.DONE
    )


def as_text(found: Sequence[Finding], *, quiet: bool, color: bool, columns: int = 0) -> str:
    """The findings, the worst first, in lines of so many columns where any are given."""
    order = list(Grade)
    lines = []
    for one in sorted(found, key=lambda one: (bool(one.accepted), order.index(one.grade))):
        if quiet and one.grade is not Grade.BAD:
            continue
        word = f"{'accepted' if one.accepted else one.grade.value:<8}"
        tone = None if one.accepted else TONES[one.grade]
        head = style(word, tone, bold=True) if color else word
        code = f" [{one.code}]" if one.code else ""
        text = f"{word} {one.check}: {printable(one.text)}{code}"
        first, *rest = wrapped(text, columns, f"{'':<9}")
        lines += [head + first.removeprefix(word), *rest]
        if one.accepted:
            because = f"{'':<8}   because: {printable(one.accepted)}"
            lines += wrapped(because, columns, f"{'':<16}")
        elif one.fix:
            fix = f"{'':<8}   fix: {printable(one.fix)}"
            # A line break within quotes would be one of the command that is copied.
            lines += [fix] if "'" in one.fix else wrapped(fix, columns, f"{'':<16}")
    return "".join(f"{line}\n" for line in lines)


def as_json(found: Sequence[Finding]) -> str:
    """The findings as one object."""
    findings = [
        {
            "check": one.check,
            "grade": one.grade.value,
            "text": one.text,
            "fix": one.fix,
            "code": one.code or None,
            "accepted": one.accepted or None,
            "family": (CODES[one.code].family or None) if one.code else None,
        }
        for one in found
    ]
    made = {
        "format_version": FORMAT_VERSION,
        "healthy": all(one.grade is not Grade.BAD for one in found),
        "findings": findings,
    }
    return json.dumps(made, indent=2, ensure_ascii=False)
