"""What each manager says of itself: nobody else decides by its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.apply import journal, recovery
from prodgen.deploy.apply.journal import Journal, Move, Phase
from prodgen.deploy.managers.core.base import Process, State, how_to_load
from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.managers.supervisor import backend as supervisor
from prodgen.deploy.managers.systemd import backend as systemd
from prodgen.deploy.privilege.restart_right import RestartRight, Way
from prodgen.host.programs import Done
from prodgen.host.run_as import NOBODY, identity_of
from prodgen.plan.core.model import Manager, Plan
from tests.support.fakes.fake_supervisord import FakeSupervisord
from tests.support.reviewed import plan_with, side
from tests.support.systemd_plans import make_plan, sourced, with_options

SUPERVISOR, SYSTEMD = backend_of(Manager.SUPERVISOR), backend_of(Manager.SYSTEMD)
PLAN = make_plan()
OF_USER = with_options(PLAN, scope="user")._replace(manager=sourced(Manager.SYSTEMD))
USER = identity_of(NOBODY)


class Commands:
    """What programs are asked; each answers with `out` and `code`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.code = 0
        self.out = ""

    def run(self, argv: Sequence[str], **_: object) -> Done:
        self.asked.append(" ".join(argv))
        return Done(tuple(argv), self.code, self.out, "")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    made = Commands()
    monkeypatch.setattr(systemd, "run", made.run)
    return made


def test_the_file_of_a_service() -> None:
    [web] = [one for one in PLAN.services if one.listen]
    programs = PurePosixPath("/etc/supervisor/conf.d/frappe-bench.conf")
    assert SUPERVISOR.config_file(PLAN, web) == programs
    unit = "frappe-bench-frappe-web@.service"
    assert SYSTEMD.config_file(PLAN, web) == PurePosixPath("/etc/systemd/system", unit)
    own = PurePosixPath("/home/frappe/.config/systemd/user", unit)
    assert SYSTEMD.config_file(OF_USER, web) == own


def test_a_group_of_supervisors_runs_if_all_of_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rpc = FakeSupervisord("a:one", "a:two", "b:one", "c:one")
    rpc.states["b:one"] = "BACKOFF"
    monkeypatch.setattr(supervisor, "Rpc", lambda _: rpc)
    monkeypatch.setattr(supervisor, "find_server", lambda _: rpc.server)
    assert SUPERVISOR.running(PLAN, ["a", "b"], None) == {"a"}
    rpc.states["a:two"] = "FATAL"
    assert SUPERVISOR.running(PLAN, ["a", "b"], None) == set()
    assert SUPERVISOR.control_socket(None) == "/run/supervisor.sock"


def test_a_unit_runs_if_it_is_active(commands: Commands) -> None:
    commands.out = "Id=a.service\nActiveState=active\n\nId=b.service\nActiveState=failed\n"
    assert SYSTEMD.running(PLAN, ["a.service", "b.service"], None) == {"a.service"}
    assert SYSTEMD.control_socket(None) == ""


def with_secrets(plan: Plan, path: str) -> Plan:
    file = sourced(PurePosixPath(path))
    return plan._replace(services=tuple(one._replace(env_file=file) for one in plan.services))


@pytest.mark.parametrize(
    ("plan", "path", "reads"),
    [
        (PLAN, "/etc/secrets/frappe.env", True),
        (PLAN, "/home/frappe/frappe-bench/.env", False),
        (OF_USER, "/etc/secrets/frappe.env", False),
    ],
)
def test_root_reads_secrets_for_units_of_the_system(plan: Plan, path: str, reads: bool) -> None:
    plan = with_secrets(plan, path)
    assert SYSTEMD.reads_secrets(plan, plan.services[0]) is reads
    assert not SUPERVISOR.reads_secrets(plan, plan.services[0])


UP = Process(name="a.service", service=PLAN.services[0], state=State.UP)
DOWN = Process(name="b.service", service=PLAN.services[0], state=State.DOWN)


@pytest.mark.parametrize(
    ("plan", "processes", "uid", "code", "may"),
    [
        (PLAN, [DOWN, UP], 0, 0, True),
        (PLAN, [DOWN, UP], 0, 1, False),
        (PLAN, [DOWN, UP], USER.uid, 1, False),
        (PLAN, [DOWN, UP], USER.uid + 1, 0, None),
        (PLAN, [DOWN], 0, 0, None),
        (OF_USER, [DOWN], 0, 1, True),
    ],
)
def test_polkit_is_asked_for_the_user_by_what_changes_nothing(
    plan: Plan,
    processes: list[Process],
    uid: int,
    code: int,
    may: bool | None,
    commands: Commands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    commands.code = code
    assert SYSTEMD.lets_restart(plan, USER, processes, RestartRight(Way.NONE)) is may
    assert all(asked.endswith("start --no-block -- a.service") for asked in commands.asked)


@pytest.mark.parametrize(
    ("way", "may"),
    [(Way.SOCKET, True), (Way.SUDO, False), (Way.NONE, False), (Way.UNKNOWN, None)],
)
def test_supervisors_socket_is_the_right(way: Way, may: bool | None) -> None:
    assert SUPERVISOR.lets_restart(PLAN, USER, [], RestartRight(way)) is may


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("systemd", ["systemctl daemon-reload", "systemctl start --no-block multi-user.target"]),
        ("supervisor", []),
        ("nginx", []),
    ],
)
def test_at_boot_units_are_read_again(
    target: str,
    asked: list[str],
    commands: Commands,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = Journal(Phase.STAGING, (Move(tmp_path / "x", target, None, None, 0o644),))
    monkeypatch.setattr(journal, "read_journal", lambda _: left)
    monkeypatch.setattr(recovery, "settle", lambda *_: "done")
    assert recovery.recover_at_boot(tmp_path) == "done"
    assert commands.asked == asked


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        (Manager.SUPERVISOR, "supervisorctl update"),
        (Manager.SYSTEMD, "systemctl daemon-reload"),
    ],
)
def test_the_command_that_loads_new_files(manager: Manager, command: str) -> None:
    plan = PLAN._replace(manager=sourced(manager))
    assert how_to_load(plan).endswith(f"then run `{command}`")


@pytest.mark.parametrize(
    ("target", "going_on"),
    [
        ("supervisor", {"frappe-bench-redis"}),
        ("systemd", {"frappe-bench-redis-cache.service", "frappe-bench-redis-queue.service"}),
    ],
)
def test_redis_of_others_goes_on_if_ours_is_the_same(target: str, going_on: set[str]) -> None:
    plan = plan_with()
    new = side(plan, target)
    backend = backend_of(Manager(target))
    assert backend.goes_on(plan, new, new) == going_on
    other = {
        path: one._replace(text=one.text.replace("redis-server", "valkey-server"))
        for path, one in new.items()
    }
    assert backend.goes_on(plan, other, new) == set()
