"""A review as a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.plan.core.model import Plan
from prodgen.plan.views.diagram import picture
from prodgen.plan.views.mermaid import as_mermaid
from prodgen.review.changes.change_set import Review, Step
from prodgen.review.core.diff import unified
from prodgen.review.core.redact import Masking
from prodgen.review.report import labels as words
from prodgen.review.report.diagram_marks import diagram_marks
from prodgen.review.report.layout import ReviewLayout

MARK = "<!-- prodgen diff -->"
"""By this line a later run finds the comment, to update it."""
LONGEST = 60_000
"""Characters of a comment: GitHub takes 65,536."""


def report(review: Review, layout: ReviewLayout) -> str:
    """The summary, the impact as a table, and folded away the diff and a picture of the plan."""
    head = [
        MARK,
        f"### {escaped(layout.title)}",
        "",
        escaped(words.summary(review)).capitalize() + ".",
        "",
    ]
    text = "\n".join(
        [*head, *_drift(review), *_source(review), *_impact(review), *_picture(review, layout.plan)]
    )
    return text + _diff(review, layout.mask, LONGEST - len(text))


def escaped(text: str) -> str:
    """The text without anything that Markdown or HTML would take for its own."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;")):
        text = text.replace(char, entity)
    for char in "\\`*_[]~#@":
        text = text.replace(char, f"&#{ord(char)};") if char != "#" else text
    return " ".join(text.split())


def _drift(review: Review) -> Iterator[str]:
    for one in review.drift:
        yield f"> [!WARNING]\n> {escaped(f'{one.path} {one.what}')}\n"


def _source(review: Review) -> Iterator[str]:
    lines = words.source(review)
    if lines:
        yield f"> {lines[0][:1].upper()}{escaped(lines[0][1:])}"
        yield from (f"> - {escaped(line)}" for line in lines[1:])
        yield ""


def _impact(review: Review) -> Iterator[str]:
    if not review.steps:
        return
    yield "| what | happens | why |"
    yield "|---|---|---|"
    for step in review.steps:
        subjects = "<br>".join(escaped(one) for one in words.subjects(step))
        yield f"| {subjects} | {_what(step)} | {_why(step)} |"
    yield ""


def _what(step: Step) -> str:
    patience = words.patience(step)
    return f"**{step.action.value}**" + (f"<br>{patience}" if patience else "")


def _why(step: Step) -> str:
    if step.settings:
        lines = []
        for setting in step.settings:
            why = words.reason(setting)
            lines.append(escaped(words.setting(setting)) + (f"<br>{escaped(why)}" if why else ""))
        return "<br>".join(lines)
    return escaped(words.because(step))


def _picture(review: Review, plan: Plan | None) -> Iterator[str]:
    """The new stack, with what happens to each part of it; GitHub and GitLab draw Mermaid."""
    if plan is None or not review.steps:
        return
    flowchart = as_mermaid(picture(plan, diagram_marks(review, plan)))
    yield f"<details><summary>Picture</summary>\n\n```mermaid\n{flowchart}```\n\n</details>\n"


def _diff(review: Review, mask: Masking, room: int) -> str:
    if not review.changes:
        return ""
    text = "\n".join(unified(review.changes, mask))
    if len(text) > room:
        text = text[:room].rpartition("\n")[0] + "\n... cut: see the job's log"
    fence = "`" * (max((len(run) for run in _ticks(text)), default=2) + 1)
    return f"\n<details><summary>Diff</summary>\n\n{fence}diff\n{text}\n{fence}\n\n</details>\n"


def _ticks(text: str) -> Iterator[str]:
    """The runs of three backticks or more, which the fence must outdo."""
    run = ""
    for char in f"{text} ":
        if char == "`":
            run += char
        else:
            if len(run) > 2:
                yield run
            run = ""
