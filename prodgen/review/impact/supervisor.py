"""What `supervisorctl update` would do: a group that differs in anything is stopped and started.

supervisord compares every option of every program in a group (`ProcessGroupConfig.__eq__` in
supervisor/options.py); the order of sections, comments and layout it does not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prodgen.review.core.file_sets import Side
from prodgen.review.core.parse import Block
from prodgen.review.impact.model import Action, Effect, Reason, changed_files, merged, reasons_of

KINDS = ("program", "fcgi-program", "eventlistener")
STOP_SECONDS = 10
"""Supervisor's default of `stopwaitsecs`."""


class Program(NamedTuple):
    """A section that makes processes."""

    name: str
    section: str
    block: Block

    def setting(self, key: str, default: str) -> str:
        """The value of a setting."""
        values = self.block.get(key)
        return values[0] if values else default

    @property
    def processes(self) -> list[str]:
        """The names of its processes, as supervisord makes them of `process_name`."""
        count = _number(self.setting("numprocs", "1"), 1)
        first = _number(self.setting("numprocs_start", "0"), 0)
        pattern = self.setting("process_name", "%(program_name)s")
        return [self._process(pattern, first + one) for one in range(count)]

    def _process(self, pattern: str, number: int) -> str:
        names = {"program_name": self.name, "process_num": number, "numprocs": 1}
        try:
            return str(pattern % names)
        except (KeyError, ValueError, TypeError):
            return f"{self.name}-{number}"

    @property
    def seconds(self) -> int:
        """How long supervisord waits for its end."""
        return _number(self.setting("stopwaitsecs", ""), STOP_SECONDS)


class Group(NamedTuple):
    """What supervisord replaces as one."""

    name: str
    block: Block
    programs: Mapping[str, Program]

    @property
    def seconds(self) -> int:
        return max((one.seconds for one in self.programs.values()), default=0)


def groups_of(blocks: Mapping[str, Block]) -> dict[str, Group]:
    """The groups that the sections make; a program in no `[group:x]` is one of its own."""
    programs = dict(_programs(blocks))
    found = {}
    grouped = set()
    for section, block in blocks.items():
        if section.startswith("group:"):
            names = [name for name in ",".join(block.get("programs", ())).split(",") if name]
            members = {name: programs[name] for name in names if name in programs}
            name = section.partition(":")[2].strip()
            found[name] = Group(name, block, members)
            grouped |= set(members)
    for name, program in programs.items():
        if name not in grouped:
            found[name] = Group(name, {}, {name: program})
    return found


def _programs(blocks: Mapping[str, Block]) -> Iterator[tuple[str, Program]]:
    for section, block in blocks.items():
        kind, _, name = section.partition(":")
        if kind in KINDS:
            yield name.strip(), Program(name.strip(), section, block)


def processes_of(side: Side) -> list[str]:
    """The processes that Supervisor runs by these files: `group:name`."""
    return [
        f"{group.name}:{process}"
        for group in groups_of(merged(side, "supervisor")).values()
        for program in group.programs.values()
        for process in program.processes
    ]


def supervisor_effects(old: Side, new: Side) -> Iterator[Effect]:
    """Each process of Supervisor and what happens to it."""
    before, after = groups_of(merged(old, "supervisor")), groups_of(merged(new, "supervisor"))
    read = _files_read(old, new, after)
    touched = set()
    for name in dict.fromkeys([*before, *after]):
        for effect in _group_effects(before.get(name), after.get(name)):
            touched.add(effect.program)
            yield _also_read(effect, read)
    for group in after.values():
        for program in group.programs.values():
            if program.section in read and program.section not in touched:
                yield from _file_effects(group, program, *read[program.section])


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


Read = dict[str, tuple[Action, tuple[Reason, ...]]]
"""By the section of a program: what a change of the files asks for that it reads at its start."""


def _files_read(old: Side, new: Side, groups: Mapping[str, Group]) -> Read:
    """The programs whose command names a file of Gunicorn's or Redis' settings that differs."""
    return {
        program.section: (action, reasons)
        for target, action in (("gunicorn", Action.ROLL), ("redis", Action.RESTART))
        for path, reasons in changed_files(old, new, target).items()
        for group in groups.values()
        for program in group.programs.values()
        if names(program, str(path))
    }


def _also_read(effect: Effect, read: Read) -> Effect:
    """A restart with what differs in the files that the program reads then, beside its own."""
    if effect.action is not Action.RESTART or effect.program not in read:
        return effect
    _, reasons = read[effect.program]
    return effect._replace(reasons=(*effect.reasons, *reasons), because_of="")


def _file_effects(
    group: Group, program: Program, action: Action, reasons: tuple[Reason, ...]
) -> Iterator[Effect]:
    for process in program.processes:
        subject = f"{group.name}:{process}"
        seconds, section = program.seconds, program.section
        yield Effect("supervisor", subject, action, reasons, "", seconds, section)


def names(program: Program, path: str) -> bool:
    """Whether the program's command names the file."""
    command = program.setting("command", "")
    return re.search(rf"(?<![^\s='\"]){re.escape(path)}(?![^\s'\"])", command) is not None


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else default
