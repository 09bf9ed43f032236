"""What a JSON Schema of prodgen's says of its keys, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from prodgen.inputs.schema.validator import Schema

NAMES = {"sites": "SITE", "pools": "QUEUE", "workers": "QUEUE", "queues": "QUEUE",
         "processes": "PROCESS", "environments": "ENVIRONMENT"}  # fmt: skip
"""What the keys of an object are called whose keys are the user's own."""


class Key(NamedTuple):
    """One key by its path: `web.workers`, `sites.SITE.domains`."""

    path: tuple[str, ...]
    schema: Schema


def keys_of(schema: Schema, whole: Schema, path: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key below an object, each before what is in it."""
    for form in _forms(schema, whole):
        for name, member in form.get("properties", {}).items():
            found = resolved(member, whole)
            yield Key((*path, name), found)
            yield from keys_of(found, whole, (*path, name))
        others = form.get("additionalProperties")
        if isinstance(others, dict) and path:
            yield from keys_of(others, whole, (*path, NAMES.get(path[-1], "NAME")))


def resolved(schema: Schema, whole: Schema) -> Schema:
    """The schema with what it refers to; its own words count."""
    if "$ref" not in schema:
        return schema
    found: Any = whole
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    own = {name: value for name, value in schema.items() if name != "$ref"}
    return {**resolved(found, whole), **own}


def kind_of(schema: Schema) -> str:
    """What a value has to be, in the words of prodgen's own messages."""
    expected = schema.get("x-expected")
    return str(expected) if expected else "any"


def value_of(value: object) -> str:
    """A value on one line as JSON, which YAML takes too."""
    return json.dumps(value, ensure_ascii=False)


def _forms(schema: Schema, whole: Schema) -> Iterator[Schema]:
    """The schema and the alternatives that it allows, lists' items too."""
    found = resolved(schema, whole)
    yield found
    for one in found.get("anyOf", ()):
        yield from _forms(one, whole)
    if isinstance(found.get("items"), dict):
        yield from _forms(found["items"], whole)
