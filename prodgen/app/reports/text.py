"""Diagnostics for people: one line that says it, the place with a caret, one line of help."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from prodgen.app.reports.layout import Layout
from prodgen.app.terminal.color import style
from prodgen.app.terminal.text import (
    CUT,
    columns_of,
    printable,
    shortened,
    width,
    wrapped,
    write_stderr,
)
from prodgen.diagnostics import Diagnostic, Location, Severity, in_order

COLORS = {Severity.ERROR: "red", Severity.WARNING: "magenta", Severity.NOTE: None}
WIDTH = 70
"""Columns of a source line that are shown; with its number that stays within 80."""
HELP_INDENT = " " * 8


def show_diagnostics(
    diagnostics: Iterable[Diagnostic], *, color: bool, quiet: bool = False, folder: str = ""
) -> None:
    """Print the diagnostics to standard error, by place; only errors if `quiet`."""
    wanted = (found for found in diagnostics if not quiet or found.severity is Severity.ERROR)
    write_stderr(report(wanted, Layout(PurePosixPath(folder), color, columns_of(sys.stderr))))


def report(found: Iterable[Diagnostic], layout: Layout) -> str:
    """The diagnostics by place, each on lines of its own."""
    lines = (line for one in in_order(found) for line in _Text(one, layout))
    return "".join(f"{line}\n" for line in lines)


class _Text:
    """One diagnostic as lines of text."""

    def __init__(self, found: Diagnostic, layout: Layout) -> None:
        self.found = found
        self.layout = layout
        self.tone = COLORS[found.severity]

    def __iter__(self) -> Iterator[str]:
        found = self.found
        kind = "accepted" if found.accepted else found.severity.value
        word = f"{kind}[{found.code}]"
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
        if found.accepted:
            yield from self._wrapped(f"  because: {printable(found.accepted)}", HELP_INDENT)
            return
        for words, other in found.related:
            yield f"  {printable(words)}: {self._place(other)}"
        if found.help:
            yield from self._wrapped(f"  help: {printable(found.help)}", HELP_INDENT)

    def _wrapped(self, text: str, indent: str) -> list[str]:
        return wrapped(text, self.layout.columns, indent)

    def _paint(self, text: str, tone: str | None = None, *, bold: bool = False) -> str:
        return style(text, tone, bold=bold) if self.layout.color else text

    def _place(self, place: Location) -> str:
        return printable(str(self.layout.folder / str(place)))

    def _excerpt(self, place: Location) -> Iterator[str]:
        """The line with a caret under what is meant."""
        if not place.line or not place.text.strip():
            return
        shown, before, carets = excerpt(place.text, place.column - 1, place.length)
        number = str(place.line)
        underline = self._paint("^" * carets, self.tone, bold=True)
        yield f"  {number} | {shown}"
        yield f"  {' ' * len(number)} | {' ' * before}{underline}"


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
