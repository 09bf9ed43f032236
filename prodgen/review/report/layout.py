"""What every reporter of a review is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.plan.core.model import Plan
from prodgen.review.core.redact import Masking

Paint = Callable[[str, str], str]
"""Colours a text: what it says, and what kind of text it is."""


def plain(text: str, _kind: str) -> str:
    """The text without colours."""
    return text


class ReviewLayout(NamedTuple):
    """What is reviewed, and what the reader can show."""

    mask: Masking
    title: str = ""
    plan: Plan | None = None
    folder: PurePosixPath = PurePosixPath()
    """The path to the bench from here, so that its files are found."""
    paint: Paint = plain
