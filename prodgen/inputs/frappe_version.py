"""Which Frappe a bench has: its own word for it, else what bench noted down."""

from __future__ import annotations

import re
from collections.abc import Mapping

from prodgen.diagnostics import Diagnostic, warning
from prodgen.inputs.core.document import Document
from prodgen.inputs.core.file_kinds import APPS
from prodgen.inputs.core.source import Source
from prodgen.inputs.json.parser import parse_json
from prodgen.provenance import At, Kind, Origin, Sourced

VERSION_LINE = r"""(?m)^__version__\s*=\s*["']([^"']+)["']"""
VERSION = r"v?[0-9]+(?:\.[0-9]+)*[A-Za-z0-9.+-]*"
NOTED = ("frappe", "version")


def version_in_package(source: Source | None) -> Sourced[str] | None:
    """`__version__` of apps/frappe; None where the file does not say it."""
    found = re.search(VERSION_LINE, source.text) if source else None
    if not source or not found:
        return None
    place = At(source.locate(found.start(1), len(found[1])))
    return Sourced(found[1], Origin(Kind.FILE, f"__version__ in {source.name}", place))


def version_in_states(source: Source | None) -> tuple[Sourced[str] | None, list[Diagnostic]]:
    """The version in sites/apps.json, where bench notes each app it installs (bench/bench.py).

    The file decides nothing else, so that a broken one is a warning.
    """
    if source is None or not source.text.strip():
        return None, []
    document, faults = parse_json(source, APPS)
    if document is None:
        return None, [
            warning(fault.code, fault.message, fault.location, fault.help, fault.related)
            for fault in faults
        ]
    noted = _below(_below(document.data, NOTED[0]), NOTED[1])
    if noted is None:
        return None, []
    if not isinstance(noted, str) or not re.fullmatch(VERSION, noted):
        return None, [_no_version(document)]
    return Sourced(noted, document.origin(NOTED)), []


def _below(data: object, key: str) -> object:
    return data.get(key) if isinstance(data, Mapping) else None


def _no_version(document: Document) -> Diagnostic:
    return warning(
        APPS.wrong_value,
        "this is no version of Frappe",
        document.locate_value(NOTED),
        'expected a version in quotes, like "15.72.4"',
    )
