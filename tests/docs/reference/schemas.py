"""schemas.md: every field of the JSON that prodgen prints or writes, from its schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prodgen.inputs.schema.check import load_schema, schema_names
from prodgen.inputs.schema.validator import Schema
from tests.docs.reference.fields import value_of
from tests.docs.reference.markdown import code, head, plain, table

COLUMNS = ("field", "value", "what it says")
READ = {"prodgen": "settings.md", "common_site_config": "site-config.md#common_site_configjson",
        "site_config": "site-config.md#site_configjson"}  # fmt: skip


def schemas() -> Iterator[str]:
    """The page's lines."""
    yield from head(
        "Schemas",
        "There is a JSON Schema (2020-12) for each file that prodgen reads, and for each JSON that "
        "it prints: `prodgen schema NAME` prints it, for an editor or a check of your own.",
        "`format_version` rises when something changes that a reader must know of. New fields may "
        "come without that.",
    )
    yield ""
    names = schema_names()
    rows = [(f"[{name}]({READ.get(name, f'#{name}')})", _title(name)) for name in names]
    yield from table(("name", "what it describes"), rows)
    for name in names:
        if name not in READ:
            yield from _schema(name, load_schema(name))


def _title(name: str) -> str:
    return plain(load_schema(name)["title"])


def _schema(name: str, schema: Schema) -> Iterator[str]:
    yield ""
    yield f"## {name}"
    yield ""
    yield f"`{schema['title']}`: {plain(schema['description'])}"
    if "properties" in schema:
        yield from _table(name, schema, schema)
    for form in schema.get("anyOf", ()):
        yield ""
        yield f"### {name}: {form['properties']['event']['const']}"
        yield ""
        yield f"{plain(form['title'])}. {plain(form['description'])}"
        yield from _table(name, form, schema)
    for other, inner in schema.get("$defs", {}).items():
        if "properties" in inner:
            yield ""
            yield f"### {name}: {other}"
            yield from _table(name, inner, schema)


def _table(name: str, schema: Schema, whole: Schema) -> Iterator[str]:
    yield ""
    yield from table(COLUMNS, _rows(name, schema, whole, ""))


def _rows(name: str, schema: Schema, whole: Schema, before: str) -> Iterator[tuple[str, str, str]]:
    """A row for each field, and behind an object without a name the fields in it."""
    needed = schema.get("required", ())
    for field, member in schema.get("properties", {}).items():
        path = f"{before}{field}"
        words = plain(member.get("description", ""))
        if field not in needed and "absent" not in words.lower():
            words += " May be absent."
        yield f"`{path}`", _kind(name, member, whole), words
        yield from _rows(name, *_inside(member, whole, path))


def _inside(member: Schema, whole: Schema, path: str) -> tuple[Schema, Schema, str]:
    """The object that a field holds, alone or in a list, and what its fields begin with."""
    if "items" in member:
        return _inside(member["items"], whole, f"{path}[]")
    if isinstance(member.get("additionalProperties"), dict):
        return _inside(member["additionalProperties"], whole, f"{path}.NAME")
    return member, whole, f"{path}."


def _kind(name: str, member: Schema, whole: Schema) -> str:
    """What a field holds; what has a section of its own is a link to it."""
    if "$ref" in member:
        other = member["$ref"].rpartition("/")[2]
        inner = whole["$defs"][other]
        known = "properties" in inner
        return f"[{other}](#{name}-{other})" if known else _kind(name, inner, whole)
    if "const" in member:
        return code(value_of(member["const"]))
    if "enum" in member:
        return ", ".join(code(value_of(one)) for one in member["enum"])
    if "anyOf" in member:
        return " or ".join(_kind(name, one, whole) for one in member["anyOf"])
    return " or ".join(_word(name, member, whole, one) for one in _types(member))


def _types(member: Schema) -> list[Any]:
    found = member.get("type", "any")
    return found if isinstance(found, list) else [found]


def _word(name: str, member: Schema, whole: Schema, kind: str) -> str:
    if kind == "array" and "items" in member:
        return f"list of {_kind(name, member['items'], whole)}"
    return {"integer": "whole number", "boolean": "true or false"}.get(kind, kind)
