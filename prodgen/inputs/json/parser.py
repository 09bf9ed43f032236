"""JSON with places: what stands where, which keys stand twice, and what no setting can be."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache

from prodgen.diagnostics import Diagnostic, error
from prodgen.inputs.core.document import Document, dotted
from prodgen.inputs.core.file_kinds import COMMON, FileKind
from prodgen.inputs.core.source import Source
from prodgen.inputs.json.spans import Scanner, find_spans, nests_deeper, tokens

DEEPEST = 64
"""Levels of brackets; below that limit nothing here can exhaust Python's stack."""
LONGEST_NUMBER = 400
"""Characters; Python refuses to convert some thousand digits (CVE-2020-10735)."""


def parse_json(source: Source, kind: FileKind = COMMON) -> tuple[Document | None, list[Diagnostic]]:
    """The document, or None with the errors that say where and why it cannot be one.

    A key that stands twice is an error too: `json.loads` would silently take the last one.
    """
    fault = _marked(source, kind) if source.bom else _too_deep(source, kind)
    if fault:
        return None, [fault]
    try:
        data, repeated = _decoded(source.text)
    except json.JSONDecodeError as bad:
        from prodgen.inputs.json.errors import explain_json  # a good file needs no explanation

        return None, [explain_json(source, bad, kind)]
    except _NoValue:
        return None, _unusable(source, kind)
    if "\\u" in source.text and (found := _lone_surrogates(source, kind)):
        return None, found
    if repeated:
        return None, _repeated_keys(source, kind)
    return Document(source, data, find_spans), []


def _decoded(text: str) -> tuple[object, bool]:
    """The data, and whether a key of it stands twice. Whatever else is wrong is said first."""
    try:
        return _decoder(_unique).decode(text), False
    except _RepeatedKey:
        return _decoder(dict).decode(text), True


@cache  # making one takes as long as reading a site_config.json with it
def _decoder(pairs: Callable[[list[tuple[str, object]]], object]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=pairs, parse_constant=_refuse, parse_float=_float, parse_int=_integer
    )


class _RepeatedKey(Exception):
    """A key stands a second time in its object."""


def _unique(items: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(items)
    if len(found) != len(items):
        raise _RepeatedKey
    return found


def _marked(source: Source, kind: FileKind) -> Diagnostic:
    """The error for a byte order mark: `json.load` refuses it, and so does Frappe with it."""
    message = "a byte order mark at the start of the file, which Frappe refuses"
    way_out = "save the file as UTF-8 without a byte order mark"
    return error(kind.not_readable, message, source.locate(0), way_out)


def _too_deep(source: Source, kind: FileKind) -> Diagnostic | None:
    deep = nests_deeper(source.text, DEEPEST)
    if deep is None:
        return None
    message = f"more than {DEEPEST} brackets inside each other"
    way_out = "no config file nests that deeply; look for brackets that nothing closes"
    return error(kind.not_readable, message, source.locate(deep), way_out)


class _NoValue(Exception):
    """A number that Python reads and that JSON has not, or that is beyond all sense."""


def _refuse(name: str) -> float:
    raise _NoValue(name)


def _float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _integer(text: str) -> int:
    return int(text) if len(text) <= LONGEST_NUMBER else int(_refuse(text))


def _unusable(source: Source, kind: FileKind) -> list[Diagnostic]:
    """An error for each scalar that `_refuse` has refused or would have."""
    return [
        error(
            kind.not_readable,
            _why_unusable(found[0]),
            source.locate(found.start(), len(found[0])),
            "write a number that a computer can hold, or null",
        )
        for token, found in tokens(source.text)
        if token == "scalar" and _is_unusable(found[0])  # noqa: S105
    ]


def _is_unusable(scalar: str) -> bool:
    convert: Callable[[str], float]
    if scalar.lstrip("-") in ("NaN", "Infinity"):
        return True
    convert = _integer if scalar.lstrip("-").isdecimal() else _float
    try:
        convert(scalar)
    except _NoValue:
        return True
    except ValueError:
        return False
    return False


def _why_unusable(scalar: str) -> str:
    if scalar.lstrip("-") in ("NaN", "Infinity"):
        return f"{scalar} is not a JSON value"
    if len(scalar) > LONGEST_NUMBER:
        return f"a number of {len(scalar)} digits"
    return f"{scalar} is larger than any number"


def _lone_surrogates(source: Source, kind: FileKind) -> list[Diagnostic]:
    """An error for each string with half a character (RFC 8259, 8.2): no file can hold it."""
    return [
        error(
            kind.not_readable,
            "half a character: one of a pair of \\u escapes is missing",
            source.locate(found.start(), len(found[0])),
            "write the character itself, or both of its escapes",
        )
        for token, found in tokens(source.text)
        if token == "string"  # noqa: S105
        and "\\u" in found[0]
        and not _is_whole(json.loads(found[0]))
    ]


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _repeated_keys(source: Source, kind: FileKind) -> list[Diagnostic]:
    scanner = Scanner(source.text)
    spans = scanner.scan()
    return [
        error(
            kind.repeated_key,
            f"the key `{dotted(path)}` stands here a second time",
            source.locate(again.key_start, again.key_end - again.key_start),
            "keep one of the two",
            (("the first one", source.locate(spans[path].key_start)),),
        )
        for path, again in scanner.overwritten
    ]
