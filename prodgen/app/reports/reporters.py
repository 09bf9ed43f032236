"""The formats of diagnostics, by the names that `--format` takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from prodgen.app.reports import github, gitlab, json, sarif, text
from prodgen.app.reports.layout import Layout
from prodgen.diagnostics import Diagnostic


class Reporter(Protocol):
    """Writes diagnostics in one format."""

    def __call__(self, found: Iterable[Diagnostic], layout: Layout) -> str:
        """The whole report, sorted by place; it ends with a line break unless it is empty."""


REPORTERS: Mapping[str, Reporter] = {
    "text": text.report,
    "json": json.report,
    "github": github.report,
    "gitlab": gitlab.report,
    "sarif": sarif.report,
}
