"""Accepted values in their one true type: Frappe's `"8000"`, `1` and `"on"` become 8000 and True.

Which type that is, the schema says by the name of the definition it refers to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from prodgen.inputs.schema.validator import Schema, Test, acceptor, resolve

TRUE_WORDS = frozenset({"1", "true", "on", "yes"})
SIZE = r"(?i)([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?"
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def normalise(value: Any, schema: Schema, root: Schema) -> Any:
    """The value, which fits the schema, with everything below it that the schema knows."""
    reference = schema.get("$ref")
    if reference:
        convert = CONVERSIONS.get(reference.removeprefix("#/$defs/"))
        if convert:
            return None if value is None else convert(value)
        return normalise(value, resolve(reference, root), root)
    if "anyOf" in schema:
        fitting = next(one for one in schema["anyOf"] if _acceptor(_Key(one, root))(value))
        return normalise(value, fitting, root)
    if isinstance(value, dict):
        return _members(value, schema, root)
    if isinstance(value, list) and "items" in schema:
        return [normalise(item, schema["items"], root) for item in value]
    return value


def _members(value: dict[str, Any], schema: Schema, root: Schema) -> dict[str, Any]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties") or {}
    if not others and known.keys().isdisjoint(value):
        return value
    return {key: normalise(item, known.get(key, others), root) for key, item in value.items()}


class _Key:
    """A schema as a key of the cache: the shipped ones live as long as the program."""

    def __init__(self, schema: Schema, root: Schema) -> None:
        self.schema, self.root = schema, root

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.schema is other.schema


@cache
def _acceptor(key: _Key) -> Test:
    return acceptor(key.schema, key.root)


def _to_integer(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else int(str(value).strip())


def _to_flag(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in TRUE_WORDS
    return bool(value)


def _to_bytes(value: object) -> int:
    found = re.fullmatch(SIZE, str(value).strip()) if isinstance(value, str) else None
    if found is None:
        return _to_integer(value)
    return int(float(found[1]) * 1024 ** POWERS[found[2].upper()])


def _to_text(value: object) -> str:
    return str(value)


def _to_false(_: object) -> bool:
    return False


CONVERSIONS: Mapping[str, Callable[[object], object]] = {
    "port": _to_integer,
    "count": _to_integer,
    "positive": _to_integer,
    "weight": _to_integer,
    "integer": _to_integer,
    "flag": _to_flag,
    "memory": _to_bytes,
    "version": _to_text,
    "word": _to_text,
    "left_out": _to_false,
}
