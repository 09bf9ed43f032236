"""A first prodgen.yaml: the facts of a host, and every other setting as a comment."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping

from prodgen.inputs.schema.validator import Schema

WIDTH = 96
HEAD = """\
# Settings of prodgen for this bench. Every key is optional: what is commented out shows an example
# or the default. `prodgen schema prodgen` prints the schema of this file, for an editor.
"""
NOT_SHOWN = frozenset({"version", "host", "environments"})


def settings_text(schema: Schema, facts: Mapping[str, object]) -> str:
    """The text of a prodgen.yaml that declares `facts` under `host:` and nothing else."""
    lines = [HEAD, "version: 1", "", *_host(schema, facts), ""]
    for name, found in schema["properties"].items():
        if name not in NOT_SHOWN:
            lines += [*_commented(name, found, "# "), ""]
    lines += [*_environments(schema)]
    return "\n".join(lines) + "\n"


def _host(schema: Schema, facts: Mapping[str, object]) -> Iterator[str]:
    host = schema["properties"]["host"]
    yield from _words(host, "# ")
    yield "host:"
    for name, found in host["properties"].items():
        yield from _words(found, "  # ")
        known = name in facts
        value = facts[name] if known else _example(found)
        yield f"  {'' if known else '# '}{name}: {_value(value)}"


def _commented(name: str, found: Schema, prefix: str) -> Iterator[str]:
    """One setting with what it is for, commented out with everything below it."""
    yield from _words(found, prefix)
    members = found.get("properties", {})
    if not members:
        yield f"{prefix}{name}: {_value(_example(found))}"
        return
    yield f"{prefix}{name}:"
    for key, member in members.items():
        yield from _words(member, f"{prefix}  # ")
        yield f"{prefix}  {key}: {_value(_example(member))}"


def _example(found: Schema) -> object:
    """The default, else an example."""
    return found["default"] if "default" in found else next(iter(found.get("examples", ())), "")


def _environments(schema: Schema) -> Iterator[str]:
    found = schema["properties"]["environments"]
    yield from _words(found, "# ")
    yield "# environments:"
    yield "#   staging:"
    yield "#     web: {workers: 2}"


def _words(found: Schema, prefix: str) -> Iterator[str]:
    title, words = found.get("title", ""), found.get("description", "")
    text = f"{title}. {words}" if words else title
    yield from textwrap.wrap(text, WIDTH, initial_indent=prefix, subsequent_indent=prefix)


def _value(value: object) -> str:
    """The value as YAML's flow style, which JSON is."""
    if isinstance(value, str) and value.isascii() and value.replace("/", "").isalpha():
        return value
    return json.dumps(value, ensure_ascii=False)
