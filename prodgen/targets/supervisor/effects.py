"""What `supervisorctl update` would do: a group that differs in anything is stopped and started.

supervisord compares every option of every program in a group (`ProcessGroupConfig.__eq__` in
supervisor/options.py); the order of sections, comments and layout it does not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prodgen.plan.core.model import Plan, Service
from prodgen.targets.core.effects import (
    Action,
    Effect,
    Reason,
    Startup,
    StartupFiles,
    TargetEffects,
    reasons_of,
)
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.core.meaning import merged
from prodgen.targets.supervisor.groups import own_program_name
from prodgen.targets.supervisor.parse import supervisor_blocks
from prodgen.targets.supervisor.sections import Group, Program, groups_of, names_path

FIELDS = {
    "command": "argv",
    "numprocs": "instances",
    "process_name": "instances",
    "directory": "directory",
    "user": "user",
    "environment": "environment",
    "stopwaitsecs": "stop",
    "stopsignal": "stop",
    "socket": "listen",
    "stdout_logfile": "log",
    "stderr_logfile": "log",
}
"""Which field of a service a setting is made of."""


def _groups_in(side: FileSet) -> dict[str, Group]:
    return groups_of(merged(side, "supervisor", supervisor_blocks))


def processes_of(side: FileSet) -> list[str]:
    """The processes that Supervisor runs by these files: `group:name`."""
    return [
        f"{group.name}:{process}"
        for group in _groups_in(side).values()
        for program in group.programs.values()
        for process in program.processes
    ]


def supervisor_effects(old: FileSet, new: FileSet, read_files: StartupFiles) -> Iterator[Effect]:
    """Each process of Supervisor and what happens to it."""
    before, after = _groups_in(old), _groups_in(new)
    read = _programs_reading(read_files, after)
    touched = set()
    for name in dict.fromkeys([*before, *after]):
        for effect in _group_effects(before.get(name), after.get(name)):
            touched.add(effect.program)
            yield _also_read(effect, read)
    for group in after.values():
        for program in group.programs.values():
            if program.section in read and program.section not in touched:
                yield from _file_effects(group, program, read[program.section])


def _group_effects(old: Group | None, new: Group | None) -> Iterator[Effect]:
    if old == new:
        return
    for program in old.programs.values() if old else ():
        follower = new.programs.get(program.name) if new else None
        kept = follower.processes if follower else []
        for process in program.processes:
            if old and process not in kept:
                yield Effect(
                    "supervisor",
                    f"{old.name}:{process}",
                    Action.STOP,
                    because_of="no longer wanted",
                    seconds=old.seconds,
                    program=program.section,
                    own_seconds=program.seconds,
                )
    for program in new.programs.values() if new else ():
        yield from _program_effects(old, new, program)


def _program_effects(old: Group | None, new: Group | None, program: Program) -> Iterator[Effect]:
    former = old.programs.get(program.name) if old else None
    reasons = _reasons(former, program) if former else ()
    for process in program.processes:
        begun = Effect("supervisor", process, Action.START, reasons, program=program.section)
        if old and former and process in former.processes:
            words = "" if reasons else f"Supervisor restarts the group {old.name} as a whole"
            yield begun._replace(
                subject=f"{old.name}:{process}",
                action=Action.RESTART,
                because_of=words,
                seconds=old.seconds,
                own_seconds=former.seconds,
            )
        elif new:
            words = "" if reasons else "new"
            yield begun._replace(subject=f"{new.name}:{process}", because_of=words)


def _reasons(former: Program, program: Program) -> tuple[Reason, ...]:
    reasons = reasons_of(former.block, program.block)
    if former.section != program.section:
        return (*reasons, Reason("section", former.section, program.section))
    return reasons


def _programs_reading(files: StartupFiles, groups: Mapping[str, Group]) -> dict[str, Startup]:
    """By their sections the programs whose command names one of the files."""
    return {
        program.section: startup
        for path, startup in files.items()
        for group in groups.values()
        for program in group.programs.values()
        if names_path(program, str(path))
    }


def _also_read(effect: Effect, read: Mapping[str, Startup]) -> Effect:
    """A restart with what differs in the files that the program reads then, beside its own."""
    if effect.action is not Action.RESTART or effect.program not in read:
        return effect
    reasons = (*effect.reasons, *read[effect.program].reasons)
    return effect._replace(reasons=reasons, because_of="")


def _file_effects(group: Group, program: Program, startup: Startup) -> Iterator[Effect]:
    for process in program.processes:
        yield Effect(
            "supervisor",
            f"{group.name}:{process}",
            startup.action,
            startup.reasons,
            seconds=program.seconds,
            program=program.section,
        )


def _service_of(plan: Plan, effect: Effect) -> Service | None:
    name = effect.program.partition(":")[2]
    return next((one for one in plan.services if own_program_name(plan, one) == name), None)


EFFECTS = TargetEffects(
    parse=supervisor_blocks,
    effects=supervisor_effects,
    running=processes_of,
    service_of=_service_of,
    fields=FIELDS,
)
