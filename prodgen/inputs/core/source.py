"""The text of an input file, and the way from an offset in it to a line and a column."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import Final

from prodgen.diagnostics import Location
from prodgen.inputs.redact.excerpt import excerpt
from prodgen.inputs.redact.patterns import secret_names

LINE_BREAK = re.compile(r"\r\n|\n|\r")
LONGEST_LINE = 20_000
"""Characters; a longer line is not shown under a message."""
CONTEXT = 4000
"""Characters before a line that may hold the key of a secret value in it, such as a long PEM."""


class Source:
    """One input file as text. `name` is what messages call it: its path below the bench.

    `bom` is whether a byte order mark stood before the text, and `secret` whether no line of it
    may be shown, as with `.env`.
    """

    __slots__ = ("__dict__", "bom", "name", "secret", "text")
    """`__dict__` is for what is worked out when somebody asks, which is rare."""

    def __init__(self, name: str, text: str, *, bom: bool = False, secret: bool = False) -> None:
        self.name: Final = name
        self.text: Final = text
        self.bom: Final = bom
        self.secret: Final = secret

    @cached_property
    def _shown(self) -> dict[int, str]:
        """The lines that were asked for. Many places share one: its text is kept once."""
        return {}

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line begins."""
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]

    def line_text(self, line: int) -> str:
        """The line (counted from 1) without its line break."""
        return self.text[slice(*self._line_span(line))]

    def locate(self, offset: int, length: int = 1) -> Location:
        """The place of `offset`, which may be the end of the text."""
        line = bisect_right(self.line_starts, offset)
        column = offset - self.line_starts[line - 1] + 1
        return Location(self.name, line, column, length, self._line_to_show(line))

    def shown(self, start: int, end: int) -> str:
        """The text between two offsets of one line as a message may quote it."""
        line = bisect_right(self.line_starts, start)
        first = self.line_starts[line - 1]
        return self._line_to_show(line)[start - first : end - first] or "…"

    @property
    def whole(self) -> Location:
        """The file as such, where no line is to blame."""
        return Location(self.name)

    def _line_to_show(self, line: int) -> str:
        """The line without its secrets; empty where nobody could or should read it."""
        if line not in self._shown:
            start, end = self._line_span(line)
            before = self._secret_before(start, end)
            readable = not self.secret and end - start <= LONGEST_LINE
            self._shown[line] = excerpt(self.text[before:end])[start - before :] if readable else ""
        return self._shown[line]

    def _secret_before(self, start: int, end: int) -> int:
        """Where the line begins whose secret may reach into the text from `start` to `end`."""
        names = self._secret_names
        near = bisect_left(names, start - CONTEXT)
        if near == len(names) or names[near] >= end:
            return start
        line = bisect_right(self.line_starts, names[near])
        return min(start, self.line_starts[line - 1])

    @cached_property
    def _secret_names(self) -> list[int]:
        """The offsets of all names of secrets: a file has few, and many lines may be shown."""
        return [found.start() for found in secret_names(self.text)]

    def _line_span(self, line: int) -> tuple[int, int]:
        start = self.line_starts[line - 1]
        found = LINE_BREAK.search(self.text, start)
        return start, found.start() if found else len(self.text)
