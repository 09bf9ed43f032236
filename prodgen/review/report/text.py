"""A review as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.review.changes.change_set import Review, Step
from prodgen.review.changes.drift import Drift
from prodgen.review.core.diff import unified
from prodgen.review.core.file_sets import FileChange
from prodgen.review.core.redact import Masking
from prodgen.review.report import labels as words
from prodgen.review.report.layout import Paint, ReviewLayout
from prodgen.targets.core.effects import Action
from prodgen.targets.core.file_set import Placed

TONES = {
    Action.NOTHING: "quiet",
    Action.REREAD: "quiet",
    Action.RELOAD: "calm",
    Action.START: "added",
    Action.ROLL: "calm",
    Action.RESTART: "warm",
    Action.STOP: "removed",
}
WIDTH = max(len(action.value) for action in Action) + 2


def report(review: Review, layout: ReviewLayout) -> str:
    """The drift, the diff and the impact."""
    return "".join(f"{line}\n" for line in _lines(review, layout.mask, layout.paint))


def report_impact(review: Review, layout: ReviewLayout) -> str:
    """What happens to what runs, without the lines and settings that differ."""
    bare = tuple(step._replace(settings=()) for step in review.steps)
    lines = [*_impact(review._replace(steps=bare), layout.paint)]
    return "".join(f"{line}\n" for line in [*lines, layout.paint(words.summary(review), "head")])


def _lines(review: Review, mask: Masking, paint: Paint) -> Iterator[str]:
    for drift in review.drift:
        yield from _drift(drift, mask, paint)
    for line in unified(review.changes, mask):
        yield paint(line, _tone(line))
    if review.changes:
        yield ""
    yield from _impact(review, paint)
    yield from _source(review, paint)
    yield paint(words.summary(review), "head")


def _source(review: Review, paint: Paint) -> Iterator[str]:
    for number, line in enumerate(words.source(review)):
        yield f"  {line}" if number else paint(line, "warm")


def _drift(one: Drift, mask: Masking, paint: Paint) -> Iterator[str]:
    yield paint(f"{one.path} {one.what}", "warm")
    if one.left is not None and one.found is not None:
        edit = FileChange(one.path, "", Placed(one.left, ""), Placed(one.found, ""))
        yield from (paint(line, _tone(line)) for line in unified([edit], mask))
    yield ""


def _tone(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "head"
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "")


def _impact(review: Review, paint: Paint) -> Iterator[str]:
    target = ""
    for step in review.steps:
        if step.target != target:
            target = step.target
            yield paint(words.HEADS.get(target, target), "head")
        yield from _step(step, paint)
    if review.idle:
        yield paint("Nothing", "head")
        for path in review.idle:
            yield f"  {path}: only comments, order or layout"
    if review.steps or review.idle:
        yield ""


def _step(step: Step, paint: Paint) -> Iterator[str]:
    action = paint(f"{step.action.value:<{WIDTH}}", TONES[step.action])
    first, *others = words.subjects(step)
    patience = words.patience(step)
    yield f"  {action}{first}{f'  ({patience})' if patience else ''}"
    margin = " " * (WIDTH + 2)
    yield from (f"{margin}{subject}" for subject in others)
    for setting in step.settings:
        why = words.reason(setting)
        yield f"{margin}  {words.setting(setting)}"
        if why:
            yield paint(f"{margin}    {why}", "quiet")
    why = words.because(step)
    if why:
        yield paint(f"{margin}  {why}", "quiet")
