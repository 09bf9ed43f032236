"""How a review is printed."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

import click

from prodgen.app.review import Comparison, make_bench_review
from prodgen.app.terminal.color import style, wants_color
from prodgen.review.core.redact import Mask
from prodgen.review.report.layout import ReviewLayout, plain
from prodgen.review.report.reporters import REPORTERS, Reporter
from prodgen.review.report.text import report, report_impact

COLORS = {"added": "green", "removed": "red", "place": "cyan", "warm": "magenta"}
"""By what a text of a review is."""


def print_review(comparison: Comparison, form: str, color: str) -> bool:
    """Print the review to standard output; returns whether anything would change."""
    return _print(comparison, REPORTERS[form], color, to_stderr=False)


def show_review(comparison: Comparison, color: str) -> bool:
    """Print it as text to standard error; returns whether anything would change."""
    return _print(comparison, report, color, to_stderr=True)


def show_impact(comparison: Comparison, color: str) -> bool:
    """Print to standard error what happens to what runs; returns whether anything would change."""
    return _print(comparison, report_impact, color, to_stderr=True)


def _print(comparison: Comparison, reporter: Reporter, color: str, *, to_stderr: bool) -> bool:
    mask = Mask()
    review = make_bench_review(comparison, mask)
    stream = sys.stderr if to_stderr else sys.stdout
    paint = _paint if wants_color(color, stream) else plain
    layout = ReviewLayout(
        mask, comparison.title, comparison.plan, PurePosixPath(comparison.folder), paint
    )
    click.echo(reporter(review, layout), nl=False, color=True, err=to_stderr)
    return bool(review.changes)


def _paint(text: str, kind: str) -> str:
    return style(text, COLORS.get(kind), bold=kind == "head", dim=kind == "quiet")
