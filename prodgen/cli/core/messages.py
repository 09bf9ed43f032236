"""Diagnostics for people: one line that says it, the place with a caret, one line of help."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from prodgen.app.terminal.color import RESET, style
from prodgen.diagnostics import Diagnostic, Location, Severity, in_order

COLORS = {Severity.ERROR: "red", Severity.WARNING: "magenta", Severity.NOTE: None}
WIDTH = 70
"""Columns of a source line that are shown; with its number that stays within 80."""
NARROWEST = 40
"""Columns that a line has at least: in fewer, lines of a word or two are no easier to read."""
HELP_INDENT = " " * 8
UNBROKEN = r"\s*(?:`[^`]*`|\S)+\s*"
"""A word with the blanks around it; a command in backticks is one, blanks and all."""
CUT = "..."
COLOR = r"(\x1b\[[0-9;:]*m)"
"""Select Graphic Rendition, the one command to a terminal that does nothing but colour."""
LONGEST = 600
"""Characters of a message."""


def show(
    diagnostics: Iterable[Diagnostic], *, color: bool, quiet: bool = False, folder: str = ""
) -> None:
    """Prints the diagnostics to standard error, by place; only errors where `quiet`."""
    wanted = (found for found in diagnostics if not quiet or found.severity is Severity.ERROR)
    say(as_text(wanted, color=color, folder=folder, columns=columns_of(sys.stderr)))


def columns_of(stream: TextIO) -> int:
    """How wide the terminal of a stream is; 0 where it is none, and nothing is wrapped."""
    if not stream.isatty():
        return 0
    import shutil

    return max(shutil.get_terminal_size().columns, NARROWEST)


def say(text: str) -> None:
    """Writes to standard error; where that fails there is nobody to tell."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def as_text(
    diagnostics: Iterable[Diagnostic], *, color: bool, folder: str = "", columns: int = 0
) -> str:
    """The diagnostics by place, each on lines of its own, of so many columns where any are given.

    `folder` is the way to the bench from here, so that a terminal or editor finds the files.
    """
    texts = (_Text(found, color, folder, columns) for found in in_order(diagnostics))
    lines = (line for text in texts for line in text)
    return "".join(f"{line}\n" for line in lines)


class _Text:
    """One diagnostic as lines of text."""

    def __init__(self, found: Diagnostic, color: bool, folder: str, columns: int) -> None:
        self.found = found
        self.color = color
        self.folder = folder
        self.columns = columns
        self.tone = COLORS[found.severity]

    def __iter__(self) -> Iterator[str]:
        found = self.found
        word = f"{found.severity.value}[{found.code}]"
        head = self._paint(word, self.tone, bold=True)
        message = shortened(printable(found.message))
        if found.severity is Severity.NOTE:
            place = f" ({self._place(found.location)})" if found.location else ""
            first, *rest = self._wrapped(f"{word}: {message}{place}", "  ")
            yield head + first.removeprefix(word)
            yield from rest
        else:
            first, *rest = self._wrapped(f"{word}: {message}", "  ")
            yield f"{head}: {self._paint(first.removeprefix(f'{word}: '), bold=True)}"
            yield from (f"  {self._paint(line.strip(), bold=True)}" for line in rest)
            if found.location:
                yield f"  --> {self._place(found.location)}"
                yield from self._excerpt(found.location)
        for words, other in found.related:
            yield f"  {printable(words)}: {self._place(other)}"
        if found.help:
            yield from self._wrapped(f"  help: {printable(found.help)}", HELP_INDENT)

    def _wrapped(self, text: str, indent: str) -> list[str]:
        return wrapped(text, self.columns, indent)

    def _paint(self, text: str, tone: str | None = None, *, bold: bool = False) -> str:
        return style(text, tone, bold=bold) if self.color else text

    def _place(self, place: Location) -> str:
        return printable(str(Path(self.folder, str(place))))

    def _excerpt(self, place: Location) -> Iterator[str]:
        """The line with a caret under what is meant."""
        if not place.line or not place.text.strip():
            return
        shown, before, carets = excerpt(place.text, place.column - 1, place.length)
        number = str(place.line)
        underline = self._paint("^" * carets, self.tone, bold=True)
        yield f"  {number} | {shown}"
        yield f"  {' ' * len(number)} | {' ' * before}{underline}"


def wrapped(text: str, columns: int, indent: str) -> list[str]:
    """The text as lines of so many columns, all but the first indented; with 0, one line.

    What stands in backticks is to be copied and stays whole, as does every word, however long.
    """
    if not columns or width(text) <= columns:
        return [text]
    lines, line = [], ""
    for word in re.findall(UNBROKEN, text):
        if line.strip() and width(line + word.rstrip()) > columns:
            lines.append(line.rstrip())
            line = indent
        line += word
    return [*lines, line.rstrip()]


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


def with_colors(text: str) -> str:
    """As `printable`, but colours stay: the text is what some process has written to its log."""
    if text.isprintable():
        return text
    parts = re.split(COLOR, text)  # every second one is a colour
    shown = "".join(one if at % 2 else printable(one) for at, one in enumerate(parts))
    return f"{shown}{RESET}" if len(parts) > 1 else shown


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
