"""What a change of config does to what runs: which process, unit and server block, and why.

Decided by what the files mean: comments, order and layout touch nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from prodgen.targets.core.effects import Action, Effect, Startup, StartupFiles, changed_files
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.registry import MODULES, load_effects


def spared(effects: Iterable[Effect], groups: Collection[str]) -> list[Effect]:
    """The effects, but what is in these groups of Supervisor's goes on as it runs."""
    words = "goes on as it runs; logs and limits come with its next start"
    return [
        Effect(one.target, one.subject, Action.NOTHING, because_of=words, program=one.program)
        if one.subject.partition(":")[0] in groups
        else one
        for one in effects
    ]


def running(side: FileSet) -> set[str]:
    """The processes and units that run where a side is installed, as their manager calls them."""
    return {name for target in _targets_of(side) for name in load_effects(target).running(side)}


def impact(old: FileSet, new: FileSet) -> list[Effect]:
    """All that happens where `new` takes the place of `old`, in the order of the targets."""
    present = _targets_of(old, new)
    read = _startup_files(present, old, new)
    return [effect for target in present for effect in load_effects(target).effects(old, new, read)]


def _targets_of(*sides: FileSet) -> list[str]:
    """The targets that have files on one of the sides, in the registry's order."""
    found = {placed.target for side in sides for placed in side.values()}
    return [name for name in MODULES if name in found]


def _startup_files(targets: Iterable[str], old: FileSet, new: FileSet) -> StartupFiles:
    """The files that services read at their start, as far as they mean something else now."""
    found = {}
    for target in targets:
        made = load_effects(target)
        if made.at_start:
            for path, reasons in changed_files(old, new, target, made.parse).items():
                found[path] = Startup(made.at_start, reasons)
    return found
