"""prodgen.yaml: read with the place of every key and value, checked, one environment chosen."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from prodgen.diagnostics import Diagnostic, has_errors, warning
from prodgen.inputs import schema
from prodgen.inputs.document import Document, Path, dotted
from prodgen.inputs.kinds import SETTINGS
from prodgen.inputs.overlay import choose_environment
from prodgen.inputs.secret import is_secret_name
from prodgen.inputs.source import Source
from prodgen.inputs.values import Values
from prodgen.inputs.yamlfaults import explain_escape, explain_yaml
from prodgen.inputs.yamltree import PLAIN_SCALARS, PREFIX, Builder, too_deep
from prodgen.provenance import Kind


def parse_settings(
    source: Source, environment: str | None = None
) -> tuple[Values, list[Diagnostic]]:
    """The settings for an environment, or none of them where an error is among the diagnostics."""
    document, found = parse_yaml(source)
    if document is None:
        return Values(), found
    found = schema.check(document, SETTINGS.schema)
    if found:
        return Values(), found
    chosen, found = choose_environment(document, environment)
    found += _secrets_in_sight(document)
    if has_errors(found):
        return Values(), found
    return Values(chosen, schema.normalise(chosen, SETTINGS.schema)), found


def _secrets_in_sight(document: Document) -> list[Diagnostic]:
    """A warning for each variable of `env` that holds a secret, by its name."""
    data: Any = document.data
    layers: list[Path] = [(), *(("environments", name) for name in data.get("environments") or ())]
    return [
        warning(
            "PG408",
            f"{dotted((*path, 'env', name))} looks like a secret; `env` stands in every artifact",
            document.locate_key((*path, "env", name)),
            "keep it where only the process reads it, such as site_config.json",
        )
        for path in layers
        for name in _env_of(data, path)
        if is_secret_name(name)
    ]


def _env_of(data: Any, path: Path) -> list[str]:
    for part in path:
        data = data[part] or {}
    return list(data.get("env") or ())


def parse_yaml(source: Source) -> tuple[Document | None, list[Diagnostic]]:
    """The document, or None with the errors that say where and why it cannot be one.

    An empty file is an empty object.
    """
    import yaml

    try:
        root: Any = yaml.compose(source.text, Loader=_loader())
    except yaml.YAMLError as bad:
        return None, [explain_yaml(source, bad)]
    except (ValueError, OverflowError):
        return None, [explain_escape(source)]
    except RecursionError:
        return None, [too_deep(source, 0)]
    builder = Builder(source)
    data = builder.value(root, ()) if root is not None else {}
    if builder.faults:
        return None, builder.faults
    spans = builder.spans
    return Document(source, {} if data is None else data, lambda _: spans, Kind.SETTINGS), []


@cache
def _loader() -> Any:
    """PyYAML's safe loader with the scalars of YAML 1.2."""
    import yaml

    class Loader(yaml.BaseLoader):
        """Composes nodes; nothing of it is ever constructed."""

    for name, pattern, first in PLAIN_SCALARS:
        anchored = re.compile(rf"(?:{pattern.pattern})$")
        Loader.add_implicit_resolver(PREFIX + name, anchored, [*first, *([""] * (name == "null"))])
    return Loader
