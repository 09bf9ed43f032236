"""What every command that plans a bench says about it."""

from __future__ import annotations

from collections.abc import Iterable

from prodgen.app.pipeline import Outcome
from prodgen.app.reports.text import show
from prodgen.app.terminal.text import say
from prodgen.cli.core.options import colors_messages
from prodgen.diagnostics import Diagnostic, Severity, has_errors


def has_failed(outcome: Outcome, *, strict: bool, quiet: bool, color: str) -> bool:
    """Shows what was found; whether an error stands in the way."""
    found = as_judged(outcome.diagnostics, strict=strict)
    show(found, color=colors_messages(color), quiet=quiet, folder=outcome.folder)
    return has_errors(found)


def summary(outcome: Outcome, *, strict: bool) -> str:
    """How many errors and warnings there are, in words."""
    found = as_judged(outcome.diagnostics, strict=strict)
    errors, warnings = (_count(found, kind) for kind in (Severity.ERROR, Severity.WARNING))
    return f"{errors or 'no errors'}, {warnings}" if warnings else errors or "no errors"


def say_nothing_made(outcome: Outcome, *, strict: bool, quiet: bool) -> None:
    """The last line of a command that made nothing."""
    if not quiet:
        say(f"prodgen: {summary(outcome, strict=strict)}; nothing was made\n")


def as_judged(found: Iterable[Diagnostic], *, strict: bool) -> list[Diagnostic]:
    """The diagnostics, every warning taken for an error where that is wanted."""
    return [
        one._replace(severity=Severity.ERROR)
        if strict and one.severity is Severity.WARNING
        else one
        for one in found
    ]


def _count(found: Iterable[Diagnostic], severity: Severity) -> str:
    number = len({one for one in found if one.severity is severity})
    return f"{number} {severity.value}{'s' if number > 1 else ''}" if number else ""
