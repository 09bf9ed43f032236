"""Diagnostics as a report of GitLab's (docs.gitlab.com, "Code Quality report format")."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from prodgen.app.reports.layout import Json, Layout, dump
from prodgen.diagnostics import Diagnostic, Location, Severity, in_order

GITLAB_LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def report(found: Iterable[Diagnostic], layout: Layout) -> str:
    """A list of findings (docs.gitlab.com, "Code Quality report format").

    GitLab wants a place for each: what has none is told at the start of the Procfile.
    """
    return dump([_finding(one, layout.folder) for one in in_order(found) if not one.accepted])


def _finding(one: Diagnostic, bench: PurePosixPath) -> Json:
    from hashlib import sha256

    place = one.location or Location("Procfile")
    path = str(bench / place.file)
    same = "\0".join((one.code, path, place.text, one.message))
    return {
        "check_name": one.code,
        "description": f"{one.message}; {one.help}" if one.help else one.message,
        "fingerprint": sha256(same.encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": GITLAB_LEVELS[one.severity],
        "location": {"path": path, "lines": {"begin": place.line or 1}},
    }
