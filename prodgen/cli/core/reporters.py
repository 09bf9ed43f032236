"""Diagnostics for programs: JSON, annotations of GitHub Actions, GitLab's report, SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

from prodgen import __version__
from prodgen.codes import CODES
from prodgen.diagnostics import Diagnostic, Location, Severity, has_errors, in_order

FORMAT_VERSION = 1
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
GITLAB_LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}
Json = dict[str, object]


def as_json(diagnostics: Iterable[Diagnostic], bench: PurePosixPath) -> str:
    """One object: whether the bench is valid, the counts, and a list of diagnostics.

    Files are named relative to the current folder, as `bench` is. Lines and columns count from 1.
    """
    found = in_order(diagnostics)
    report = {
        "format_version": FORMAT_VERSION,
        "valid": not has_errors(found),
        "error_count": sum(one.severity is Severity.ERROR for one in found),
        "warning_count": sum(one.severity is Severity.WARNING for one in found),
        "diagnostics": [_diagnostic(one, bench) for one in found],
    }
    return _dump(report)


def _diagnostic(one: Diagnostic, bench: PurePosixPath) -> Json:
    return {
        "code": one.code,
        "severity": one.severity.value,
        "title": CODES[one.code].title,
        "message": one.message,
        "help": one.help,
        "location": _location(one.location, bench) if one.location else None,
        "related": [
            {"message": words, "location": _location(place, bench)} for words, place in one.related
        ],
    }


def _location(place: Location, bench: PurePosixPath) -> Json:
    made: Json = {"file": str(bench / place.file)}
    if place.line:
        made |= {"line": place.line, "column": place.column, "length": place.length}
        made |= {"text": place.text}
    return made


def as_github(diagnostics: Iterable[Diagnostic], bench: PurePosixPath) -> str:
    """One workflow command a line (docs.github.com, "Workflow commands for GitHub Actions")."""
    return "".join(f"{line}\n" for line in _annotations(diagnostics, bench))


def _annotations(diagnostics: Iterable[Diagnostic], bench: PurePosixPath) -> Iterator[str]:
    levels = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
    for one in in_order(diagnostics):
        properties = {"title": f"{one.code}: {CODES[one.code].title}"}
        place = one.location
        if place:
            properties |= {"file": str(bench / place.file)}
        if place and place.line:
            properties |= {"line": str(place.line), "col": str(place.column)}
            properties |= {"endColumn": str(place.column + place.length)}
        listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        text = f"{one.message}\n{one.help}" if one.help else one.message
        yield f"::{levels[one.severity]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(diagnostics: Iterable[Diagnostic], bench: PurePosixPath) -> str:
    """A log with one run (OASIS SARIF 2.1.0)."""
    found = in_order(diagnostics)
    codes = sorted({one.code for one in found})
    driver = {
        "name": "prodgen",
        "semanticVersion": __version__,
        "rules": [_rule(code) for code in codes],
    }
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes, bench) for one in found],
    }
    return _dump({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> Json:
    return {
        "id": code,
        "shortDescription": {"text": CODES[code].title},
        "fullDescription": {"text": CODES[code].text},
    }


def _result(one: Diagnostic, codes: Sequence[str], bench: PurePosixPath) -> Json:
    text = f"{one.message}. Help: {one.help}" if one.help else one.message
    result: Json = {
        "ruleId": one.code,
        "ruleIndex": codes.index(one.code),
        "level": one.severity.value,
        "message": {"text": text},
    }
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


def as_gitlab(diagnostics: Iterable[Diagnostic], bench: PurePosixPath) -> str:
    """A list of findings (docs.gitlab.com, "Code Quality report format").

    GitLab wants a place for each: what has none is told at the start of the Procfile.
    """
    return _dump([_finding(one, bench) for one in in_order(diagnostics)])


def _finding(one: Diagnostic, bench: PurePosixPath) -> Json:
    from hashlib import sha256

    place = one.location or Location("Procfile")
    path = str(bench / place.file)
    same = "\0".join((one.code, path, place.text, one.message))
    return {
        "check_name": one.code,
        "description": f"{one.message}; {one.help}" if one.help else one.message,
        "fingerprint": sha256(same.encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": GITLAB_LEVELS[one.severity],
        "location": {"path": path, "lines": {"begin": place.line or 1}},
    }


def _dump(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


FORMATS = {"json": as_json, "github": as_github, "gitlab": as_gitlab, "sarif": as_sarif}
