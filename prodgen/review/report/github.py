"""A review as annotations of GitHub Actions, at the lines of the bench that are the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from prodgen.review.changes.change_set import Review, Step
from prodgen.review.report import labels as words
from prodgen.review.report.layout import ReviewLayout
from prodgen.review.report.workflow_command import workflow_command
from prodgen.targets.core.effects import Action

QUIET = (Action.REREAD, Action.NOTHING)


def report(review: Review, layout: ReviewLayout) -> str:
    """One command a step, and one for each file that somebody edited.

    Files are named relative to the current folder, as the layout's folder is.
    """
    return "".join(f"{line}\n" for line in _annotations(review, layout.folder))


def _annotations(review: Review, bench: PurePosixPath) -> Iterator[str]:
    for drift in review.drift:
        yield _command("warning", "edited by hand", "", f"{drift.path} {drift.what}")
    for step in review.steps:
        if step.action not in QUIET:
            yield from _step(step, bench)
    source = words.source(review)
    if source:
        yield _command("notice", "prodgen itself has changed", "", "\n".join(source))
    yield _command("notice", "prodgen diff", "", words.summary(review))


def _step(step: Step, bench: PurePosixPath) -> Iterator[str]:
    patience = words.patience(step)
    title = f"{step.action.value}{f' ({patience})' if patience else ''}"
    lines = [*step.subjects, *(words.setting(one) for one in step.settings), words.because(step)]
    whys = [step.why, *(one.why for one in step.settings)]
    place = next((why.place for why in whys if why and why.place), "")
    place = str(bench / place) if place else ""
    yield _command("notice", title, place, "\n".join(line for line in lines if line))


def _command(level: str, title: str, place: str, text: str) -> str:
    file, _, rest = place.partition(":")
    line, _, column = rest.partition(":")
    return workflow_command(
        level, {"file": file, "line": line, "col": column, "title": title}, text
    )
