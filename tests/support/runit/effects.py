"""What a program `run` means, and what a change of it does."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.plan.core.model import Plan, Service
from prodgen.targets.core.effects import Action, Effect, StartupFiles, TargetEffects, reasons_of
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.core.meaning import Block, meanings


def run_blocks(text: str) -> dict[str, Block]:
    """The lines of the shell, each by its first word."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {"run": {line.split()[0]: (line,) for line in lines}}


def _services(side: FileSet) -> dict[str, Block]:
    files = meanings(side, "runit", run_blocks)
    return {path.parent.name: blocks["run"] for path, blocks in files.items()}


def runit_effects(old: FileSet, new: FileSet, read: StartupFiles) -> Iterator[Effect]:
    """Each service, and what happens to it."""
    before, after = _services(old), _services(new)
    for name in dict.fromkeys([*before, *after]):
        reasons = reasons_of(before.get(name, {}), after.get(name, {}))
        words = " ".join(" ".join(values) for values in after.get(name, {}).values())
        reasons += tuple(
            reason
            for path, one in read.items()
            if str(path) in words.split()
            for reason in one.reasons
        )
        if name not in before:
            yield Effect("runit", name, Action.START, because_of="new", program=name)
        elif name not in after:
            yield Effect("runit", name, Action.STOP, because_of="no longer wanted", program=name)
        elif reasons:
            yield Effect("runit", name, Action.RESTART, reasons, program=name)


def _running(side: FileSet) -> list[str]:
    return list(_services(side))


def _service_of(plan: Plan, effect: Effect) -> Service | None:
    return next((one for one in plan.services if one.name.value == effect.program), None)


EFFECTS = TargetEffects(
    parse=run_blocks,
    effects=runit_effects,
    running=_running,
    service_of=_service_of,
    fields={"exec": "argv", "cd": "directory"},
)
