"""The effect of a change on one thing that runs, and what each target says of its own files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.plan.core.model import Plan, Service
from prodgen.provenance import Origin
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.core.meaning import Block, Parser, lines_of, meanings


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


def changed_files(
    old: FileSet, new: FileSet, target: str, parse: Parser
) -> dict[PurePosixPath, tuple[Reason, ...]]:
    """The files of a target on both sides that mean something else now, with what differs."""
    found = {}
    before, after = meanings(old, target, parse), meanings(new, target, parse)
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


class Startup(NamedTuple):
    """A change of a file that services read when they start, and what they need to take it."""

    action: Action
    reasons: tuple[Reason, ...]


StartupFiles = Mapping[PurePosixPath, Startup]
"""Those that mean something else now, by their destination."""


def _no_effects(_old: FileSet, _new: FileSet, _read: StartupFiles) -> Iterable[Effect]:
    return ()


def _nothing_runs(_side: FileSet) -> list[str]:
    return []


def _no_service(_plan: Plan, _effect: Effect) -> Service | None:
    return None


def _no_origins(_plan: Plan, _effect: Effect, _key: str) -> list[Origin]:
    return []


class TargetEffects(NamedTuple):
    """What the files of one target mean, and what a change of them does."""

    parse: Parser = lines_of
    effects: Callable[[FileSet, FileSet, StartupFiles], Iterable[Effect]] = _no_effects
    """What happens where the second set of files takes the place of the first."""
    running: Callable[[FileSet], list[str]] = _nothing_runs
    """What runs where these files are installed, as the manager calls it."""
    service_of: Callable[[Plan, Effect], Service | None] = _no_service
    """The service of the plan that an effect is about."""
    fields: Mapping[str, str] = {}
    """The field of that service that a setting is made of."""
    origins: Callable[[Plan, Effect, str], list[Origin]] = _no_origins
    """Where a setting that no service has may have its value from."""
    at_start: Action | None = None
    """What a service needs to take a change of these files, if it reads them at its start."""
