"""The file for Supervisor, as its own parser reads it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from getpass import getuser
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from supervisor.options import ServerOptions

from prodgen.plan.model import Address, Plan, Role
from prodgen.provenance import Sourced
from prodgen.targets.supervisor import render_supervisor
from prodgen.targets.supervisor_groups import groups, log_links
from tests.plans import declared, fixture_plan

CASES = ["frappe-13", "frappe-14", "frappe-15", "frappe-16", "tutorial-three-redis"]


def with_options(plan: Plan, **values: object) -> Plan:
    """The plan with other choices about Supervisor."""
    own = plan.supervisor
    new: dict[str, Any] = {
        name: replace(getattr(own, name), value=value) for name, value in values.items()
    }
    return replace(plan, supervisor=replace(own, **new))


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Plan], dict[str, list[Any]]]:
    """The process configs of each group, by Supervisor's own parser."""

    def read(plan: Plan) -> dict[str, list[Any]]:
        plan = replace(plan, log_folder=declared(PurePosixPath(tmp_path)))
        [artifact], found = render_supervisor(plan)
        assert not found
        path = tmp_path / "supervisord.conf"
        text = artifact.text.replace(f"user={plan.user.value}\n", f"user={getuser()}\n")
        path.write_text(f"[supervisord]\nlogfile={tmp_path}/log\n\n{text}")
        options = ServerOptions()
        options.configfile = str(path)
        options.realize(args=[])
        return {group.name: group.process_configs for group in options.process_group_configs}

    return read


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


@pytest.mark.parametrize(
    ("address", "socket"),
    [
        (Address("127.0.0.1", 8000), "tcp://127.0.0.1:8000"),
        (Address("::1", 8000), "tcp://[::1]:8000"),
        (Address(path="/run/x 50%/web.sock"), "unix:///run/x 50%%/web.sock"),
    ],
)
def test_the_socket_is_written_as_supervisor_wants_it(address: Address, socket: str) -> None:
    plan = fixture_plan("frappe-15")
    services = tuple(
        replace(one, listen=replace(one.listen, value=address)) if one.listen else one
        for one in plan.services
    )
    [artifact], _ = render_supervisor(replace(plan, services=services))
    assert f"\nsocket={socket}\n" in artifact.text


def test_a_value_that_cannot_be_written_is_an_error() -> None:
    plan = fixture_plan("frappe-15")
    first, *others = plan.services
    broken = replace(first, argv=Sourced(("/bin/x", "a\nb"), first.argv.origin))
    made, found = render_supervisor(replace(plan, services=(broken, *others)))
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
