"""Diagnostics as SARIF 2.1.0 (OASIS), for code scanning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

from prodgen import __version__
from prodgen.app.reports.layout import Json, Layout, dump
from prodgen.codes import CODES
from prodgen.diagnostics import Diagnostic, Location, in_order

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def report(found: Iterable[Diagnostic], layout: Layout) -> str:
    """A log with one run (OASIS SARIF 2.1.0)."""
    ordered = in_order(found)
    codes = sorted({one.code for one in ordered})
    driver = {
        "name": "prodgen",
        "semanticVersion": __version__,
        "rules": [_rule(code) for code in codes],
    }
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes, layout.folder) for one in ordered],
    }
    return dump({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> Json:
    rule: Json = {
        "id": code,
        "shortDescription": {"text": CODES[code].title},
        "fullDescription": {"text": CODES[code].text},
    }
    if CODES[code].family:
        rule["properties"] = {"tags": [CODES[code].family]}
    return rule


def _result(one: Diagnostic, codes: Sequence[str], bench: PurePosixPath) -> Json:
    text = f"{one.message}. Help: {one.help}" if one.help else one.message
    result: Json = {
        "ruleId": one.code,
        "ruleIndex": codes.index(one.code),
        "level": one.severity.value,
        "message": {"text": text},
    }
    if one.accepted:
        result["suppressions"] = [{"kind": "external", "justification": one.accepted}]
    if one.location:
        result["locations"] = [_sarif_location(one.location, bench, "")]
    if one.related:
        result["relatedLocations"] = [
            _sarif_location(place, bench, words) for words, place in one.related
        ]
    return result


def _sarif_location(place: Location, bench: PurePosixPath, words: str) -> Json:
    physical: Json = {"artifactLocation": {"uri": quote(str(bench / place.file))}}
    if place.line:
        physical["region"] = {
            "startLine": place.line,
            "startColumn": place.column,
            "endColumn": place.column + max(place.length, 1),
        }
    made: Json = {"physicalLocation": physical}
    if words:
        made["message"] = {"text": words}
    return made
