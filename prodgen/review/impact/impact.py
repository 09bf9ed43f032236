"""What a change of config does to what runs: which process, unit and server block, and why.

Decided by what the files mean: comments, order and layout touch nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from prodgen.review.core.file_sets import Side
from prodgen.review.impact.model import Action, Effect, merged, reasons_of
from prodgen.review.impact.supervisor import processes_of, supervisor_effects
from prodgen.review.impact.systemd import systemd_effects, units_of


def nginx_effects(old: Side, new: Side) -> Iterator[Effect]:
    """Each block of nginx that differs; the whole of nginx reloads, which no request notices."""
    before, after = merged(old, "nginx"), merged(new, "nginx")
    for name in dict.fromkeys([*before, *after]):
        reasons = reasons_of(before.get(name, {}), after.get(name, {}))
        if reasons:
            words = "new" if name not in before else "gone" if name not in after else ""
            given = () if words else reasons
            yield Effect("nginx", name, Action.RELOAD, given, words, program=name)


def spared(effects: Iterable[Effect], groups: Collection[str]) -> list[Effect]:
    """The effects, but what is in these groups of Supervisor's goes on as it runs."""
    words = "goes on as it runs; logs and limits come with its next start"
    return [
        Effect(one.target, one.subject, Action.NOTHING, because_of=words, program=one.program)
        if one.subject.partition(":")[0] in groups
        else one
        for one in effects
    ]


def running(side: Side) -> set[str]:
    """The processes and units that run where a side is installed, as their manager calls them."""
    return {*processes_of(side), *units_of(side)}


def impact(old: Side, new: Side) -> list[Effect]:
    """All that happens where `new` takes the place of `old`, in the order of the targets."""
    found = [*supervisor_effects(old, new), *systemd_effects(old, new)]
    return [*found, *nginx_effects(old, new)]
