"""The review of a change: the files that differ, what that does, why, and for how long."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.plan.core.model import Plan
from prodgen.review.changes.change_source import ChangeSource
from prodgen.review.changes.drift import Drift
from prodgen.review.core.file_sets import FileChange, file_changes
from prodgen.review.core.redact import Masking
from prodgen.review.impact.impact import impact, spared
from prodgen.review.impact.reasons import Explanation, ReasonFinder
from prodgen.targets.core.effects import Action, Effect, Reason
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.registry import MODULES, load_effects


class Setting(NamedTuple):
    """A setting that differs, and why it has its new value, where that is known."""

    key: str
    old: str | None
    new: str | None
    why: Explanation | None


class Step(NamedTuple):
    """What happens alike to several processes, units or server blocks."""

    target: str
    action: Action
    subjects: tuple[str, ...]
    settings: tuple[Setting, ...]
    because: str
    """Why it happens, where no setting of its own is the reason."""
    why: Explanation | None
    seconds: int
    """How long the end of one may take at most; 0 where nothing ends."""


class Review(NamedTuple):
    """Everything that would change."""

    changes: tuple[FileChange, ...]
    steps: tuple[Step, ...]
    drift: tuple[Drift, ...] = ()
    """Installed files that changed since prodgen wrote them."""
    source: ChangeSource | None = None
    """What of prodgen itself has changed since the old files were made; None: nothing has."""

    @property
    def idle(self) -> list[PurePosixPath]:
        """Changed files that change nothing that runs: comments, order, layout."""
        touched = {step.target for step in self.steps}
        steady = {name for name in MODULES if not load_effects(name).at_start}
        return [
            one.path
            for one in self.changes
            if one.old and one.new and one.target in steady - touched
        ]


def make_review(
    old: FileSet,
    new: FileSet,
    plan: Plan | None,
    mask: Masking,
    drift: Iterable[Drift] = (),
    *,
    spares: Collection[str] = (),
    source: ChangeSource | None = None,
) -> Review:
    """The review of `new` in the place of `old`; `plan` is what `new` was made of, if known.

    Groups of Supervisor in `spares` keep running.
    """
    why = ReasonFinder(plan)
    found = tuple(_steps(spared(impact(old, new), spares), why, mask))
    return Review(tuple(file_changes(old, new)), found, tuple(drift), source)


def _steps(effects: Sequence[Effect], why: ReasonFinder, mask: Masking) -> Iterator[Step]:
    """The effects, those together that follow each other and say the same."""
    for _, alike in groupby(effects, key=_sameness):
        members = list(alike)
        first = members[0]
        yield Step(
            first.target,
            first.action,
            tuple(one.subject for one in members),
            tuple(_setting(reason, why.of(first, reason.key), mask) for reason in first.reasons),
            first.because_of,
            None if first.reasons else why.of(first),
            max(one.seconds for one in members),
        )


def _sameness(one: Effect) -> object:
    return one.target, one.action, one.reasons, one.because_of


def _setting(reason: Reason, why: Explanation | None, mask: Masking) -> Setting:
    return Setting(
        reason.key, _masked(reason, reason.old, mask), _masked(reason, reason.new, mask), why
    )


def _masked(reason: Reason, value: str | None, mask: Masking) -> str | None:
    """The value; what the name of its setting makes a secret is masked by that name."""
    if value is None:
        return None
    line = mask(f"{reason.key}={value}")
    return line.removeprefix(f"{reason.key}=")
