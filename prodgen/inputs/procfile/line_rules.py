"""A raw Procfile line and the rules that find faults in it; the first fault found is reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

from prodgen.diagnostics import Diagnostic, Location, error, warning
from prodgen.inputs.core.source import Source
from prodgen.inputs.core.suggest import nearest
from prodgen.inputs.redact.patterns import mask

PROCESS = r"(?s)(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>.*)"
LIKE_A_PROCESS = r"\s*([^\s:#]{1,40})\s*:(?!//)\s*\S"
BLANK_BEFORE_COLON = r"[A-Za-z0-9_-]+\s+:"
MERGE_MARKER = r"(<{7}|={7}|>{7}|\|{7})(\s|$)"
UNICODE_BREAK = "[\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]"
"""What `str.splitlines` takes for a line break besides CR and LF, and with it Honcho."""
FORGED_BLANK = "[\xa0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]"
"""What looks like a blank, or like nothing, and is part of a word to a shell."""
LONGEST_NAME = 63
MAIN_NAMES = ("web", "socketio", "schedule", "worker", "watch", "redis_cache", "redis_queue")


def unicode_break(text: str) -> re.Match[str] | None:
    """The first of these in the text; None for text that has nothing unprintable."""
    return None if text.isprintable() else re.search(UNICODE_BREAK, text)


class RawLine:
    """A line, without its line break, that begins at the offset `start` of the file."""

    def __init__(self, source: Source, number: int, start: int, text: str) -> None:
        self.source: Final = source
        self.number: Final = number
        self.start: Final = start
        self.text: Final = text

    @cached_property
    def stripped(self) -> str:
        return self.text.rstrip(" \t")

    @cached_property
    def match(self) -> re.Match[str] | None:
        """Name and command, if Honcho takes the line for a process (the command may be empty)."""
        return re.fullmatch(PROCESS, self.stripped)

    @property
    def name(self) -> str:
        return self.match["name"] if self.match else ""

    @property
    def command(self) -> str:
        return self.match["command"] if self.match else ""

    @property
    def command_start(self) -> int:
        """The offset of the command in the line."""
        return self.match.start("command") if self.match else 0

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip())

    @property
    def is_blank(self) -> bool:
        return not self.text.strip() and not unicode_break(self.text)

    @property
    def is_comment(self) -> bool:
        return self.text.lstrip().startswith("#") and not unicode_break(self.text)

    def locate(self, column: int, length: int = 1) -> Location:
        """The place `column` characters into the line."""
        return self.source.locate(self.start + column, length)


def find_line_fault(line: RawLine) -> Diagnostic | None:
    """The fault that keeps this line from being a process; None if it is one."""
    for rule in RULES if line.match is None or not line.command else RULES_FOR_PROCESSES:
        fault = rule(line)
        if fault:
            return fault
    return None


def line_warnings(line: RawLine) -> list[Diagnostic]:
    """Warnings about a line that is a valid process."""
    found = []
    forged = None if line.command.isascii() else re.search(FORGED_BLANK, line.command)
    if forged:
        found.append(
            warning(
                "PG110",
                f"an invisible character (U+{ord(forged[0]):04X}) that the shell takes for a "
                "part of a word",
                line.locate(line.command_start + forged.start()),
                "write an ordinary blank, or remove it",
            )
        )
    if len(line.name) > LONGEST_NAME:
        found.append(
            warning(
                "PG107",
                f"a name of {len(line.name)} characters",
                line.locate(0, len(line.name)),
                f"use {LONGEST_NAME} or fewer, which are safe everywhere",
            )
        )
    return found


def _unicode_break(line: RawLine) -> Diagnostic | None:
    found = unicode_break(line.text)
    if not found:
        return None
    return error(
        "PG105",
        f"a control character (U+{ord(found[0]):04X}) that Honcho takes for a line break",
        line.locate(found.start()),
        "remove it",
    )


def _nul(line: RawLine) -> Diagnostic | None:
    if "\0" not in line.text:
        return None
    return error("PG105", "a NUL character", line.locate(line.text.index("\0")), "remove it")


def _behind_byte_order_mark(line: RawLine) -> Diagnostic | None:
    if line.number != 1 or not line.source.bom:
        return None
    return error(
        "PG101",
        f"a byte order mark before `{line.name}` hides it from Honcho",
        line.locate(0, len(line.name)),
        "save the file as UTF-8 without a byte order mark",
    )


def _continuation(line: RawLine) -> Diagnostic | None:
    if not line.stripped.endswith("\\"):
        return None
    return error(
        "PG106",
        "a Procfile has no line continuation",
        line.locate(len(line.stripped) - 1),
        "put the whole command on one line",
    )


def _no_command(line: RawLine) -> Diagnostic | None:
    if line.match is None:
        return None
    return error(
        "PG102",
        f"the process `{line.name}` has no command",
        line.locate(0, len(line.name)),
        "give it one, or remove the line",
    )


def _merge_conflict(line: RawLine) -> Diagnostic | None:
    if not re.match(MERGE_MARKER, line.text):
        return None
    return error(
        "PG108",
        "a merge conflict that nobody resolved",
        line.locate(0, 7),
        "choose one side and remove the markers",
    )


def _misspelt_process(line: RawLine) -> Diagnostic | None:
    like = re.match(LIKE_A_PROCESS, line.text)
    if not like:
        return None
    message, way_out = _why_no_process(line.text, like[1])
    place = line.locate(like.start(1), len(like[1]))
    return error("PG101", message, place, f"{way_out}; as it is, Honcho drops the line in silence")


def _why_no_process(text: str, name: str) -> tuple[str, str]:
    """What is wrong with the beginning of a line, and the way out."""
    if name.startswith("\ufeff"):
        return "a byte order mark before the name", "remove it"
    if text[0].isspace():
        return f"the process `{name}` is indented", "begin it in the first column"
    if re.match(BLANK_BEFORE_COLON, text):
        return f"a blank before the colon of `{name}`", f"write `{name}: COMMAND`"
    return f"`{mask(name)}` is no name for a process", "use letters, digits, `_` and `-`"


def _forgotten_colon(line: RawLine) -> Diagnostic | None:
    word = line.text.split()[0]
    near = nearest(word, MAIN_NAMES, 0.8)
    if not near:
        return None
    return error(
        "PG101",
        "this looks like a process without its colon",
        line.locate(line.indent, len(word)),
        f"write `{near}: COMMAND`",
    )


def _prose(line: RawLine) -> Diagnostic:
    return warning(
        "PG109",
        "this line is no process; Honcho drops it in silence",
        line.locate(line.indent, len(line.text.strip())),
        "make it a comment with `#`, or remove it",
    )


Rule = Callable[[RawLine], Diagnostic | None]

RULES_FOR_PROCESSES: Sequence[Rule] = (
    _unicode_break,
    _nul,
    _behind_byte_order_mark,
    _continuation,
)
RULES: Sequence[Rule] = (
    _unicode_break,
    _nul,
    _no_command,
    _merge_conflict,
    _misspelt_process,
    _forgotten_colon,
    _prose,
)
