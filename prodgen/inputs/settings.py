"""prodgen.yaml: read with the place of every key and value, checked, one environment chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from prodgen.diagnostics import Diagnostic, error, has_errors
from prodgen.inputs.accepted import faults_of
from prodgen.inputs.core.document import Document, Path, dotted
from prodgen.inputs.core.file_kinds import SETTINGS
from prodgen.inputs.core.source import Source
from prodgen.inputs.core.values import Values
from prodgen.inputs.layers import choose_environment
from prodgen.inputs.redact.patterns import is_secret_variable
from prodgen.inputs.schema import check as schema
from prodgen.inputs.yaml.errors import explain_escape, explain_yaml
from prodgen.inputs.yaml.parser import PLAIN_SCALARS, PREFIX, Builder, too_deep
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
    found += [*_secrets_in_sight(document), *faults_of(chosen)]
    if has_errors(found):
        return Values(), found
    return Values(chosen, schema.normalise(chosen, SETTINGS.schema)), found


def _secrets_in_sight(document: Document) -> list[Diagnostic]:
    """An error for each variable that holds a secret, by its name or its value."""
    return [
        error(
            "PG408",
            f"{dotted((*path, name))} looks like a secret, and artifacts hold none",
            document.locate_key((*path, name))._replace(text=""),
            "write it into the file that `env_file` names; `prodgen explain PG408`",
        )
        for path, variables in _variables(document.data)
        for name, value in variables.items()
        if is_secret_variable(name, str(value))
    ]


def _variables(data: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every table of variables: for all processes and for one, in each environment too."""
    layers: list[tuple[Path, Any]] = [((), data)]
    for name, layer in (data.get("environments") or {}).items():
        layers.append((("environments", name), layer or {}))
    for path, layer in layers:
        yield (*path, "env"), layer.get("env") or {}
        for name, process in (layer.get("processes") or {}).items():
            if isinstance(process, dict):
                yield (*path, "processes", name, "environment"), process.get("environment") or {}


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
