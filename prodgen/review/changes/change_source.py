"""Whether a change comes from the bench, from prodgen itself, or from both.

After an upgrade of prodgen the same bench may give other files: its manifests tell, by version, by
digests of what was read of the bench, and of the templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prodgen.targets.manifest import require_known


class MadeFrom(NamedTuple):
    """What a set of files was made from."""

    version: str
    """prodgen's."""
    inputs: Mapping[str, str]
    """Digests of what was read, by the file's path in the bench."""
    templates: Mapping[str, str]
    """Digests by name."""
    texts: Mapping[str, str] | None = None
    """What was read, secrets masked; None if it was not kept."""


class ValueChange(NamedTuple):
    """A value of one of the bench's files that differs; None if a side has none."""

    file: str
    key: str
    old: str | None
    new: str | None


class ChangeSource(NamedTuple):
    """What changed besides the bench: prodgen's version, or its templates."""

    old: str
    new: str
    """prodgen's versions."""
    templates: tuple[str, ...]
    """Those that differ."""
    files: tuple[str, ...]
    """Of the bench, what was read of them differs; none if prodgen alone has changed."""
    values: tuple[ValueChange, ...]
    """In these files, as far as the former ones were kept."""


def made_from(manifest: str, texts: Mapping[str, str] | None = None) -> MadeFrom | None:
    """What the files of a manifest were made from; None if it does not say. Raises NewerFormat."""
    try:
        data = json.loads(manifest)
        version, inputs, templates = data["prodgen"], data["inputs"], data["templates"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    require_known(data.get("format_version"))
    if not isinstance(inputs, dict) or not isinstance(templates, dict):
        return None
    return MadeFrom(str(version), inputs, templates, texts)


def change_source(old: MadeFrom | None, new: MadeFrom | None) -> ChangeSource | None:
    """What has changed besides the bench; None if nothing has, or nobody can tell."""
    if old is None or new is None:
        return None
    both = old.templates.keys() & new.templates.keys()
    templates = tuple(sorted(one for one in both if old.templates[one] != new.templates[one]))
    if old.version == new.version and not templates:
        return None
    names = sorted(old.inputs.keys() | new.inputs.keys())
    files = tuple(one for one in names if old.inputs.get(one) != new.inputs.get(one))
    values: tuple[ValueChange, ...] = ()
    if old.texts is not None and new.texts is not None:
        values = tuple(
            change
            for one in files
            for change in _values(one, old.texts.get(one, ""), new.texts.get(one, ""))
        )
    return ChangeSource(old.version, new.version, templates, files, values)


def _values(file: str, old: str, new: str) -> Iterator[ValueChange]:
    before, after = _flat(old), _flat(new)
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield ValueChange(file, key, before.get(key), after.get(key))


def _flat(text: str) -> dict[str, str]:
    """Values by dotted key, of JSON; else the lines, each `name: value` by its name."""
    try:
        data = json.loads(text)
    except ValueError:
        pairs = (line.partition(":") for line in text.splitlines() if line.strip())
        return {name.strip(): value.strip() for name, _, value in pairs}
    return dict(_flattened(data, ""))


def _flattened(data: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict) and data:
        for name, value in data.items():
            yield from _flattened(value, f"{key}.{name}" if key else str(name))
    else:
        yield key, json.dumps(data, ensure_ascii=False)
