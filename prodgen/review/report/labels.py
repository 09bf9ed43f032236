"""Labels of a review that all formats share."""

from __future__ import annotations

from collections import Counter

from prodgen.plan.core.model import Manager
from prodgen.review.changes.change_set import Review, Setting, Step
from prodgen.review.changes.change_source import ValueChange
from prodgen.review.core.file_sets import ChangeKind
from prodgen.targets.core.effects import Action

LONGEST = 60
"""Characters of a setting's value."""
HEADS = {one.value: one.title for one in Manager}
"""Targets whose names are written otherwise for people."""
ENDS = (Action.RESTART, Action.STOP)


def span(seconds: int) -> str:
    """`45 s`, `5 min`, `26 min 30 s`."""
    minutes, rest = divmod(seconds, 60)
    parts = [f"{minutes} min"] if minutes else []
    return " ".join([*parts, f"{rest} s"] if rest or not parts else parts)


def setting(one: Setting) -> str:
    """`timeout: 120 -> 200`."""
    if one.old is None:
        return f"{one.key}: {_short(one.new)} is new"
    if one.new is None:
        return f"{one.key}: {_short(one.old)} is gone"
    return f"{one.key}: {_short(one.old)} -> {_short(one.new)}"


def _short(value: str | None) -> str:
    text = value or "nothing"
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}...{text[-LONGEST // 2 :]}"


def reason(one: Setting | Step) -> str:
    """The reason with its place; empty if it is not known."""
    if one.why is None:
        return ""
    text, place = one.why
    file = place.partition(":")[0]
    if file and text.endswith(file):
        return text.removesuffix(file) + place
    return f"{text} ({place})" if place else text


def because(step: Step) -> str:
    """The reason if no setting of the subject itself changed."""
    if step.settings:
        return ""
    if step.because in COUNTED and step.why and step.why.place:
        return f"{step.because}: {reason(step)}"
    return step.because


COUNTED = ("new", "no longer wanted")
"""Reasons behind which a number of processes stands, and where that was given."""


def patience(step: Step) -> str:
    """How long it may take if something that runs has to stop."""
    if not step.seconds or step.action in (Action.START, Action.REREAD, Action.RELOAD):
        return ""
    each = "each " if step.action is Action.ROLL and len(step.subjects) > 1 else ""
    return f"{each}up to {span(step.seconds)}"


def subjects(step: Step) -> list[str]:
    """The subjects of a step; of nginx's added and removed blocks only servers by name."""
    if step.target != "nginx" or step.settings:
        return list(step.subjects)
    servers = [one for one in step.subjects if one.startswith(("server ", "redirect "))]
    rest = len(step.subjects) - len(servers)
    return [*servers, f"{rest} blocks that they use"] if rest else servers


def source(review: Review) -> list[str]:
    """Whether prodgen itself, or it and the bench, has made the changes; the bench's own below.

    Nothing if nothing changes, or the bench alone has changed.
    """
    found = review.source
    if found is None or not review.changes:
        return []
    by = f"changed by prodgen {found.old} -> {found.new}"
    if found.old == found.new:
        by = f"changed by other templates ({', '.join(found.templates)})"
    if not found.files:
        return [f"{by}, not by the bench"]
    lines = [_value(one) for one in found.values]
    known = {one.file for one in found.values}
    lines += [f"{file}: which values is not known" for file in found.files if file not in known]
    return [f"{by}, and by the bench:", *lines]


def _value(one: ValueChange) -> str:
    changed = setting(Setting(one.key, one.old, one.new, None))
    return f"{one.file}: {changed}"


def summary(review: Review) -> str:
    """The whole in one line."""
    fates = Counter(change.kind for change in review.changes)
    files = [f"{fates[fate]} {fate.value}" for fate in ChangeKind if fates[fate]]
    counts: Counter[Action] = Counter()
    for step in review.steps:
        if step.action is not Action.RELOAD:
            counts[step.action] += len(step.subjects)
    done = [f"{VERBS[action]} {counts[action]}" for action in VERBS if counts[action]]
    if any(step.action is Action.RELOAD for step in review.steps):
        done.append("reload nginx")
    if not files:
        return "no change"
    return f"files: {', '.join(files)}; {', '.join(done) or 'nothing restarts'}"


VERBS = {
    Action.START: "start",
    Action.ROLL: "roll",
    Action.RESTART: "restart",
    Action.STOP: "stop",
    Action.REREAD: "read anew",
}
