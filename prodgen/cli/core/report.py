"""What every command that plans a bench prints about it."""

from __future__ import annotations

from collections.abc import Iterable

from prodgen.app.pipeline import PlanResult
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.terminal.text import write_stderr
from prodgen.cli.core.options import colors_messages
from prodgen.diagnostics import Diagnostic, Severity, has_errors
from prodgen.inputs.accepted import accept

DANGER = "PG820"
"""Others could swap the bench (prodgen/host/door.py)."""

OF_OUTPUT = frozenset({"PG703"})
"""Notes of what render prints, which validate does not have."""


def has_failed(
    planned: PlanResult, *, strict: bool, quiet: bool, color: str, notes: bool = False
) -> bool:
    """Show the diagnostics; returns whether one of them is an error.

    Without `notes` those that validate shows are counted in one line: they ask for nothing.
    """
    found = judged(planned, strict=strict)
    shown = [one for one in found if not one.accepted]
    folded = {
        one
        for one in shown
        if not notes and one.severity is Severity.NOTE and one.code not in OF_OUTPUT
    }
    shown = [one for one in shown if one not in folded]
    show_diagnostics(shown, color=colors_messages(color), quiet=quiet, folder=planned.folder)
    if folded and not quiet:
        them = f"{len(folded)} notes" if len(folded) > 1 else "1 note"
        write_stderr(f"{them}: `prodgen validate` shows {'them' if len(folded) > 1 else 'it'}\n")
    return has_errors(found)


def show_accepted(planned: PlanResult, *, color: str) -> None:
    """Shows the warnings and notes that prodgen.yaml accepts, with the reasons."""
    found = [one for one in judged(planned, strict=False) if one.accepted]
    show_diagnostics(found, color=colors_messages(color), folder=planned.folder)


def show_danger(planned: PlanResult, *, color: str) -> None:
    """Warns that others could swap the bench, in commands that keep other warnings to themselves.

    They only look, so they go on.
    """
    found = [one for one in judged(planned, strict=False) if one.code == DANGER]
    shown = [one for one in found if not one.accepted]
    show_diagnostics(shown, color=colors_messages(color), folder=planned.folder)


def summary(planned: PlanResult, *, strict: bool) -> str:
    """How many errors and warnings there are, in words."""
    found = judged(planned, strict=strict)
    errors, warnings = (_count(found, kind) for kind in (Severity.ERROR, Severity.WARNING))
    return f"{errors or 'no errors'}, {warnings}" if warnings else errors or "no errors"


def say_nothing_made(planned: PlanResult, *, strict: bool, quiet: bool) -> None:
    """The last line of a command that made nothing."""
    if not quiet:
        write_stderr(f"prodgen: {summary(planned, strict=strict)}; nothing was made\n")


def judged(planned: PlanResult, *, strict: bool) -> list[Diagnostic]:
    """The outcome's diagnostics: what prodgen.yaml accepts is a note; the other warnings are
    errors if `strict`."""
    found = accept(planned.diagnostics, planned.accepted)
    return [
        one._replace(severity=Severity.ERROR)
        if strict and one.severity is Severity.WARNING
        else one
        for one in found
    ]


def _count(found: Iterable[Diagnostic], severity: Severity) -> str:
    number = len({one for one in found if one.severity is severity})
    return f"{number} {severity.value}{'s' if number > 1 else ''}" if number else ""
