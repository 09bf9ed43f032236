"""Diagnostics as one JSON object (`prodgen schema diagnostics`)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from prodgen.app.reports.layout import Json, Layout, dump
from prodgen.codes import CODES
from prodgen.diagnostics import Diagnostic, Location, Severity, has_errors, in_order

FORMAT_VERSION = 1


def report(found: Iterable[Diagnostic], layout: Layout) -> str:
    """One object: whether the bench is valid, the counts, and a list of diagnostics.

    Files are named relative to the current folder, as the layout's folder is. Lines and columns
    count from 1.
    """
    ordered = in_order(found)
    made = {
        "format_version": FORMAT_VERSION,
        "valid": not has_errors(ordered),
        "error_count": sum(one.severity is Severity.ERROR for one in ordered),
        "warning_count": sum(one.severity is Severity.WARNING for one in ordered),
        "diagnostics": [diagnostic(one, layout.folder) for one in ordered],
    }
    return dump(made)


def diagnostic(one: Diagnostic, bench: PurePosixPath) -> Json:
    """A diagnostic as every JSON output has it; `family` is null if its code has none, and
    `accepted` is the reason if prodgen.yaml accepts it, else null."""
    return {
        "code": one.code,
        "severity": one.severity.value,
        "family": CODES[one.code].family or None,
        "accepted": one.accepted or None,
        "title": CODES[one.code].title,
        "message": one.message,
        "help": one.help,
        "location": _location(one.location, bench) if one.location else None,
        "related": [
            {"message": words, "location": _location(place, bench)} for words, place in one.related
        ],
    }


def _location(place: Location, bench: PurePosixPath) -> Json:
    made: Json = {"file": str(bench / place.file)}
    if place.line:
        made |= {"line": place.line, "column": place.column, "length": place.length}
        made |= {"text": place.text}
    return made
