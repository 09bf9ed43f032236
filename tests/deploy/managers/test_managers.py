"""What Supervisor and systemd are asked, and what their answers mean."""

from __future__ import annotations

import pytest

from prodgen.deploy.managers.core.base import State, instances_of
from prodgen.deploy.managers.supervisor import control as supervisor
from prodgen.deploy.managers.supervisor.core.rpc import parse_config
from prodgen.deploy.managers.systemd import control as systemd
from tests.support.plans import fixture_plan, service

PLAN = fixture_plan("frappe-15")
WORKER = next(one for one in PLAN.services if one.queues.value)


def test_the_commands_of_systemctl() -> None:
    control = systemd.control(PLAN, 0)
    assert control == ("systemctl", "--no-ask-password", "--no-pager")
    assert systemd.verb_command(control, "restart", ["a.service"]) == (
        *control,
        "restart",
        "--no-block",
        "--",
        "a.service",
    )
    asked = systemd.show_command(control, ["a.service"])
    assert asked[-2:] == ("--", "a.service")
    assert "MainPID" in asked[4]


def test_the_answer_of_systemctl() -> None:
    text = (
        "Id=a.service\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\nMainPID=0\n"
        "ExecMainCode=1\nExecMainStatus=3\nNRestarts=2\nNeedDaemonReload=yes\n\n"
        "Id=b.service\nLoadState=not-found\nActiveState=inactive\n"
    )
    found = systemd.parse_show(text)
    one = systemd.as_process("a.service", WORKER, 0, found["a.service"])
    assert (one.state, one.word, one.last_exit, one.starts) == (
        State.STARTING,
        "auto-restart",
        "exit 3",
        2,
    )
    assert one.stale
    assert systemd.as_process("b.service", WORKER, 0, found["b.service"]).state is State.MISSING
    killed = {"LoadState": "loaded", "ActiveState": "failed", "ExecMainCode": "2"}
    dead = systemd.as_process("c.service", WORKER, 0, killed | {"ExecMainStatus": "9"})
    assert (dead.state, dead.last_exit) == (State.FAILED, "signal 9")


def test_the_names_of_supervisor() -> None:
    web = service(PLAN, "frappe-web")
    assert supervisor.expected_names(PLAN, web) == [
        "frappe-bench-web:frappe-bench-frappe-web-0",
        "frappe-bench-web:frappe-bench-frappe-web-1",
    ]


def test_the_answer_of_supervisor() -> None:
    info = {
        "statename": "BACKOFF",
        "pid": 0,
        "exitstatus": -9,
        "spawnerr": "",
        "stdout_logfile": "",
    }
    one = supervisor.as_process("g:n", WORKER, 0, info)
    assert (one.state, one.word, one.last_exit, one.logs) == (
        State.STARTING,
        "backoff",
        "signal 9",
        (),
    )
    assert supervisor.as_process("g:n", WORKER, 0, {}).state is State.MISSING


@pytest.mark.pitfall("12")
def test_what_is_loaded_counts() -> None:
    expected = ["g:w-0", "g:w-1"]
    assert instances_of("g:w", ["g:w-0", "g:w-1", "g:w-2", "g:web"], expected) == [
        "g:w-0",
        "g:w-1",
        "g:w-2",
    ]
    assert instances_of("g:w", ["g:w"], expected) == ["g:w"]
    assert instances_of("g:w", [], expected) == expected


def test_where_supervisord_listens() -> None:
    text = "[unix_http_server]\nfile=/run/s.sock ; the socket\n[supervisorctl]\n"
    found = parse_config(text, "/etc")
    assert found is not None
    assert found.socket == "/run/s.sock"
    here = parse_config("[supervisorctl]\nserverurl=unix://%(here)s/s.sock\n", "/etc/sup")
    assert here is not None
    assert here.socket == "/etc/sup/s.sock"
    port = parse_config("[supervisorctl]\nserverurl=http://127.0.0.1:9001\nusername=u\n", "/")
    assert port is not None
    assert (port.socket, port.username) == ("", "u")
    assert parse_config("[supervisord]\n", "/etc") is None
    assert parse_config("no ini", "/etc") is None
