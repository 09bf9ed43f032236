"""Diagnostics for people: one line that says it, the place with a caret, one line of help."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from prodgen.diagnostics import Diagnostic, Location, Severity, in_order

COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "blue"}
WIDTH = 70
"""Columns of a source line that are shown; with its number that stays within 80."""
CUT = "..."
LONGEST = 600
"""Characters of a message."""


def show(
    diagnostics: Iterable[Diagnostic], *, color: bool, quiet: bool = False, folder: str = ""
) -> None:
    """Prints the diagnostics to standard error, by place; only errors where `quiet`."""
    wanted = (found for found in diagnostics if not quiet or found.severity is Severity.ERROR)
    say(as_text(wanted, color=color, folder=folder))


def say(text: str) -> None:
    """Writes to standard error; where that fails there is nobody to tell."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def as_text(diagnostics: Iterable[Diagnostic], *, color: bool, folder: str = "") -> str:
    """The diagnostics by place, each on lines of its own.

    `folder` is the way to the bench from here, so that a terminal or editor finds the files.
    """
    lines = (line for found in in_order(diagnostics) for line in _Text(found, color, folder))
    return "".join(f"{line}\n" for line in lines)


class _Text:
    """One diagnostic as lines of text."""

    def __init__(self, found: Diagnostic, color: bool, folder: str) -> None:
        self.found = found
        self.color = color
        self.folder = folder
        self.tone = COLORS[found.severity]

    def __iter__(self) -> Iterator[str]:
        found = self.found
        head = self._paint(f"{found.severity.value}[{found.code}]", self.tone, bold=True)
        message = shortened(printable(found.message))
        if found.severity is Severity.NOTE:
            place = f" ({self._place(found.location)})" if found.location else ""
            yield f"{head}: {message}{place}"
        else:
            yield f"{head}: {self._paint(message, bold=True)}"
            if found.location:
                yield f"  {self._paint('-->', 'blue')} {self._place(found.location)}"
                yield from self._excerpt(found.location)
        for words, other in found.related:
            yield f"  {printable(words)}: {self._place(other)}"
        if found.help:
            yield f"  help: {printable(found.help)}"

    def _paint(self, text: str, tone: str | None = None, *, bold: bool = False) -> str:
        return click.style(text, fg=tone, bold=bold) if self.color else text

    def _place(self, place: Location) -> str:
        return printable(str(Path(self.folder, str(place))))

    def _excerpt(self, place: Location) -> Iterator[str]:
        """The line with a caret under what is meant."""
        if not place.line or not place.text.strip():
            return
        shown, before, carets = excerpt(place.text, place.column - 1, place.length)
        number, bar = str(place.line), self._paint("|", "blue")
        underline = self._paint("^" * carets, self.tone, bold=True)
        yield f"  {number} {bar} {shown}"
        yield f"  {' ' * len(number)} {bar} {' ' * before}{underline}"


def excerpt(line: str, start: int, length: int) -> tuple[str, int, int]:
    """The line as a terminal shows it, the columns before its character `start`, those under it.

    A line that is too long is cut at both ends around what is meant.
    """
    cells = [printable(char) for char in line]
    start = min(start, len(cells))
    first = start - _reach(cells[:start][::-1], WIDTH // 2)
    head = CUT if first else ""
    shown = _reach(cells[first:], WIDTH - len(head))
    tail = CUT if first + shown < len(cells) else ""
    before = width(head + "".join(cells[first:start]))
    under = width("".join(cells[start : min(start + length, first + shown)]))
    return head + "".join(cells[first : first + shown]) + tail, before, max(1, under)


def _reach(cells: list[str], columns: int) -> int:
    """How many of the cells fit into so many columns."""
    for number, cell in enumerate(cells):
        columns -= width(cell)
        if columns < 0:
            return number
    return len(cells)


def printable(text: str) -> str:
    """The text without anything that a terminal would obey; a tab or line break is one blank."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if char in "\t\n":
        return " "
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8 (PEP 383)
        code -= 0xDC00
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def shortened(text: str) -> str:
    """The text without its middle where it is longer than anyone would read."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]}{CUT}{text[-half:]}"


def width(text: str) -> int:
    """The columns that the text takes on a terminal; East Asian characters take two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )
