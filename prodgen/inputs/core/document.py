"""A parsed JSON or YAML file whose values can be asked for their place in the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from prodgen.diagnostics import Location
from prodgen.inputs.core.source import Source
from prodgen.provenance import Kind, Origin

Path = tuple[str | int, ...]

PLAIN_KEY = r"[^\s.\[\]\"'`]+"


class Span(NamedTuple):
    """Offsets of a key (equal where there is none, as in a list) and of its value."""

    key_start: int
    key_end: int
    start: int
    end: int


class Document:
    """Data with the text it was read from. Places are looked up only when somebody asks.

    `moved` tells where the values really stand that a merge has brought to a path of this one.
    """

    __slots__ = ("__dict__", "data", "find_spans", "kind", "moved", "source")

    def __init__(
        self,
        source: Source,
        data: object,
        find_spans: Callable[[str], Mapping[Path, Span]],
        kind: Kind = Kind.FILE,
        moved: Mapping[Path, tuple[Document, Path]] = {},
    ) -> None:
        self.source: Final = source
        self.data: Final = data
        self.find_spans: Final = find_spans
        self.kind: Final = kind
        self.moved: Final = moved

    @cached_property
    def spans(self) -> Mapping[Path, Span]:
        return self.find_spans(self.source.text)

    def locate_key(self, path: Path) -> Location:
        """The place of the key that `path` ends in, or of the value where it has no key."""
        home, path = self.home(path)
        span = home.spans.get(path)
        if span is None:
            return home.source.whole
        if span.key_end == span.key_start:
            return _locate(home.source, span.start, span.end)
        return _locate(home.source, span.key_start, span.key_end)

    def locate_value(self, path: Path) -> Location:
        """The place of the value at `path`."""
        home, path = self.home(path)
        span = home.spans.get(path)
        return _locate(home.source, span.start, span.end) if span else home.source.whole

    def origin(self, path: Path) -> Origin:
        """The origin of the value at `path`."""
        home, path = self.home(path)
        return Origin(home.kind, f"{dotted(path)} in {home.source.name}", ValuePlace(home, path))

    def home(self, path: Path) -> tuple[Document, Path]:
        """The document that the value at `path` stands in, and its path there."""
        for length in range(len(path), -1, -1) if self.moved else ():
            found = self.moved.get(path[:length])
            if found:
                document, start = found
                return document, (*start, *path[length:])
        return self, path


class ValuePlace(NamedTuple):
    """The place of one value of a document, found when asked for."""

    document: Document
    path: Path

    @property
    def location(self) -> Location:
        return self.document.locate_value(self.path)


def _locate(source: Source, start: int, end: int) -> Location:
    """The place of a piece of text; an empty one, such as YAML's null, is one column wide."""
    return source.locate(start, max(1, end - start))


def dotted(path: Path) -> str:
    """The path in words: `workers.email.timeout`, `domains[0]`, `sites["erp.example.com"]`."""
    words = "".join(_step(part) for part in path)
    return words.removeprefix(".")


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(PLAIN_KEY, part) else f'["{part}"]'
