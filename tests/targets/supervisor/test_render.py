"""The file for Supervisor, as its own parser reads it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prodgen.plan.core.model import Address, Plan, Role
from prodgen.provenance import Sourced
from prodgen.targets.supervisor.groups import groups, log_links
from prodgen.targets.supervisor.render import render_supervisor
from tests.support.plans import declared, fixture_plan
from tests.support.supervisor_reader import groups_read

CASES = ["frappe-13", "frappe-14", "frappe-15", "frappe-16", "tutorial-three-redis"]


def with_options(plan: Plan, **values: object) -> Plan:
    """The plan with other choices about Supervisor."""
    own = plan.supervisor
    new: dict[str, Any] = {
        name: Sourced(value, getattr(own, name).origin) for name, value in values.items()
    }
    return plan._replace(supervisor=own._replace(**new))


@pytest.fixture
def load_groups(tmp_path: Path) -> Callable[[Plan], list[Any]]:
    """The configs of the groups, by Supervisor's own parser."""
    return lambda plan: groups_read(plan, tmp_path)


@pytest.fixture
def load(load_groups: Callable[[Plan], list[Any]]) -> Callable[[Plan], dict[str, list[Any]]]:
    """The process configs of each group, by Supervisor's own parser."""
    return lambda plan: {group.name: group.process_configs for group in load_groups(plan)}


@pytest.mark.parametrize("by", ["bench", "pool"])
@pytest.mark.parametrize("case", CASES)
def test_supervisor_reads_what_the_plan_says(
    case: str, by: str, load: Callable[[Plan], dict[str, list[Any]]]
) -> None:
    plan = with_options(fixture_plan(case), groups=by)
    read = load(plan)
    expected = groups(plan)
    assert set(read) == set(expected)
    for name, services in expected.items():
        assert len(read[name]) == sum(one.instances.value for one in services)
        for service in services:
            own = [one for one in read[name] if _stem(one.name, plan) == service.name.value]
            assert len(own) == service.instances.value
            for config in own:
                assert shlex.split(config.command)[-1] == service.argv.value[-1]
                assert dict(config.environment) == dict(service.environment.value)
                assert config.directory == str(service.directory.value)
                assert config.stopwaitsecs == service.stop.value.seconds
                assert not config.stopasgroup
                assert config.killasgroup
                assert config.autorestart.__name__ == "RestartUnconditionally"


def _stem(process: str, plan: Plan) -> str:
    names = [one.name.value for one in plan.services]
    return max((name for name in names if process.startswith(name)), key=len)


def test_no_two_processes_share_a_log(load: Callable[[Plan], dict[str, list[Any]]]) -> None:
    read = load(with_options(fixture_plan("numbered-workers"), log_bytes=1000, log_backups=2))
    configs = [config for found in read.values() for config in found]
    files = [path for one in configs for path in (one.stdout_logfile, one.stderr_logfile)]
    assert len(set(files)) == len(files)
    assert {(one.stdout_logfile_maxbytes, one.stdout_logfile_backups) for one in configs} == {
        (1000, 2)
    }


def test_bench_groups_bear_the_names_that_bench_looks_for() -> None:
    plan = fixture_plan("frappe-15")
    suffixes = [name.removeprefix(plan.bench_name.value) for name in groups(plan)]
    assert suffixes == ["-redis", "-web", "-workers"]


def test_the_scheduler_stays_a_while_and_is_called_started(
    load: Callable[[Plan], dict[str, list[Any]]],
) -> None:
    plan = fixture_plan("frappe-15")
    [service] = plan.with_role(Role.SCHEDULER)
    for wait, settled in ((30, 5), (2, 2)):
        found = load(with_options(plan, scheduler_wait=wait))
        [config] = [
            one for each in found.values() for one in each if one.name == service.name.value
        ]
        words = shlex.split(config.command)
        assert words[1] == "-c"
        assert words[3:] == ["frappe", "schedule"]
        assert f"time.sleep({wait})" in words[2]
        assert config.startsecs == settled
        compile(words[2], "schedule", "exec")


def listening_on(plan: Plan, address: Address, group: str = "") -> Plan:
    """The plan with another address of the web."""
    new: dict[str, Any] = {"socket_group": declared(group)} if group else {}
    services = tuple(
        one._replace(listen=Sourced(address, one.listen.origin), **new) if one.listen else one
        for one in plan.services
    )
    return plan._replace(services=services)


@pytest.mark.parametrize(
    ("address", "socket"),
    [
        (Address("127.0.0.1", 8000), "tcp://127.0.0.1:8000"),
        (Address("10.0.0.5", 8000), "tcp://10.0.0.5:8000"),
        (Address(path="/run/x 50%.sock"), "unix:///run/x 50%.sock"),
    ],
)
def test_supervisor_reads_the_socket(
    address: Address, socket: str, load_groups: Callable[[Plan], list[Any]]
) -> None:
    plan = listening_on(fixture_plan("frappe-15"), address)
    [group] = [one for one in load_groups(plan) if one.name == f"{plan.bench_name.value}-web"]
    assert str(group.socket_config) == socket
    web = group.process_configs[0]
    assert ("LISTEN_FDS=1" in web.command) is bool(address.path)
    assert ("fd://0" in web.command) is (not address.path)


@pytest.mark.parametrize(
    "address",
    [
        Address("::1", 8000),
        Address(path="/run/frappe-bench/web.sock"),
        Address(path="/srv/web.sock"),
    ],
)
def test_a_socket_that_supervisor_cannot_hold_is_refused(address: Address) -> None:
    made, found = render_supervisor(listening_on(fixture_plan("frappe-15"), address))
    assert made == []
    assert [one.code for one in found] == ["PG701"]


def test_a_unix_socket_is_open_to_all_or_to_one_group() -> None:
    plan, address = fixture_plan("frappe-15"), Address(path="/run/web.sock")
    [artifact], _ = render_supervisor(listening_on(plan, address))
    assert "\nsocket_mode=0666\n" in artifact.text
    assert "socket_owner" not in artifact.text
    [artifact], _ = render_supervisor(listening_on(plan, address, "www-data"))
    assert f"\nsocket_owner={plan.user.value}:www-data\nsocket_mode=0660\n" in artifact.text


def on_its_socket(plan: Plan, path: str) -> Plan:
    """The plan with realtime on a unix socket."""
    assert plan.proxy
    return plan._replace(proxy=plan.proxy._replace(realtime=declared(Address(path=path))))


def test_realtime_removes_its_stale_socket_and_lets_nginx_connect(
    load: Callable[[Plan], dict[str, list[Any]]],
) -> None:
    path = "/home/frappe/frappe-bench/config/it's.sock"
    plan = on_its_socket(fixture_plan("frappe-15"), path)
    [service] = plan.with_role(Role.REALTIME)
    [config] = [
        one for each in load(plan).values() for one in each if one.name == service.name.value
    ]
    words = shlex.split(config.command)
    assert words[:2] == ["/bin/sh", "-c"]
    assert words[3:] == [path, *service.argv.value]
    assert config.umask == 0


def test_realtime_cannot_open_a_socket_in_a_folder_of_root_s() -> None:
    plan = on_its_socket(fixture_plan("frappe-15"), "/run/frappe-bench/realtime.sock")
    assert [one.code for one in render_supervisor(plan)[1]] == ["PG701"]


@pytest.mark.parametrize("wanted", [True, False])
def test_lines_go_to_syslog_too(wanted: bool, load: Callable[[Plan], dict[str, list[Any]]]) -> None:
    plan = with_options(fixture_plan("frappe-15"), syslog=wanted)
    configs = [config for found in load(plan).values() for config in found]
    assert {(one.stdout_syslog, one.stderr_syslog) for one in configs} == {(wanted, wanted)}
    assert all(one.stdout_logfile for one in configs)


def test_a_value_that_cannot_be_written_is_an_error() -> None:
    plan = fixture_plan("frappe-15")
    first, *others = plan.services
    broken = first._replace(argv=Sourced(("/bin/x", "a\nb"), first.argv.origin))
    made, found = render_supervisor(plan._replace(services=(broken, *others)))
    assert made == []
    assert [one.code for one in found] == ["PG701"]


def test_users_find_their_logs() -> None:
    plan = fixture_plan("frappe-15")
    links = {name: path.name for name, path in log_links(plan).items()}
    assert links["web.log"] == links["web-0.log"] == "web-0.log"
    assert links["web-1.error.log"] == "web-1.error.log"
    assert links["worker.error.log"].endswith("-worker.error.log") or "-0" in links["worker.log"]
    assert links["schedule.log"] == "schedule.log"
    assert set(links.values()) <= set(links)
