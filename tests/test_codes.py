"""Every code that the source reports is explained, used, and of the severity that it says."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

from prodgen.codes import CODES, members
from tests.support.plans import ROOT

CODE = re.compile(r'"(PG\d{3})"')


def reported() -> set[str]:
    sources = (path.read_text("utf-8") for path in (ROOT / "prodgen").rglob("*.py"))
    return {code for text in sources for code in CODE.findall(text)}


def test_every_reported_code_is_explained() -> None:
    assert reported() - set(CODES) == set()


def test_every_explained_code_is_reported() -> None:
    assert {code for code in CODES if not members(code)} - reported() == set()


SEVERITIES = ("note", "warning", "error")
"""The functions of prodgen.diagnostics, the mildest first."""
ERRORS = ("DeployError", "ManagerError")
"""Exceptions whose first argument is a code."""
MAKERS = {**dict.fromkeys(ERRORS, "error"), "bad": "error", "warn": "warning"}
"""What else makes a diagnostic of a severity, with its code first."""


def calls() -> Iterator[tuple[str, ast.expr]]:
    """The functions that make a diagnostic, and the first argument of each call."""
    for path in (ROOT / "prodgen").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                yield node.func.id, node.args[0]


def test_every_refusal_of_a_deploy_has_a_code() -> None:
    first = [ast.unparse(code) for name, code in calls() if name in ERRORS]
    assert len(first) > 30
    assert [code for code in first if not CODE.fullmatch(code.replace("'", '"'))] == []


def test_severities_are_those_of_the_source() -> None:
    """The mildest counts: a code that is a warning somewhere can be accepted there."""
    found: dict[str, set[str]] = {}
    for maker, code in calls():
        name = MAKERS.get(maker, maker)
        if name in SEVERITIES and isinstance(code, ast.Constant):
            found.setdefault(str(code.value), set()).add(name)
    mildest = {code: min(names, key=SEVERITIES.index) for code, names in found.items()}
    assert len(mildest) > 100
    assert mildest == {code: CODES[code].severity for code in mildest}


def test_a_family_is_no_member_of_another_and_names_its_kinds() -> None:
    families = {entry.family for entry in CODES.values() if entry.family}
    assert families == {"PG806", "PG901"}
    assert not any(CODES[family].family for family in families)
    assert {"PG830", "PG835"} <= set(members("PG806"))


def test_the_texts_are_sorted_and_say_something() -> None:
    path = ROOT / "prodgen" / "codes.json"
    assert list(json.loads(path.read_text("utf-8"))) == sorted(CODES)
    for code, entry in CODES.items():
        assert 5 < len(entry.title) < 70, code
        assert not entry.title.endswith("."), code
        assert len(entry.text) > 40, code
        assert entry.text.endswith("."), code
