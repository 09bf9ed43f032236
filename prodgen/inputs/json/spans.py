"""Where everything stands in a JSON text: the tokens of any text, the spans of a valid one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from prodgen.inputs.core.document import Path, Span

BLANK = re.compile(r"[ \t\n\r]*")
STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
SCALAR = re.compile(r'[^\s,\]}\["{:]+')
TOKEN = re.compile(
    r"""
    (?P<string> "[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z) )
    | (?P<open> [\[{] )
    | (?P<close> [\]}] )
    | (?P<scalar> [^\s,\]}\["{:]+ )
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Each string, bracket and scalar of the text in its order, by kind; it may be no JSON."""
    for found in TOKEN.finditer(text):
        yield found.lastgroup or "", found


def nests_deeper(text: str, levels: int) -> int | None:
    """The offset of the first bracket that opens more than `levels` levels; None where none."""
    if text.count("{") + text.count("[") <= levels:
        return None
    depth = 0
    for kind, found in tokens(text):
        if kind == "open":
            depth += 1
            if depth > levels:
                return found.start()
        elif kind == "close":
            depth -= 1
    return None


def find_spans(text: str) -> dict[Path, Span]:
    """The span of every value of a valid JSON text, by path; of a repeated key the first."""
    return Scanner(text).scan()


class Scanner:
    """One pass over a text that is known to be JSON and not to nest deeply."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: dict[Path, Span] = {}
        self.overwritten: list[tuple[Path, Span]] = []
        """Keys that stand a second time in their object."""

    def scan(self) -> dict[Path, Span]:
        self._value((), self._skip(BLANK, 0), None)
        return self.spans

    def _skip(self, pattern: re.Pattern[str], at: int) -> int:
        """The offset behind what `pattern` matches; in valid JSON it does."""
        found = pattern.match(self.text, at)
        return found.end() if found else at + 1

    def _value(self, path: Path, at: int, key: tuple[int, int] | None) -> int:
        opening = self.text[at]
        if opening == "{":
            end = self._members(path, at + 1)
        elif opening == "[":
            end = self._items(path, at + 1)
        else:
            end = self._skip(STRING if opening == '"' else SCALAR, at)
        span = Span(*(key or (at, at)), at, end)
        self.spans.setdefault(path, span)
        return end

    def _members(self, path: Path, at: int) -> int:
        at = self._skip(BLANK, at)
        seen: set[str] = set()
        while self.text[at] != "}":
            key_start, key_end = at, self._skip(STRING, at)
            key = json.loads(self.text[key_start:key_end])
            at = self._skip(BLANK, self._skip(BLANK, key_end) + 1)
            below, start = (*path, key), at
            at = self._value(below, start, (key_start, key_end))
            if key in seen:
                self.overwritten.append((below, Span(key_start, key_end, start, at)))
            seen.add(key)
            at = self._skip(BLANK, at)
            if self.text[at] == ",":
                at = self._skip(BLANK, at + 1)
        return at + 1

    def _items(self, path: Path, at: int) -> int:
        at, index = self._skip(BLANK, at), 0
        while self.text[at] != "]":
            at = self._skip(BLANK, self._value((*path, index), at, None))
            index += 1
            if self.text[at] == ",":
                at = self._skip(BLANK, at + 1)
        return at + 1
