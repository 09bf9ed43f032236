"""A help that names an edit mends: performed to the letter, its diagnostic is gone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from prodgen.diagnostics import Diagnostic, Severity
from prodgen.inputs.bench import parse_bench
from prodgen.inputs.reader import read_bench
from prodgen.plan.planner import build_plan
from tests.messages import of_inputs, of_plans
from tests.messages.bench import Case

EDITS = (
    (r"add `([\w-]+: [^`]*)` to the Procfile", "procfile"),
    (r"replace the line by `([\w-]+: [^`]*)`", "replace"),
    (r"add `([^`]+)` to prodgen\.yaml", "settings"),
    (r"add it to sites/common_site_config\.json: `([^`]+)`", "common"),
    (r"^remove the line", "remove"),
)
"""How an edit is worded, and the file that it is of."""
COMMON = "sites/common_site_config.json"


def edits(found: Diagnostic) -> Iterator[tuple[str, str]]:
    """The first edit that the help names, as file and text."""
    for pattern, kind in EDITS:
        for match in re.finditer(pattern, found.help):
            yield kind, match[1] if match.groups() else ""


def diagnose(bench: Path, case: Case) -> list[Diagnostic]:
    files, found = read_bench(bench)
    parsed, more = parse_bench(files)
    found += more
    return found + (build_plan(parsed, case.facts)[1] if parsed else [])


def perform(bench: Path, kind: str, text: str, found: Diagnostic) -> None:
    """The edit, as somebody makes it who takes the words as they stand."""
    procfile = bench / "Procfile"
    lines = procfile.read_text().splitlines() if procfile.exists() else []
    if kind == "procfile":
        procfile.write_text("".join(f"{line}\n" for line in [*lines, text]))
    elif kind in ("replace", "remove"):
        assert found.location
        at = found.location.line - 1
        lines[at : at + 1] = [text] if kind == "replace" else []
        procfile.write_text("".join(f"{line}\n" for line in lines))
    elif kind == "settings":
        path = bench / "prodgen.yaml"
        data = yaml.safe_load(path.read_text()) if path.exists() else {"version": 1}
        path.write_text(yaml.safe_dump(merged(data or {}, yaml.safe_load(text))))
    else:
        path = bench / COMMON
        data = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(merged(data, json.loads(f"{{{text}}}"))))


def merged(data: dict[str, object], more: dict[str, object]) -> dict[str, object]:
    found = dict(data)
    for key, value in more.items():
        old = found.get(key)
        found[key] = (
            merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return found


CASES = [
    pytest.param(code, case, id=f"{code}-{number}")
    for code, cases in {**of_inputs.CASES, **of_plans.CASES}.items()
    for number, case in enumerate(cases)
    if not case.forbidden
]


@pytest.mark.parametrize(("code", "case"), CASES)
def test_a_help_mends(code: str, case: Case, tmp_path: Path) -> None:
    before = tmp_path / "frappe-bench"
    before.mkdir()
    case.write(before)
    named = [one for one in diagnose(before, case) if one.code == code]
    for found in named:
        for number, (kind, text) in enumerate(edits(found)):
            bench = tmp_path / str(number) / "frappe-bench"
            bench.mkdir(parents=True, exist_ok=True)
            case.write(bench)
            old = diagnose(bench, case)
            perform(bench, kind, text, found)
            new = diagnose(bench, case)
            assert found.message not in {one.message for one in new if one.code == code}, found.help
            errors = {one.message for one in old if one.severity is Severity.ERROR}
            assert {one.message for one in new if one.severity is Severity.ERROR} <= errors


def test_most_helps_about_lines_can_be_performed(tmp_path: Path) -> None:
    performed = set()
    for code, cases in of_plans.CASES.items():
        for number, case in enumerate(cases):
            bench = tmp_path / f"{code}{number}" / "frappe-bench"
            bench.mkdir(parents=True)
            case.write(bench)
            performed |= {one.code for one in diagnose(bench, case) if list(edits(one))}
    wanted = {"PG605", "PG610", "PG617", "PG618", "PG652", "PG653", "PG655", "PG656", "PG657"}
    assert performed >= wanted | {"PG658", "PG659", "PG662", "PG664"}
