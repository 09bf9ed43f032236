"""What a change does to what runs, and what it leaves alone."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from prodgen.review.impact.impact import impact, running
from prodgen.review.impact.reasons import ReasonFinder
from prodgen.targets.core.effects import Action
from prodgen.targets.core.file_set import Placed
from tests.support.reviewed import MANAGERS, FileSet, actions, edited, plan_with, side

FILES = {"supervisor": "frappe-bench.conf", "systemd": "frappe-bench-frappe-short-worker@.service"}


@pytest.fixture(params=MANAGERS)
def manager(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def old(manager: str) -> FileSet:
    return side(plan_with(), manager)


def test_nothing_is_nothing(old: FileSet) -> None:
    assert impact(old, old) == []


@pytest.mark.parametrize("comment", ["# added\n", "; added\n", "\n\n"])
def test_a_comment_touches_nothing(old: FileSet, comment: str) -> None:
    for path, placed in old.items():
        if comment.startswith(";") and placed.target not in MANAGERS:
            continue
        changed = {**old, path: placed._replace(text=comment + placed.text)}
        assert impact(old, changed) == [], path


def test_the_first_install_starts_everything(old: FileSet, manager: str) -> None:
    effects = impact({}, old)
    ours = {one.action for one in effects if one.target == manager}
    assert ours <= {Action.START, Action.REREAD}
    started = {one.subject for one in effects if one.action is Action.START}
    assert running(old) <= started


def test_the_last_removal_stops_everything(old: FileSet) -> None:
    effects = impact(old, {})
    assert running(old) <= {one.subject for one in effects if one.action is Action.STOP}


def test_more_gunicorn_workers_roll_the_web_and_nothing_else(manager: str, old: FileSet) -> None:
    effects = impact(old, side(plan_with(gunicorn_workers=8), manager))
    web = [one for one in effects if "frappe-web" in one.subject]
    assert web == effects
    assert {one.action for one in effects} == {Action.ROLL}
    assert len(effects) == 2


def test_what_restarts_anyway_also_says_what_it_reads_anew(manager: str, old: FileSet) -> None:
    new = side(plan_with(gunicorn_workers=8), manager)
    name = (
        next(path.name for path in new if "web" in path.name and path.suffix == ".service")
        if manager == "systemd"
        else FILES[manager]
    )
    moved = edited(new, name, "frappe.app:application", "frappe.app:application --log-level debug")
    web = [one for one in impact(old, moved) if "frappe-web" in one.subject]
    assert len(web) == 2
    for one in web:
        keys = [reason.key.rpartition(".")[2] for reason in one.reasons]
        assert {"workers"} < set(keys), keys
        assert not one.because_of


def test_the_reason_of_a_roll_is_where_it_was_set(manager: str, old: FileSet) -> None:
    plan = plan_with(gunicorn_workers=8)
    first = impact(old, side(plan, manager))[0]
    why = ReasonFinder(plan).of(first, first.reasons[0].key)
    assert why is not None
    assert why.place.startswith("sites/common_site_config.json:")


def test_one_more_instance_of_a_pool() -> None:
    """systemd starts it and touches no other; Supervisor replaces the workers' group."""
    workers = {"reports": {"timeout": 600, "background_workers": 2}}
    new = plan_with(workers=workers)
    found = actions(impact(side(plan_with(), "systemd"), side(new, "systemd")))
    running = {name: action for name, action in found.items() if action is not Action.REREAD}
    assert running == {"frappe-reports-worker@2.service": Action.START}
    found = actions(impact(side(plan_with(), "supervisor"), side(new, "supervisor")))
    assert found["workers:frappe-reports-worker-0"] is Action.START
    assert found["workers:frappe-short-worker"] is Action.RESTART
    assert not any(name.startswith(("web:", "redis:")) for name in found)


def test_a_longer_timeout_of_a_queue_is_no_restart_under_systemd() -> None:
    """systemd, not the process, goes by the stop time: it reads it anew."""
    new = plan_with(workers={"reports": {"timeout": 900, "background_workers": 1}})
    effects = impact(side(plan_with(), "systemd"), side(new, "systemd"))
    assert {one.action for one in effects} == {Action.REREAD}


def test_a_restart_waits_as_long_as_the_old_config_lets_it() -> None:
    new = plan_with(workers={"reports": {"timeout": 9000, "background_workers": 1}})
    effects = impact(side(plan_with(), "supervisor"), side(new, "supervisor"))
    assert {one.seconds for one in effects} == {1590}  # the longest of the group as it runs now
    own = {one.subject.rpartition("-bench-")[2]: one.own_seconds for one in effects}
    assert own["frappe-short-worker"] == 390
    assert own["frappe-long-worker"] == 1590


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        ("KillMode=mixed", "KillMode=process", Action.REREAD),
        ("TimeoutStopSec=390", "TimeoutStopSec=400", Action.REREAD),
        ("RestartSec=", "RestartSec=1", Action.REREAD),
        ("CPUWeight=100", "CPUWeight=50", Action.REREAD),
        ("Description=", "Description=the ", Action.REREAD),
        ("User=frappe", "User=other", Action.RESTART),
        ("OOMScoreAdjust=300", "OOMScoreAdjust=200", Action.RESTART),
        ("NoNewPrivileges=yes", "NoNewPrivileges=no", Action.RESTART),
        ("--queue short,default", "--queue short", Action.RESTART),
    ],
)
def test_what_needs_a_restart_of_a_unit(before: str, after: str, action: Action) -> None:
    old = side(plan_with(), "systemd")
    effects = impact(old, edited(old, FILES["systemd"], before, after))
    assert actions(effects) == {"frappe-short-worker@1.service": action}


def test_another_address_closes_the_socket() -> None:
    """Requests cannot wait in a socket that moves: this is no rolling restart."""
    found = actions(
        impact(side(plan_with(), "systemd"), side(plan_with(webserver_port=8123), "systemd"))
    )
    assert found["web.socket"] is Action.RESTART
    assert found["frappe-web@1.service"] is Action.RESTART
    assert "frappe-short-worker@1.service" not in found


@pytest.mark.parametrize(
    ("before", "after"),
    [("stopwaitsecs=390", "stopwaitsecs=400"), ("user=frappe", "user=other"), ("priority=30", "")],
)
def test_supervisor_replaces_the_group_of_whatever_differs(before: str, after: str) -> None:
    old = side(plan_with(), "supervisor")
    found = actions(impact(old, edited(old, FILES["supervisor"], before, after)))
    assert found["workers:frappe-short-worker"] is Action.RESTART
    assert found["workers:frappe-schedule"] is Action.RESTART


def test_a_program_of_its_own_restarts_alone() -> None:
    text = "[program:a]\ncommand=/bin/a\n[program:b]\ncommand=/bin/b\n"
    old = side(plan_with(), "supervisor")
    path = next(path for path, one in old.items() if one.target == "supervisor")
    before = {path: old[path]._replace(text=text)}
    after = {path: old[path]._replace(text=text.replace("/bin/b", "/bin/c"))}
    assert actions(impact(before, after)) == {"b:b": Action.RESTART}


def test_the_file_of_the_host_takes_nothing_from_that_of_the_bench(old: FileSet) -> None:
    path = PurePosixPath("/etc/nginx/conf.d/00-prodgen-host.conf")
    new = {path: Placed("map_hash_max_size 65536;\n", "nginx"), **old}
    [effect] = impact(old, new)
    assert [(one.key, one.old) for one in effect.reasons] == [("map_hash_max_size", None)]


def test_a_site_more_reloads_nginx_and_restarts_nothing(manager: str, old: FileSet) -> None:
    plan = plan_with()
    fewer = plan._replace(sites=plan.sites[:1])
    effects = impact(side(fewer, manager), old)
    assert {one.action for one in effects} == {Action.RELOAD}
    assert any("two.example" in one.subject for one in effects)


def test_switching_managers_stops_one_and_starts_the_other() -> None:
    plan = plan_with()
    one, two = side(plan, "supervisor"), side(plan, "systemd")
    effects = impact(one, two)
    by_target = {
        target: {each.action for each in effects if each.target == target} for target in MANAGERS
    }
    assert by_target["supervisor"] == {Action.STOP}
    assert by_target["systemd"] == {Action.START, Action.REREAD}


@pytest.mark.parametrize(
    ("setting", "seconds"),
    [("", 10), ("stopwaitsecs=0\n", 0), ("stopwaitsecs=300\n", 300), ("stopwaitsecs=x\n", 10)],
)
def test_supervisor_waits_for_ten_seconds_where_nothing_is_said(setting: str, seconds: int) -> None:
    """Its own default (supervisord.org/configuration.html)."""
    text = f"[program:frappe-bench-x]\ncommand=/bin/a\n{setting}"
    path = PurePosixPath("/etc/supervisor/conf.d/frappe-bench.conf")
    old = {path: Placed(text, "supervisor")}
    [effect] = impact(old, {})
    assert (effect.action, effect.seconds, effect.own_seconds) == (Action.STOP, seconds, seconds)
