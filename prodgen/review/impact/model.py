"""The effect of a change on one thing that runs, and the settings that are the reason for it."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.review.core.file_sets import Side
from prodgen.review.core.parse import Block, Meaning, meaning


class Action(Enum):
    """What happens to something that runs, the most disturbing last."""

    NOTHING = "nothing"
    REREAD = "read anew"
    """The manager reads its files anew; no process notices."""
    RELOAD = "reload"
    START = "start"
    ROLL = "rolling restart"
    """One instance after the other: no request fails."""
    RESTART = "restart"
    STOP = "stop"


class Reason(NamedTuple):
    """One setting that differs; `key` is as the target calls it."""

    key: str
    old: str | None
    new: str | None


class Effect(NamedTuple):
    """What happens to one process, unit or server block."""

    target: str
    subject: str
    action: Action
    reasons: tuple[Reason, ...] = ()
    because_of: str = ""
    """Another subject that it restarts with; or words, where no setting is the reason."""
    seconds: int = 0
    """How long its end may take at most; in a group of Supervisor's, as long as the slowest's."""
    program: str = ""
    """The program section or unit file behind it."""
    own_seconds: int = 0
    """How long Supervisor waits for the end of this process before it kills it."""


def reasons_of(old: Block, new: Block) -> tuple[Reason, ...]:
    """The settings that differ between two blocks."""
    return tuple(
        Reason(key, _joined(old.get(key)), _joined(new.get(key)))
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    )


def _joined(values: tuple[str, ...] | None) -> str | None:
    return None if values is None else " | ".join(values)


def meanings(side: Side, target: str) -> dict[PurePosixPath, Meaning]:
    """What each file of a target means."""
    return {
        path: meaning(target, placed.text)
        for path, placed in side.items()
        if placed.target == target
    }


def merged(side: Side, target: str) -> dict[str, Block]:
    """The blocks of all files of a target; what they say in nginx's http itself adds up."""
    found: dict[str, Block] = {}
    for blocks in meanings(side, target).values():
        http = found.get("http", {})
        found |= blocks
        for key, values in http.items():
            found["http"] = {**found["http"], key: (*values, *blocks.get("http", {}).get(key, ()))}
    return found


def changed_files(old: Side, new: Side, target: str) -> dict[PurePosixPath, tuple[Reason, ...]]:
    """The files of a target on both sides that mean something else now, with what differs."""
    found = {}
    before, after = meanings(old, target), meanings(new, target)
    for path in sorted(before.keys() & after.keys()):
        blocks = {*before[path], *after[path]}
        reasons = [
            reason
            for name in sorted(blocks)
            for reason in reasons_of(before[path].get(name, {}), after[path].get(name, {}))
        ]
        if reasons:
            found[path] = tuple(reasons)
    return found
