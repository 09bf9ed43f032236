"""What holds for every plan: its names, its user, its facts, and an origin for each value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import PurePosixPath

import pytest

from prodgen.diagnostics import Severity
from prodgen.host.facts import HostFacts
from prodgen.inputs.bench import parse_bench
from prodgen.plan.model import Manager, Plan
from prodgen.plan.planner import build_plan
from prodgen.provenance import Kind, Sourced
from tests.plans import (
    FACTS,
    FIXTURES,
    bench_files,
    codes,
    declared,
    fixture_plan,
    make_plan,
    try_plan,
)

PROCFILE = (
    "web: bench serve\nsocketio: bench socketio\nschedule: bench schedule\nworker: bench worker\n"
)
WITH_PLAN = sorted(
    folder.name
    for folder in FIXTURES.iterdir()
    if (folder / "frappe-bench").is_dir() and folder.name != "unknown-queue"
)


def origins(value: object, path: str = "plan") -> Iterator[tuple[str, Sourced[object]]]:
    """Every sourced value below `value`, with its path."""
    if isinstance(value, Sourced):
        yield path, value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from origins(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from origins(item, f"{path}.{key}")
    elif is_dataclass(value):
        for one in fields(value):
            yield from origins(getattr(value, one.name), f"{path}.{one.name}")


@pytest.mark.parametrize("case", WITH_PLAN)
def test_every_value_has_an_origin_that_says_something(case: str) -> None:
    found = list(origins(fixture_plan(case)))
    assert len(found) > 100
    for path, value in found:
        assert value.origin.text.strip(), path
        if value.origin.kind is Kind.FILE:
            assert value.origin.location is not None or "folder" in value.origin.text, path


@pytest.mark.parametrize(
    ("common", "owner", "user"),
    [
        ({"frappe_user": "erp"}, "somebody", "erp"),
        ({"frappe_user": "erp"}, "root", "erp"),
        ({}, "somebody", "somebody"),
        ({"frappe_user": ""}, "somebody", "somebody"),
    ],
)
def test_the_user_of_the_services(common: dict[str, object], owner: str, user: str) -> None:
    plan = make_plan(bench_files(PROCFILE, common), replace(FACTS, owner=declared(owner)))
    assert {one.user.value for one in plan.services} == {user}


@pytest.mark.parametrize(("common", "owner"), [({"frappe_user": "root"}, "x"), ({}, "root")])
def test_nothing_runs_as_root(common: dict[str, object], owner: str) -> None:
    """Row 29."""
    plan, found = try_plan(bench_files(PROCFILE, common), replace(FACTS, owner=declared(owner)))
    assert plan is None
    assert codes(found, Severity.ERROR) == ["PG502"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/home/frappe/frappe-bench", "frappe-bench"),
        ("/srv/my bench", "my-bench"),
        ("/srv/50% $bench;#'\"", "50-bench"),
        ("/srv/café", "caf"),
        ("/srv/v15.bench_1", "v15.bench_1"),
    ],
)
def test_the_name_of_a_bench(folder: str, name: str) -> None:
    """D-SV4: no name that Supervisor or systemd would refuse."""
    facts = replace(FACTS, path=declared(PurePosixPath(folder)))
    assert make_plan(bench_files(PROCFILE), facts).bench_name.value == name


def test_a_folder_that_gives_no_name_is_an_error() -> None:
    facts = replace(FACTS, path=declared(PurePosixPath("/srv/日本")))
    plan, found = try_plan(bench_files(PROCFILE), facts)
    assert plan is None
    assert codes(found, Severity.ERROR) == ["PG503"]


@pytest.mark.parametrize(
    ("common", "manager"),
    [
        ({}, Manager.SUPERVISOR),
        ({"restart_supervisor_on_update": True}, Manager.SUPERVISOR),
        ({"restart_systemd_on_update": 1}, Manager.SYSTEMD),
        ({"restart_systemd_on_update": "on"}, Manager.SYSTEMD),
        ({"restart_systemd_on_update": "0"}, Manager.SUPERVISOR),
    ],
)
def test_which_manager_runs_a_bench(common: dict[str, object], manager: Manager) -> None:
    assert make_plan(bench_files(PROCFILE, common)).manager.value is manager


@pytest.mark.parametrize(
    ("frappe", "expected"),
    [
        ("12.3.0", ["PG506"]),
        ("13.0.0", []),
        ("17.0.0-dev", []),
        ("18.1.0", ["PG506"]),
        (None, ["PG505"]),
    ],
)
def test_an_unknown_frappe_draws_a_warning(frappe: str | None, expected: list[str]) -> None:
    _, found = try_plan(bench_files(PROCFILE, frappe=frappe))
    assert codes(found, Severity.WARNING) == expected


def locked(facts: HostFacts, common: dict[str, object]) -> tuple[Plan | None, list[str]]:
    bench, found = parse_bench(bench_files(PROCFILE, common))
    assert bench, found
    planned, found = build_plan(bench, facts, locked=True)
    return planned.plan, [one.message.split("`")[1] for one in found if one.code == "PG501"]


def test_locked_names_every_fact_that_is_missing_once() -> None:
    plan, missing = locked(HostFacts(), {})
    assert plan is None
    assert sorted(missing) == ["cpus", "home", "memory", "node", "owner", "path"]


def test_locked_needs_only_what_the_plan_depends_on() -> None:
    facts = HostFacts(path=FACTS.path, home=FACTS.home, node=FACTS.node)
    plan, missing = locked(facts, {"gunicorn_workers": 4, "frappe_user": "frappe"})
    assert missing == []
    assert plan


def test_the_plan_depends_on_nothing_but_its_inputs() -> None:
    assert fixture_plan("frappe-15") == fixture_plan("frappe-15")
