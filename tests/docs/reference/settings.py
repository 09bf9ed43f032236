"""settings.md and site-config.md: the keys of the files that prodgen reads, from their schemas."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from prodgen.inputs.schema.check import load_schema
from prodgen.inputs.schema.validator import Schema
from tests.docs.reference.fields import Key, keys_of, kind_of, value_of
from tests.docs.reference.markdown import code, head, plain

OVERLAID = "environments"
LIMITED = "resources"


def settings() -> Iterator[str]:
    """The lines of settings.md."""
    schema = load_schema("prodgen")
    yield from head(
        "prodgen.yaml",
        f"{plain(schema['description'])} The file lies beside the Procfile; `prodgen init` writes "
        "one that explains them all. Where a setting has the same meaning as a key of "
        "[the JSON files](site-config.md), the setting wins.",
    )
    for key in _each_once(schema):
        yield from _key(key, "##" if len(key.path) == 1 else "###")
        yield from _example(key)
        if key.path == (OVERLAID,):
            yield ""
            yield f"An environment may have: {_listed(schema['$defs']['environment'])}."


def site_config() -> Iterator[str]:
    """The lines of site-config.md."""
    yield from head(
        "Keys of the bench's JSON files",
        "What prodgen reads in the files that Frappe and bench have already; it lets other keys "
        "through. `apply` and `adopt` change the few that they name before, `restart --migrate` "
        "sets `maintenance_mode` meanwhile, and nothing else changes any.",
    )
    for name in ("common_site_config", "site_config"):
        schema = load_schema(name)
        yield ""
        yield f"## {name}.json"
        yield ""
        yield f"`{schema['title'].partition(' of ')[0]}`: {plain(schema['description'])}"
        for key in keys_of(schema, schema):
            yield from _key(key, "###" if len(key.path) == 1 else "####")
            if "examples" in key.schema:
                yield ""
                yield "```json"
                yield f"{value_of(key.path[-1])}: {value_of(key.schema['examples'][0])}"
                yield "```"


def _each_once(schema: Schema) -> Iterator[Key]:
    """The keys of prodgen.yaml; each environment has the same again, and all roles have theirs."""
    *_, last = schema["properties"][LIMITED]["properties"]
    for key in keys_of(schema, schema):
        top, depth = key.path[0], len(key.path)
        if (top == OVERLAID and depth > 1) or (top == LIMITED and depth > 2):
            if key.path[:2] == (LIMITED, last):
                yield key._replace(path=(LIMITED, "ROLE", *key.path[2:]))
        else:
            yield key


def _key(key: Key, level: str) -> Iterator[str]:
    """The heading, which is the key's anchor, and what the schema says."""
    found = key.schema
    yield ""
    yield f"{level} {'.'.join(key.path)}"
    yield ""
    words = found.get("description", "")
    yield f"**{plain(found['title'])}.**{' ' if words else ''}{plain(words)}"
    has_keys = "properties" in found
    if not has_keys:
        yield ""
        default = f"; default {code(value_of(found['default']))}" if "default" in found else ""
        yield f"Takes {plain(kind_of(found))}{default}."


def _example(key: Key) -> Iterator[str]:
    """The first example in its place; none for what has keys of its own."""
    if "properties" in key.schema or "examples" not in key.schema:
        return
    value: object = key.schema["examples"][0]
    for name in reversed(key.path):
        value = {name: value}
    yield ""
    yield "```yaml"
    yield from yaml.safe_dump(value, sort_keys=False, allow_unicode=True).splitlines()
    yield "```"


def _listed(schema: Schema) -> str:
    return ", ".join(f"`{name}`" for name in schema["properties"])
