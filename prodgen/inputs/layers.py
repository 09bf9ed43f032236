"""Layers of settings: the environment over the base, prodgen.yaml over a site's own file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodgen.diagnostics import Diagnostic, error
from prodgen.inputs.core.document import Document, Path
from prodgen.inputs.core.suggest import nearest
from prodgen.inputs.core.values import Values

Moved = dict[Path, tuple[Document, Path]]


def choose_environment(
    document: Document, environment: str | None
) -> tuple[Document, list[Diagnostic]]:
    """The document with the settings of the environment laid over its own.

    Objects are merged, scalars and lists replaced; each value keeps its own place.
    """
    if environment is None:
        return document, []
    data: Any = document.data
    known = data.get("environments") or {}
    if environment not in known:
        return document, [_unknown(document, environment, list(known))]
    moved: Moved = {}
    layer = known[environment] or {}
    merged = _lay_over(data, layer, (), ("environments", environment), document, moved)
    return Document(document.source, merged, document.find_spans, document.kind, moved), []


def _lay_over(  # noqa: PLR0917
    base: Mapping[str, Any],
    layer: Mapping[str, Any],
    path: Path,
    home: Path,
    document: Document,
    moved: Moved,
) -> dict[str, Any]:
    merged = dict(base)
    for key, value in layer.items():
        below, stands = (*path, key), (*home, key)
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merged[key] = _lay_over(base[key], value, below, stands, document, moved)
        else:
            merged[key] = value
            moved[below] = (document, stands)
    return merged


def _unknown(document: Document, environment: str, known: list[str]) -> Diagnostic:
    near = nearest(environment, known)
    if near:
        way_out = f"did you mean `{near}`? There are: {', '.join(known)}"
    elif known:
        way_out = f"there are: {', '.join(known)}"
    else:
        way_out = "add it under `environments:`, or leave --env out"
    place = document.locate_key(("environments",)) if known else document.source.whole
    return error("PG406", f"there is no environment `{environment}`", place, way_out)


def declared_site(settings: Values, site: str) -> Values:
    """What prodgen.yaml says of a site, as if it were a site_config.json."""
    home = settings.document
    if home is None:
        return Values()
    path: Path = ("sites", site)
    data = settings.table(*path)
    document = Document(home.source, data, home.find_spans, home.kind, {(): home.home(path)})
    return Values(document, data)


URL_VARIABLES = {"FRAPPE_REDIS_CACHE": "redis_cache", "FRAPPE_REDIS_QUEUE": "redis_queue"}
"""Variables that Frappe takes in place of keys of common_site_config.json (frappe/config.py)."""


def declared_urls(settings: Values) -> Values:
    """URLs of Redis that `env:` in prodgen.yaml gives every process, by their keys."""
    home, variables = settings.document, settings.table("env")
    found = {key: variables[name] for name, key in URL_VARIABLES.items() if variables.get(name)}
    if home is None or not found:
        return Values()
    names = {key: name for name, key in URL_VARIABLES.items()}
    moved: Moved = {(key,): home.home(("env", names[key])) for key in found}
    document = Document(home.source, found, home.find_spans, home.kind, moved)
    return Values(document, found)


def laid_over(config: Values, declared: Values) -> Values:
    """A file's own settings with those that prodgen.yaml declares for it, key by key."""
    if config.document is None or declared.document is None:
        return declared if config.document is None else config
    own = {key: value for key, value in declared.data.items() if value is not None}
    if not own:
        return config
    moved: Moved = {(key,): declared.document.home((key,)) for key in own}
    base = config.document
    data = {**config.data, **own}
    return Values(Document(base.source, data, base.find_spans, base.kind, moved), data)
