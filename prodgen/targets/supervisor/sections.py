"""The sections of a Supervisor file as supervisord takes them: programs, processes, groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prodgen.targets.core.meaning import Block

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


def names_path(program: Program, path: str) -> bool:
    """Whether the program's command names the file."""
    command = program.setting("command", "")
    return re.search(rf"(?<![^\s='\"]){re.escape(path)}(?![^\s'\"])", command) is not None


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else default
