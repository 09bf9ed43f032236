"""What jsonschema finds, turned into diagnostics that point at the value to change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from prodgen.diagnostics import Diagnostic, error
from prodgen.inputs.core.document import Document, Path, dotted
from prodgen.inputs.core.file_kinds import FileKind
from prodgen.inputs.core.suggest import nearest
from prodgen.inputs.redact.patterns import is_secret_name, mask
from prodgen.inputs.schema.validator import Schema

LONGEST_SHOWN = 60
TYPE_WORDS = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
FORMER_NAMES = {
    "webserver_port": "web.port",
    "gunicorn_workers": "web.workers",
    "gunicorn_max_requests": "web.max_requests",
    "http_timeout": "web.timeout",
    "background_workers": "workers.pools",
    "queues": "workers.pools",
    "socketio_port": "realtime.port",
    "frappe_user": "user",
    "name": "bench_name",
}
"""Keys of common_site_config.json, and other words, for a setting of prodgen.yaml."""


class Fault(Protocol):
    """The part of `jsonschema.ValidationError` that is read here."""

    absolute_path: Any
    absolute_schema_path: Any
    relative_schema_path: Any
    validator: Any
    validator_value: Any
    instance: Any
    schema: Any
    context: Any


def explain(
    faults: Iterable[Any], document: Document, kind: FileKind, root: Schema
) -> Iterator[Diagnostic]:
    """One error for each value that is wrong and each key that is unknown."""
    report = _Report(document, kind, root)
    for fault in faults:
        for leaf in _leaves(fault):
            yield from report.explain(leaf, tuple(leaf.absolute_path))


def _leaves(fault: Fault) -> Iterator[Fault]:
    """The fault, or those inside the one alternative that was meant.

    That is the one that did not fail on the type of an object or a list; a scalar fits or fails
    as a whole.
    """
    meant = []
    if fault.validator == "anyOf" and isinstance(fault.instance, (dict, list)):
        meant = [inner for inner in _branches(fault) if not _is_other_type(inner, fault.instance)]
    if len(meant) != 1:
        yield fault
        return
    for inner in meant[0]:
        yield from _leaves(inner)


def _branches(fault: Fault) -> Iterable[list[Fault]]:
    """The faults of each alternative."""
    branches: dict[object, list[Fault]] = {}
    for inner in fault.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    return branches.values()


def _is_other_type(faults: list[Fault], instance: object) -> bool:
    """Whether an alternative failed on the value itself rather than on something inside it."""
    return any(
        fault.instance is instance and fault.validator in ("type", "const", "enum", "anyOf")
        for fault in faults
    )


@dataclass(frozen=True)
class _Report:
    """What the words of every diagnostic need to know."""

    document: Document
    kind: FileKind
    root: Schema

    def explain(self, fault: Fault, path: Path) -> Iterator[Diagnostic]:
        """The errors for one fault: an object may have several unknown keys."""
        if fault.validator == "additionalProperties":
            yield from self._unknown_keys(fault, path)
        elif "propertyNames" in list(fault.absolute_schema_path)[-2:]:
            yield self._strange_key(fault, path)
        elif fault.validator == "required":
            yield self._lacking(fault, path)
        else:
            yield error(
                self.kind.wrong_value,
                _found(path, fault.instance),
                self.document.locate_value(path),
                _expected(fault.schema),
            )

    def _unknown_keys(self, fault: Fault, path: Path) -> Iterator[Diagnostic]:
        known = list(fault.schema.get("properties", {}))
        for key in fault.instance:
            if key in known or (not path and key.startswith("x-")):
                continue
            yield error(
                self.kind.unknown_key,
                f"unknown setting `{dotted((*path, key))}`",
                self.document.locate_key((*path, key)),
                self._instead(key, known),
            )

    def _instead(self, key: str, known: list[str]) -> str:
        """What the writer of an unknown key may have meant."""
        if key in FORMER_NAMES:
            return f"in prodgen.yaml that is `{FORMER_NAMES[key]}`"
        near = nearest(key, known)
        if near:
            return f"did you mean `{near}`?"
        elsewhere = [path for path in _settings(self.root, ()) if path[-1] == key]
        if elsewhere:
            return f"it is known as `{dotted(elsewhere[0])}`"
        return f"known here: {', '.join(sorted(known))}"

    def _strange_key(self, fault: Fault, path: Path) -> Diagnostic:
        """jsonschema reports the key as the value, with the path of the object that it is in."""
        key = str(fault.instance)
        return error(
            self.kind.wrong_value,
            f"`{key}` cannot be a key of {dotted(path)}",
            self.document.locate_key((*path, key)),
            _expected(fault.schema),
        )

    def _lacking(self, fault: Fault, path: Path) -> Diagnostic:
        missing = next(name for name in fault.validator_value if name not in fault.instance)
        return error(
            self.kind.wrong_value,
            f"{dotted(path) or 'the file'} lacks `{missing}`",
            self.document.locate_value(path),
            _expected(fault.schema),
        )


def _settings(schema: Schema, path: Path) -> Iterator[Path]:
    """The path of every setting that a schema describes by name."""
    for name, below in schema.get("properties", {}).items():
        yield (*path, name)
        yield from _settings(below, (*path, name))


def _found(path: Path, value: object) -> str:
    hidden = any(is_secret_name(str(part)) for part in path)
    shown = "no such value" if hidden else mask(_shorten(value))
    return f"{dotted(path)} is {shown}" if path else f"the file holds {shown}"


def _shorten(value: object) -> str:
    """The value as JSON, or what it is where that would be long."""
    if isinstance(value, dict) and value:
        return "an object"
    if isinstance(value, list) and value:
        return "a list"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[: LONGEST_SHOWN - 3]}…"


def _expected(schema: Schema) -> str:
    """What the schema expects: in its own words, or else in those of its type."""
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    words = schema.get("x-expected") or " or ".join(
        TYPE_WORDS[name] for name in names if name != "null"
    )
    return f"expected {words}" if words else ""
