"""Diagnostics for programs: what comes out is what each reader's own schema wants."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sarif_pydantic import Sarif

from tests.support.command import Done, copy_bench, prodgen


def validate(form: str, case: str = "unknown-queue", *options: str) -> Done:
    from tests.support.plans import ROOT

    return prodgen(
        "validate", "--format", form, "-C", f"fixtures/{case}/frappe-bench", *options, cwd=ROOT
    )


def test_json_has_the_place_and_the_way_out() -> None:
    done = validate("json")
    report = json.loads(done.out)
    assert (done.code, report["format_version"], report["valid"]) == (1, 1, False)
    [error] = [one for one in report["diagnostics"] if one["severity"] == "error"]
    assert error["code"] == "PG610"
    assert error["location"] == {
        "file": "fixtures/unknown-queue/frappe-bench/Procfile",
        "line": 16,
        "column": 15,
        "length": 26,
        "text": "email-worker: bench worker --queue email",
    }
    assert '"workers"' in error["help"]
    assert report["error_count"] == 1


def test_a_good_bench_is_valid() -> None:
    done = validate("json", "frappe-16")
    assert (done.code, json.loads(done.out)["valid"], done.err) == (0, True, "")


def test_github_annotations_stand_on_their_line() -> None:
    done = validate("github")
    [line] = [one for one in done.out.splitlines() if one.startswith("::error")]
    head, _, text = line.removeprefix("::error ").partition("::")
    properties = dict(part.split("=", 1) for part in head.split(","))
    assert properties == {
        "title": "PG610%3A a queue that Frappe does not know",
        "file": "fixtures/unknown-queue/frappe-bench/Procfile",
        "line": "16",
        "col": "15",
        "endColumn": "41",
    }
    assert text.startswith("Frappe knows no queue `email`")
    assert "%0A" in text


def test_no_text_can_end_an_annotation(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "b")
    (bench / "Procfile").write_text("web: bench serve\n%0A::error,x: y: z\n")
    done = prodgen("validate", "--format", "github", "-C", bench)
    assert all(line.startswith("::") for line in done.out.splitlines())
    assert "%250A" in done.out


@pytest.mark.parametrize("case", ["unknown-queue", "frappe-16", "tutorial-volta"])
def test_sarif_is_valid_by_its_own_model(case: str) -> None:
    done = validate("sarif", case)
    log = Sarif.model_validate_json(done.out)
    [run] = log.runs
    rules = [rule.id for rule in run.tool.driver.rules or []]
    assert log.version == "2.1.0"
    for result in run.results or []:
        assert rules[result.rule_index or 0] == result.rule_id
        assert result.message.text


def test_strict_takes_warnings_for_errors(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "b")
    (bench / "apps/frappe/frappe/__init__.py").unlink()
    assert prodgen("validate", "--format", "json", "-C", bench).code == 0
    done = prodgen("validate", "--format", "json", "--strict", "-C", bench)
    assert done.code == 1
    assert json.loads(done.out)["warning_count"] == 0
