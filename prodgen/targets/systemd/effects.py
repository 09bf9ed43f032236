"""What a change of units does: systemd reads them anew, and some settings need a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from prodgen.plan.core.model import Plan, Service
from prodgen.targets.core.effects import (
    Action,
    Effect,
    Startup,
    StartupFiles,
    TargetEffects,
    reasons_of,
)
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.core.meaning import Block, meanings
from prodgen.targets.systemd.parse import unit_blocks
from prodgen.targets.systemd.units import unit_file

LIVE = frozenset({
    "CPUQuota", "CPUWeight", "ExecReload", "ExecStop", "ExecStopPost", "FinalKillSignal",
    "IOWeight", "KillMode", "KillSignal", "MemoryHigh", "MemoryLow", "MemoryMax", "MemoryMin",
    "MemorySwapMax", "NotifyAccess", "OOMPolicy", "Restart", "RestartForceExitStatus",
    "RestartKillSignal", "RestartMaxDelaySec", "RestartPreventExitStatus", "RestartSec",
    "RestartSteps", "SendSIGHUP", "SendSIGKILL", "StartupCPUWeight", "StartupIOWeight",
    "SuccessExitStatus", "TasksMax", "TimeoutAbortSec", "TimeoutSec", "TimeoutStartFailureMode",
    "TimeoutStartSec", "TimeoutStopFailureMode", "TimeoutStopSec",
})  # fmt: skip
"""Settings of [Service] that systemd, not the process, goes by: a daemon-reload is enough
(systemd.service(5), systemd.kill(5), systemd.resource-control(5))."""
STOP_SECONDS = 90
"""systemd's default of TimeoutStopSec=."""
FIELDS = {
    "Service.ExecStart": "argv",
    "Service.WorkingDirectory": "directory",
    "Service.User": "user",
    "Service.Environment": "environment",
    "Service.TimeoutStopSec": "stop",
    "Service.KillSignal": "stop",
}
"""Which field of a service a setting is made of."""
Units = Mapping[str, Block]


def systemd_effects(old: FileSet, new: FileSet, read_files: StartupFiles) -> Iterator[Effect]:
    """Each unit of systemd that runs or is wanted, and what happens to it."""
    before, after = units_in(old), units_in(new)
    if not before and not after:
        return
    read = _units_reading(read_files, after)
    running, wanted = _wanted(before), _wanted(after)
    for unit in dict.fromkeys([*running, *wanted]):
        # No target of bench's wants its scheduler, which has a unit: a rollback leaves it running.
        if unit not in wanted and unit not in after:
            yield _stop(unit, before)
        elif unit not in running:
            yield Effect("systemd", unit, Action.START, (), "new", 0, file_of(unit))
        else:
            yield from _changed(unit, before, after, read)
    yield from _passive(before, after, {file_of(unit) for unit in (*running, *wanted)})


def units_of(side: FileSet) -> list[str]:
    """The services that systemd runs by these files."""
    return [unit for unit in _wanted(units_in(side)) if unit.endswith(".service")]


def file_of(unit: str) -> str:
    """The file of an instance: `x@.service` of `x@1.service`."""
    stem, at, rest = unit.partition("@")
    return f"{stem}@.{rest.rpartition('.')[2]}" if at else unit


def units_in(side: FileSet) -> dict[str, Block]:
    """The units of a side by name, each a block; of a drop-in with its folder's name."""
    files = meanings(side, "systemd", unit_blocks).items()
    return {_name(path): blocks.get("unit", {}) for path, blocks in files}


def _name(path: PurePosixPath) -> str:
    """A unit's name; that of a drop-in with its folder's."""
    return f"{path.parent.name}/{path.name}" if path.suffix == ".conf" else path.name


def _wanted(units: Units) -> list[str]:
    """The services and sockets that the targets want."""
    found = [
        word
        for name, block in units.items()
        if name.endswith(".target")
        for value in block.get("Unit.Wants", ())
        for word in value.split()
    ]
    return [
        unit
        for unit in dict.fromkeys(found)
        if file_of(unit) in units and not unit.endswith(".target")
    ]


def _stop(unit: str, before: Units) -> Effect:
    seconds = _seconds(before.get(file_of(unit), {}))
    return Effect("systemd", unit, Action.STOP, (), "no longer wanted", seconds, file_of(unit))


def _changed(
    unit: str, before: Units, after: Units, read: Mapping[str, Startup]
) -> Iterator[Effect]:
    name = file_of(unit)
    reasons = reasons_of(before[name], after[name])
    hard = tuple(reason for reason in reasons if _needs_restart(reason.key))
    seconds = _seconds(before[name])
    if hard:
        action = Action.ROLL if _has_socket(after[name]) else Action.RESTART
        also = read[name].reasons if name in read else ()
        yield Effect("systemd", unit, action, (*hard, *also), "", seconds, name)
    elif socket := _changed_socket(before, after, after[name]):
        words = f"{socket} closes and opens anew"
        yield Effect("systemd", unit, Action.RESTART, (), words, seconds, name)
    elif name in read:
        yield Effect("systemd", unit, *read[name], "", seconds, name)
    elif reasons:
        yield Effect("systemd", unit, Action.REREAD, reasons, "", 0, name)


def _needs_restart(key: str) -> bool:
    section, _, name = key.partition(".")
    return section == "Socket" or (section == "Service" and name not in LIVE)


def _has_socket(block: Block) -> bool:
    """Whether systemd holds its socket, so that one instance can follow the other."""
    return "Service.Sockets" in block


def _changed_socket(before: Units, after: Units, block: Block) -> str:
    for name in " ".join(block.get("Service.Sockets", ())).split():
        reasons = reasons_of(before.get(name, {}), after.get(name, {}))
        if any(_needs_restart(reason.key) for reason in reasons):
            return name
    return ""


def _units_reading(files: StartupFiles, units: Units) -> dict[str, Startup]:
    """By their names the units whose command names one of the files."""
    return {
        name: startup
        for path, startup in files.items()
        for name, block in units.items()
        if _names(block, path)
    }


def _names(block: Block, path: PurePosixPath) -> bool:
    words = " ".join(block.get("Service.ExecStart", ())).replace('"', " ").split()
    return str(path) in words


def _passive(before: Units, after: Units, active: set[str]) -> Iterator[Effect]:
    """Targets, slices and what only a socket starts: nothing of theirs runs."""
    for name in sorted(before.keys() | after.keys()):
        reasons = reasons_of(before.get(name, {}), after.get(name, {}))
        if name not in active and reasons:
            words = "new" if name not in before else "gone" if name not in after else ""
            yield Effect("systemd", name, Action.REREAD, () if words else reasons, words, 0, name)


def _seconds(block: Block) -> int:
    values = block.get("Service.TimeoutStopSec", ())
    return int(values[-1]) if values and values[-1].isdigit() else STOP_SECONDS


def _service_of(plan: Plan, effect: Effect) -> Service | None:
    return next((one for one in plan.services if unit_file(one) == effect.program), None)


EFFECTS = TargetEffects(
    parse=unit_blocks,
    effects=systemd_effects,
    running=units_of,
    service_of=_service_of,
    fields=FIELDS,
)
