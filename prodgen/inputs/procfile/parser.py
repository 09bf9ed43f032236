"""The Procfile: what Honcho accepts, and a word about every line that it would drop.

`bench start` runs Honcho, so its grammar decides (honcho/environ.py): `NAME: COMMAND` with a
name of letters, digits, `_` and `-`. Honcho ignores every other line in silence; here each is
a comment, a warning or an error.
"""

from __future__ import annotations

from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, Location, error
from prodgen.inputs.core.source import Source
from prodgen.inputs.procfile.line_rules import RawLine, find_line_fault, line_warnings
from prodgen.inputs.procfile.shell_command import Command, parse_command

MOST_LINES = 5000
"""Lines of a Procfile; the longest of a hundred public ones has 47."""


class ProcfileEntry(NamedTuple):
    """One process of a Procfile."""

    name: str
    command: Command
    location: Location
    command_location: Location


class Procfile(NamedTuple):
    """The processes of a Procfile in the order of the file."""

    entries: tuple[ProcfileEntry, ...]


def parse_procfile(source: Source) -> tuple[Procfile, list[Diagnostic]]:
    """The processes, and what is wrong with the rest of the file."""
    if len(source.line_starts) > MOST_LINES:
        message = f"this Procfile has more than {MOST_LINES:,} lines"
        way_out = "a Procfile has a few lines; look at what got into this one"
        return Procfile(()), [error("PG002", message, source.whole, way_out)]
    found: list[Diagnostic] = []
    entries: dict[str, ProcfileEntry] = {}
    above: RawLine | None = None
    for line in _lines_that_matter(source):
        fault = find_line_fault(line)
        said_above, above = _is_said_above(fault, line, above, found), line
        if fault:
            found += [] if said_above else [fault]
            continue
        found += line_warnings(line)
        entry = _entry(line)
        if entry.name in entries:
            found.append(_second_of_its_name(entry, entries[entry.name]))
        else:
            entries[entry.name] = entry
    if not entries and not found:
        example = "a process is a line like `web: bench serve --port 8000`"
        found.append(error("PG104", "the Procfile names no process", source.whole, example))
    return Procfile(tuple(entries.values())), found


def _is_said_above(
    fault: Diagnostic | None, line: RawLine, above: RawLine | None, found: list[Diagnostic]
) -> bool:
    """Whether the fault belongs to one that is known: of the same conflict, or continued line."""
    if fault is None or above is None:
        return False
    if fault.code == "PG108":
        return not line.text.startswith("<") and any(one.code == "PG108" for one in found)
    is_next = above.number == line.number - 1
    return fault.code == "PG109" and is_next and above.stripped.endswith("\\")


def _lines_that_matter(source: Source) -> list[RawLine]:
    """All lines but the blank ones and the comments."""
    lines = [
        RawLine(source, number, start, source.line_text(number))
        for number, start in enumerate(source.line_starts, 1)
    ]
    return [line for line in lines if not line.is_blank and not line.is_comment]


def _entry(line: RawLine) -> ProcfileEntry:
    return ProcfileEntry(
        line.name,
        parse_command(line.command),
        line.locate(0, len(line.name)),
        line.locate(line.command_start, len(line.command)),
    )


def _second_of_its_name(entry: ProcfileEntry, first: ProcfileEntry) -> Diagnostic:
    return error(
        "PG103",
        f"a second process called `{entry.name}`",
        entry.location,
        "Honcho refuses such a Procfile; rename or remove one of the two",
        (("the first one", first.location),),
    )
