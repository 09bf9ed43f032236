"""What holds for every plan: its names, its user, its facts, and an origin for each value."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from prodgen.diagnostics import Severity
from prodgen.host.facts import HostFacts, detected
from prodgen.inputs.bench import parse_bench
from prodgen.inputs.schema.check import load_schema
from prodgen.plan.core.model import Manager, Plan
from prodgen.plan.planner import build_plan
from prodgen.plan.views.json import plan_to_json
from prodgen.provenance import Kind, Sourced
from tests.support.plans import (
    FACTS,
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


@pytest.mark.pitfall("29")
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
    plan = make_plan(bench_files(PROCFILE, common), FACTS._replace(owner=declared(owner)))
    assert {one.user.value for one in plan.services} == {user}


@pytest.mark.pitfall("29")
@pytest.mark.parametrize(("common", "owner"), [({"frappe_user": "root"}, "x"), ({}, "root")])
def test_nothing_runs_as_root(common: dict[str, object], owner: str) -> None:
    """Row 29."""
    plan, found = try_plan(bench_files(PROCFILE, common), FACTS._replace(owner=declared(owner)))
    assert plan is None
    assert codes(found, Severity.ERROR) == ["PG502"]


@pytest.mark.pitfall("D-SV4")
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
    facts = FACTS._replace(path=declared(PurePosixPath(folder)))
    assert make_plan(bench_files(PROCFILE), facts).bench_name.value == name


def test_a_folder_that_gives_no_name_is_an_error() -> None:
    facts = FACTS._replace(path=declared(PurePosixPath("/srv/日本")))
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


def locked(
    facts: HostFacts, common: dict[str, object], **files: str | None
) -> tuple[Plan | None, list[str]]:
    """The plan with locked facts, and what the messages call missing."""
    bench, found = parse_bench(bench_files(PROCFILE, common, **files))  # type: ignore[arg-type]
    assert bench, found
    planned, found = build_plan(bench, facts, locked=True)
    return planned.plan, [one.message.split("`")[1] for one in found if one.code == "PG501"]


def test_locked_names_every_fact_that_is_missing_once() -> None:
    plan, missing = locked(HostFacts(), {})
    assert plan is None
    names = ["cpus", "gunicorn", "home", "memory", "node", "path"]
    assert sorted(missing) == [*(f"host.{name}" for name in names), "user"]


def test_locked_needs_frappes_version_where_no_app_is_here() -> None:
    _, missing = locked(FACTS, {"frappe_user": "frappe"}, frappe=None)
    assert missing == ["host.frappe"]


def test_locked_needs_only_what_the_plan_depends_on() -> None:
    facts = HostFacts(path=FACTS.path, home=FACTS.home, node=FACTS.node, gunicorn=FACTS.gunicorn)
    plan, missing = locked(facts, {"gunicorn_workers": 4, "frappe_user": "frappe"})
    assert missing == []
    assert plan


def test_locked_takes_gunicorn_from_the_benchs_env() -> None:
    facts = FACTS._replace(gunicorn=None)
    plan, missing = locked(facts, {"frappe_user": "frappe"}, gunicorn="25.1.0")
    assert missing == []
    assert plan
    assert plan.versions["gunicorn"].value == "25.1.0"
    assert plan.versions["gunicorn"].origin.kind is Kind.FILE


def test_versions_of_this_machine_are_mentioned_where_they_matter() -> None:
    facts = FACTS._replace(
        nginx=Sourced("1.22.1", detected("1.22.1", "nginx of this machine")),
        systemd=Sourced("252", detected("252", "systemd of this machine")),
    )
    for common, names in (
        ({}, {"nginx"}),
        ({"restart_systemd_on_update": 1}, {"nginx", "systemd"}),
    ):
        bench, _ = parse_bench(bench_files(PROCFILE, common))
        assert bench
        planned, _ = build_plan(bench, facts)
        assert set(planned.used_facts) == names


def test_the_plan_depends_on_nothing_but_its_inputs() -> None:
    assert plan_to_json(fixture_plan("frappe-15")) == plan_to_json(fixture_plan("frappe-15"))


@pytest.mark.pitfall("D-SV9")
@pytest.mark.parametrize("key", load_schema("common_site_config")["properties"])
def test_a_null_counts_as_absent(key: str) -> None:
    plan = make_plan(bench_files(PROCFILE, {key: None}))
    assert plan == make_plan(bench_files(PROCFILE, {}))
