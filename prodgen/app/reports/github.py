"""Diagnostics as annotations of GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from prodgen.app.reports.layout import Layout
from prodgen.codes import CODES
from prodgen.diagnostics import Diagnostic, Severity, in_order
from prodgen.review.report.workflow_command import workflow_command

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def report(found: Iterable[Diagnostic], layout: Layout) -> str:
    """One workflow command a line, in the order of the places."""
    return "".join(
        f"{_annotation(one, layout.folder)}\n" for one in in_order(found) if not one.accepted
    )


def _annotation(one: Diagnostic, bench: PurePosixPath) -> str:
    properties = {"title": f"{one.code}: {CODES[one.code].title}"}
    place = one.location
    if place:
        properties |= {"file": str(bench / place.file)}
    if place and place.line:
        properties |= {"line": str(place.line), "col": str(place.column)}
        properties |= {"endColumn": str(place.column + place.length)}
    text = f"{one.message}\n{one.help}" if one.help else one.message
    return workflow_command(LEVELS[one.severity], properties, text)
