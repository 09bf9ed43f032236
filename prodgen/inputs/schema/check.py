"""The JSON Schemas of prodgen: shipped, applied to documents, and turned into diagnostics."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, cast

from prodgen.diagnostics import Diagnostic, warning
from prodgen.inputs.core.document import Document
from prodgen.inputs.core.file_kinds import KINDS
from prodgen.inputs.core.suggest import nearest
from prodgen.inputs.schema import coerce
from prodgen.inputs.schema.validator import Schema, Test, acceptor

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = FilePath(__file__).parent
MOST_KEYS = 500
"""A file with more keys than that holds data, not misspelt settings."""
ACQUAINTANCES = frozenset({
    "http_port", "default", "backup",
    "file_watcher_port", "live_reload", "rebase_on_pull", "serve_default_site", "shallow_clone",
    "update_bench_on_update", "use_redis_auth",
    "db_name", "db_password", "db_type", "encryption_key", "user_type_doctype_limit",
})  # fmt: skip
"""Keys of Frappe that prodgen has no use for. The first three look like some that it has; the rest
are those that bench writes into every new bench and site (bench/config/common_site_config.py,
frappe/installer.py), so that an ordinary bench needs no comparison of words."""


@cache
def load_schema(name: str) -> Schema:
    """The shipped schema called `name`."""
    text = (FOLDER / f"{name}.json").read_text("utf-8")
    return cast("Schema", json.loads(text))


def schema_names() -> list[str]:
    """The names that `load_schema` knows."""
    return sorted(entry.stem for entry in FOLDER.glob("*.json"))


def check(document: Document, name: str) -> list[Diagnostic]:
    """What the schema `name` has against the document, each with its place."""
    if _acceptor(name)(document.data):
        return []
    from jsonschema import Draft202012Validator  # costs more than all else; only bad files do

    from prodgen.inputs.schema.errors import explain

    faults = Draft202012Validator(load_schema(name)).iter_errors(cast("Any", document.data))
    return list(explain(faults, document, KINDS[name], load_schema(name)))


@cache
def _acceptor(name: str) -> Test:
    schema = load_schema(name)
    return acceptor(schema, schema)


def near_misses(document: Document, name: str) -> list[Diagnostic]:
    """A warning for each unknown key that looks like a known one misspelt."""
    if not isinstance(document.data, dict) or len(document.data) > MOST_KEYS:
        return []
    return [
        warning(
            KINDS[name].unknown_key,
            f"unknown key `{key}`",
            document.locate_key((key,)),
            f"did you mean `{near}`?",
        )
        for key in document.data
        if (near := _near_miss(key, name)) and near not in document.data
    ]


@lru_cache(maxsize=4096)
def _near_miss(key: str, name: str) -> str | None:
    """The known key that `key` must be a slip for; the same keys stand in thousands of sites."""
    known: Iterable[str] = load_schema(name)["properties"]
    return None if key in known or key in ACQUAINTANCES else nearest(key, known, 0.85)


def normalise(document: Document, name: str) -> dict[str, Any]:
    """The accepted document's data with every loosely typed value in its one true type."""
    schema = load_schema(name)
    return cast("dict[str, Any]", coerce.normalise(document.data, schema, schema))
