"""A short run of the fuzzer, and hypothesis on what no mutation thinks of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodgen.diagnostics import Location, error
from prodgen.inputs.core.source import Source
from tests.inputs import fuzz


@pytest.mark.slow
def test_a_short_run() -> None:
    reports: list[str] = []
    assert fuzz.run(12_000, seed=20_240, report=reports.append) == 0, reports


@pytest.mark.parametrize("name", fuzz.SEEDS)
def test_any_text(name: str) -> None:
    @settings(max_examples=150)
    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def survives(text: str) -> None:
        assert fuzz.attempt(name, text, "staging" if name == "prodgen.yaml" else None) == ""

    survives()


def test_seeds_are_good() -> None:
    for name, texts in fuzz.SEEDS.items():
        for text in texts[:2]:
            codes = {one.code for one in fuzz.parse(name, text) if one.severity.value == "error"}
            assert codes == set(), (name, text)


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        (Location("f", 1, 1), ""),
        (Location("f", 2, 3), ""),
        (Location("f"), ""),
        (None, "it has no place"),
        (Location("g", 1, 1), "it has no place"),
        (Location("f", 3, 1), "its place f:3:1 is outside the file"),
        (Location("f", 2, 4), "its place f:2:4 is outside the file"),
    ],
)
def test_the_fuzzer_can_fail(location: Location | None, fault: str) -> None:
    assert fuzz.complaint(error("PG000", "x", location), Source("f", "ab\ncd")) == fault


def test_the_fuzzer_sees_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("boom")

    monkeypatch.setattr(fuzz, "parse", broken)
    reports: list[str] = []
    assert fuzz.run(3, seed=1, report=reports.append) == 3
    assert "KeyError: 'boom'" in reports[0]
