"""A tree of YAML nodes turned into data that knows where it stood, and into faults.

Scalars mean what they mean in YAML 1.2: only `true` and `false` are booleans, so that
`hardening: off` is a word, and `12:30` is no number of minutes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from prodgen.diagnostics import Diagnostic, error
from prodgen.inputs.core.document import Path, Span, dotted
from prodgen.inputs.core.file_kinds import SETTINGS
from prodgen.inputs.core.source import Source
from prodgen.inputs.redact.patterns import is_secret_name

DEEPEST = 32
"""Levels of objects and lists."""
MOST_VALUES = 20_000
"""Values after every alias is followed: nine lines of YAML can stand for a billion."""
PREFIX = "tag:yaml.org,2002:"
MERGE = f"{PREFIX}merge"
INTEGER = re.compile(r"[-+]?[0-9]{1,400}|0o[0-7]{1,99}|0x[0-9a-fA-F]{1,99}")
PLAIN_SCALARS = (
    ("null", re.compile(r"~|null|Null|NULL|"), "~nN"),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("int", INTEGER, "-+0123456789"),
    (
        "float",
        re.compile(
            r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
            r"|[-+]?\.(?:inf|Inf|INF)|\.nan|\.NaN|\.NAN"
        ),
        "-+.0123456789",
    ),
    ("merge", re.compile(r"<<"), "<"),
)
"""What an unquoted scalar may be besides a string (YAML 1.2, 10.3.2; `<<` as in 1.1)."""


class Node(Protocol):
    """The part of `yaml.Node` that is read here."""

    id: str
    tag: str
    value: Any
    start_mark: Any
    end_mark: Any


def too_deep(source: Source, offset: int) -> Diagnostic:
    """The error for a document that nests beyond all sense, or inside itself."""
    return error(
        "PG407",
        f"more than {DEEPEST} levels inside each other",
        source.locate(offset),
        "no setting is that deep; look at the indentation and the aliases",
    )


class _Stop(Exception):
    """The document goes on without end; what there is to say about it is said."""


@dataclass
class Builder:
    """Data, spans and faults of a document, from its nodes."""

    source: Source
    spans: dict[Path, Span] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)
    count: int = 0

    def value(self, node: Node, path: Path, key: tuple[int, int] | None = None) -> object:
        """The data of the root node and everything below it."""
        try:
            return self._value(node, path, key)
        except _Stop:
            return None

    def _value(self, node: Node, path: Path, key: tuple[int, int] | None) -> object:
        start, end = self._extent(node)
        self._count(node)
        self._check_depth(node, len(path))
        self.spans[path] = Span(*(key or (start, start)), start, end)
        if node.tag not in TAGS[node.id]:
            hidden = any(is_secret_name(str(part)) for part in path)
            tag = "in front" if hidden else node.tag.replace(PREFIX, "!!")
            self._refuse(node, f"the tag {tag} does not fit here", "remove it")
            return None
        if node.id == "mapping":
            return self._mapping(node, path)
        if node.id == "sequence":
            return [self._value(item, (*path, at), None) for at, item in enumerate(node.value)]
        return self._scalar(node)

    def _count(self, node: Node) -> None:
        self.count += 1
        if self.count > MOST_VALUES:
            message = f"more than {MOST_VALUES:,} values once every alias is followed"
            self._refuse(node, message, "aliases of aliases multiply; write out what you need")
            raise _Stop

    def _check_depth(self, node: Node, depth: int) -> None:
        if depth > DEEPEST:
            self.faults.append(too_deep(self.source, self._extent(node)[0]))
            raise _Stop

    def _mapping(self, node: Node, path: Path) -> dict[str, object]:
        """The object. What `<<` brings in stands below the keys of the object itself."""
        found: dict[str, object] = {}
        own: dict[str, tuple[int, int]] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                continue
            place = self._extent(key_node)
            key = self._key(key_node)
            if key is None:
                continue
            if key in own:
                self._repeated((*path, key), place, own[key])
                continue
            own[key] = place
            found[key] = self._value(value_node, (*path, key), place)
        for key_node, value_node in self._merged(node):
            key = self._key(key_node)
            if key is not None and key not in found:
                found[key] = self._value(value_node, (*path, key), self._extent(key_node))
        return found

    def _merged(self, node: Node, depth: int = 0) -> Iterator[tuple[Node, Node]]:
        """The pairs that the merge keys of a mapping bring in, the strongest first."""
        self._check_depth(node, depth)
        for key, value in node.value:
            if key.tag != MERGE:
                continue
            for source in value.value if value.id == "sequence" else [value]:
                if source.id != "mapping":
                    self._refuse(source, "`<<` takes an object", "name an anchor of an object")
                    continue
                self._count(source)
                yield from ((k, v) for k, v in source.value if k.tag != MERGE)
                yield from self._merged(source, depth + 1)

    def _key(self, node: Node) -> str | None:
        if node.id == "scalar" and node.tag == f"{PREFIX}str":
            value = self._scalar(node)
            return value if isinstance(value, str) else None
        self._refuse(node, "a key that is no string", "put it in quotes")
        return None

    def _repeated(self, path: Path, place: tuple[int, int], first: tuple[int, int]) -> None:
        self.faults.append(
            error(
                SETTINGS.repeated_key,
                f"the key `{dotted(path)}` stands here a second time",
                self.source.locate(place[0], place[1] - place[0]),
                "keep one of the two",
                (("the first one", self.source.locate(first[0])),),
            )
        )

    def _scalar(self, node: Node) -> object:
        try:
            return SCALARS[node.tag](node.value)
        except ValueError as bad:
            self._refuse(node, str(bad), "put it in quotes if it is a text")
            return None

    def _refuse(self, node: Node, message: str, way_out: str) -> None:
        start, end = self._extent(node)
        place = self.source.locate(start, max(1, end - start))
        self.faults.append(error("PG407", message, place, way_out))

    def _extent(self, node: Node) -> tuple[int, int]:
        """The offsets of the node; a block ends where its last line does."""
        start, end = node.start_mark.index, node.end_mark.index
        text = self.source.text[start:end].rstrip()
        return start, start + len(text)


def _text(value: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("half a character: one of a pair of \\u escapes is missing")
    return value


def _integer(value: str) -> int:
    if not INTEGER.fullmatch(value):
        raise ValueError(f"`{value}` is no whole number")
    return int(value, 0) if value[:2] in ("0o", "0x") else int(value)


def _float(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"`{value}` is no number that a setting can have")
    return number


def _flag(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError(f"`{value}` is neither true nor false")
    return value.lower() == "true"


def _nothing(_: str) -> None:
    return None


SCALARS: Mapping[str, Callable[[str], object]] = {
    f"{PREFIX}str": _text,
    f"{PREFIX}int": _integer,
    f"{PREFIX}float": _float,
    f"{PREFIX}bool": _flag,
    f"{PREFIX}null": _nothing,
    MERGE: _text,
}
TAGS = {"scalar": frozenset(SCALARS), "sequence": {f"{PREFIX}seq"}, "mapping": {f"{PREFIX}map"}}
"""What a node may be, by its kind. Every other tag asks for more than data."""
