"""Frappe's version: of apps/frappe itself, else what bench noted in sites/apps.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prodgen.inputs.core.source import Source
from prodgen.inputs.frappe_version import version_in_package, version_in_states
from prodgen.inputs.reader import read_bench

NOTED = {
    "frappe": {
        "is_repo": True,
        "resolution": {"commit_hash": "0" * 40, "branch": "version-15"},
        "required": [],
        "idx": 1,
        "version": "15.72.4",
    }
}
"""As bench writes it (bench/bench.py, BenchApps)."""


def states(text: str) -> Source:
    return Source("sites/apps.json", text)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('__version__ = "15.72.4"\n', "15.72.4"),
        ("import x\n\n__version__='16.0.0-dev'", "16.0.0-dev"),
        ("# __version__ = '1'", None),
        ("", None),
    ],
)
def test_the_packages_own_word(text: str, version: str | None) -> None:
    found = version_in_package(Source("__init__.py", text))
    assert (found.value if found else None) == version


def test_what_bench_noted() -> None:
    found, faults = version_in_states(states(json.dumps(NOTED, indent=4)))
    assert faults == []
    assert found
    assert found.value == "15.72.4"
    assert found.origin.text == "frappe.version in sites/apps.json"
    assert str(found.location) == "sites/apps.json:10:20"


@pytest.mark.parametrize(
    "text", ["", " \n", "{}", "[]", '{"erpnext": {"version": "15.1.0"}}', '{"frappe": {}}']
)
def test_a_file_that_says_nothing_of_frappe(text: str) -> None:
    assert version_in_states(states(text)) == (None, [])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"frappe": {"version": 15}}', "sites/apps.json:1:24"),
        ('{"frappe": {"version": "version-15"}}', "sites/apps.json:1:24"),
        ('{"frappe": {"version": "15.72.4"}', "sites/apps.json:1:33"),
        ('{"a": 1, "a": 2}', "sites/apps.json:1:10"),
    ],
)
def test_a_broken_one_is_a_warning_with_its_place(text: str, place: str) -> None:
    found, faults = version_in_states(states(text))
    assert found is None
    assert [(one.code, one.severity.value, str(one.location)) for one in faults] == [
        ("PG206", "warning", place)
    ]
    assert faults[0].help


def test_it_is_read_only_where_apps_frappe_is_not_here(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites/apps.json").write_text(json.dumps(NOTED))
    files, found = read_bench(tmp_path)
    assert found == []
    assert files.apps in files.sources()
    package = tmp_path / "apps/frappe/frappe/__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text('__version__ = "16.0.0"')
    assert read_bench(tmp_path)[0].apps is None
