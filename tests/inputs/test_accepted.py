"""Warnings that prodgen.yaml accepts: shown as such, counted by nothing, and never an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prodgen.app import pipeline
from prodgen.cli.commands import doctor
from prodgen.cli.group import prodgen
from prodgen.deploy.doctor.finding import bad, unknown, warn, with_accepted
from prodgen.diagnostics import Location, Severity, error, note, warning
from prodgen.inputs.accepted import Accepted, accept, unmatched
from tests.messages.bench import SETTINGS, Case

REASON = "the key belongs to another team"
FOUND = [warning("PG205", "w"), note("PG500", "n"), error("PG204", "e"), warning("PG204", "x")]


def listed(*codes: str) -> list[Accepted]:
    return [Accepted(code, REASON, Location(SETTINGS, 2, 1)) for code in codes]


def test_an_accepted_warning_is_a_note_with_the_reason() -> None:
    first, *others = accept(FOUND, listed("PG205"))
    assert (first.severity, first.accepted) == (Severity.NOTE, REASON)
    assert others == FOUND[1:]


def test_an_error_stays_one_though_a_warning_has_its_code() -> None:
    found = accept(FOUND, listed("PG204"))
    assert [one.accepted for one in found] == ["", "", "", REASON]
    assert found[2].severity is Severity.ERROR


def test_a_code_that_nothing_has_is_told() -> None:
    [one] = unmatched(listed("PG205", "PG603", "PG984"), FOUND, of_hosts=False)
    assert (one.code, one.severity) == ("PG432", Severity.NOTE)
    assert "PG603" in one.message
    [one] = unmatched(listed("PG205", "PG984"), FOUND, of_hosts=True)
    assert "PG984" in one.message


def test_a_bad_finding_of_doctor_is_never_accepted() -> None:
    found = [bad("PG982", "disk", "t", "f"), warn("PG983", "disk", "t", "f"), unknown("x", "y")]
    reasons = dict.fromkeys(("PG982", "PG983", "PG949"), REASON)
    kept = with_accepted(found, reasons)
    assert [one.accepted for one in kept] == ["", REASON, REASON]
    severities = [one.diagnostic.severity for one in kept if one.diagnostic]
    assert severities == [Severity.ERROR, Severity.NOTE, Severity.NOTE]
    assert doctor.as_text(kept, quiet=False, color=False) == (
        "bad      disk: t [PG982]\n"
        "           fix: f\n"
        "accepted disk: t [PG983]\n"
        f"           because: {REASON}\n"
        "accepted x: y [PG949]\n"
        f"           because: {REASON}\n"
    )


class Bench:
    """A bench that draws PG205, a near miss, and what `validate` says of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def validate(self, ignore: str, *words: str) -> tuple[int, str, str]:
        common = '{"frappe_user": "frappe", "developerr_mode": 1}'
        case = Case({SETTINGS: f"version: 1\n{ignore}\n", "sites/common_site_config.json": common})
        case.write(self.folder)
        words = ("validate", "-C", str(self.folder), *words)
        code = prodgen.main(list(words), "prodgen", standalone_mode=False)
        out, err = self.capsys.readouterr()
        return code, out, err


@pytest.fixture
def bench(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Bench:
    monkeypatch.setattr(pipeline, "detect", lambda *_: Case().facts)
    folder = tmp_path / "frappe-bench"
    folder.mkdir()
    return Bench(folder, capsys)


ACCEPT = f"ignore: [{{code: PG205, because: {REASON}}}]"


def test_validate_lists_what_is_accepted(bench: Bench) -> None:
    code, _, err = bench.validate("ignore: []")
    assert (code, "warning[PG205]" in err, "1 warning\n" in err) == (0, True, True)
    code, _, err = bench.validate(ACCEPT)
    assert (code, "warning[PG205]" in err, "no errors\n" in err) == (0, False, True)
    assert "accepted[PG205]: " in err
    assert f"  because: {REASON}\n" in err
    assert "accepted[" not in bench.validate(ACCEPT, "--quiet")[2]


def test_what_is_accepted_does_not_count_for_strict(bench: Bench) -> None:
    assert bench.validate("ignore: []", "--strict")[0] == 1
    assert bench.validate(ACCEPT, "--strict")[0] == 0


def test_programs_get_the_reason(bench: Bench) -> None:
    _, out, _ = bench.validate(ACCEPT, "--format", "json")
    [one] = [one for one in json.loads(out)["diagnostics"] if one["code"] == "PG205"]
    assert (one["severity"], one["accepted"]) == ("note", REASON)
    _, out, _ = bench.validate(ACCEPT, "--format", "sarif")
    [one] = [one for one in json.loads(out)["runs"][0]["results"] if one["ruleId"] == "PG205"]
    assert one["suppressions"] == [{"kind": "external", "justification": REASON}]
    for form in ("github", "gitlab"):
        assert "PG205" not in bench.validate(ACCEPT, "--format", form)[1]
        assert "PG205" in bench.validate("ignore: []", "--format", form)[1]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{code: PG205}", "because"),
        ("{because: x}", "code"),
        ("{code: pg205, because: x}", "a code, like PG603"),
        ("{code: PG205, because: ' '}", "the reason, in words"),
        ("{code: PG204, because: x}", "errors cannot be accepted: PG204"),
        ("{code: PG2O5, because: x}", "a code, like PG603"),
        ("{code: PG299, because: x}", "no diagnostic has the code PG299"),
    ],
)
def test_entries_that_are_refused(bench: Bench, entry: str, said: str) -> None:
    code, _, err = bench.validate(f"ignore: [{entry}]")
    assert code == 1
    assert said in err
