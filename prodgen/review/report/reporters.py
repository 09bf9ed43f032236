"""The formats of a review, by the names that `prodgen diff --format` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from prodgen.review.changes.change_set import Review
from prodgen.review.report import github, json, markdown, text
from prodgen.review.report.layout import ReviewLayout


class Reporter(Protocol):
    """Writes a review in one format."""

    def __call__(self, review: Review, layout: ReviewLayout) -> str:
        """The whole report; it ends with a line break."""


REPORTERS: Mapping[str, Reporter] = {
    "text": text.report,
    "json": json.report,
    "markdown": markdown.report,
    "github": github.report,
}
