"""What doctor has root do for the bench's user, and in which order."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from prodgen.deploy.doctor import rights
from prodgen.deploy.doctor.finding import Finding, Grade
from prodgen.deploy.privilege import restart_right, sudo
from prodgen.deploy.privilege.restart_right import RestartRight, Way, right_to_restart
from prodgen.deploy.privilege.sudo import Grant
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.host.door import Door
from prodgen.host.run_as import NOBODY, identity_of
from prodgen.host.trust import Danger
from prodgen.plan.core.model import Manager
from tests.support.plans import fixture_plan
from tests.support.systemd_plans import sourced

PROGRAM = "/usr/local/bin/prodgen"
CLIENT = Grant("/usr/bin/supervisorctl status")
USER = identity_of(NOBODY)


class Host:
    """A host whose bench belongs to nobody, the user; and what doctor finds there."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        (folder / "sites").mkdir()
        self.folder = folder
        self.patch = patch
        plan = fixture_plan("frappe-15")
        self.plan = plan._replace(user=sourced(USER.name), bench=sourced(folder))
        self.grants: list[Grant] | None = []
        self.socket = Way.NONE
        self.set(restart_right, "_socket_right", lambda *_: RestartRight(self.socket))
        self.set(restart_right, "grants_of", lambda _: self.grants)
        self.set(sudo, "grants_of", lambda _: self.grants)
        self.set(os, "geteuid", lambda: 0)
        for module in (rights, restart_right):
            self.set(module, "program_words", lambda: [PROGRAM])
            self.set(module, "program_danger", lambda: None)
            self.set(module, "can_restart", lambda: True)
        self.set(rights, "_may_directly", lambda one, _: one.right.is_direct)

    def set(self, module: object, name: str, value: object) -> None:
        """Another value for a while."""
        self.patch.setattr(module, name, value)

    @property
    def granted(self) -> Grant:
        """The right that doctor's lines give."""
        return Grant(f"{PROGRAM} restart -C {self.folder}")

    @property
    def hook(self) -> str:
        """What bench shall run."""
        return f"sudo -n {PROGRAM} restart -C {self.folder}"

    def configure(self, hook: str) -> None:
        """Sets bench's hook."""
        text = json.dumps({"supervisor_restart_cmd": hook})
        (self.folder / "sites/common_site_config.json").write_text(text)

    def examine(self) -> list[Finding]:
        """What doctor finds."""
        context = BenchContext(self.plan, Door(self.folder, USER))
        return list(rights.check_rights(context, [], None))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def verbs(found: Finding) -> list[str]:
    """The first word of each step."""
    return [shlex.split(one)[0] for one in found.fix.split(" && ")]


INSTALL = ["printf", "visudo", "mv"]


def test_a_new_host_gets_the_file_before_the_hook(host: Host) -> None:
    [one] = host.examine()
    assert one.grade is Grade.WARNING
    assert verbs(one) == [*INSTALL, PROGRAM]
    assert one.fix.endswith(f"{PROGRAM} apply -C {host.folder}")
    assert "supervisorctl" not in one.fix


def test_old_lines_go_last_and_the_hook_comes_first_if_they_allow_it(host: Host) -> None:
    host.grants = [host.granted, CLIENT]
    one, fine = host.examine()
    assert (one.grade, fine.grade) == (Grade.BAD, Grade.GOOD)
    assert verbs(one) == [PROGRAM, *INSTALL, "visudo"]
    host.grants = [CLIENT]
    [one] = host.examine()
    assert verbs(one) == [*INSTALL, PROGRAM, "visudo"]
    host.configure(host.hook)
    [one] = host.examine()
    assert verbs(one) == [*INSTALL, "visudo"]


def test_a_hook_of_somebody_else_s_has_to_go_first(host: Host) -> None:
    host.configure("sudo supervisorctl restart all")
    host.grants = [host.granted, CLIENT]
    one = host.examine()[0]
    assert verbs(one) == ["take", PROGRAM, *INSTALL, "visudo"]


def test_who_is_not_root_is_sent_to_root(host: Host) -> None:
    host.grants = [CLIENT]
    host.set(os, "geteuid", lambda: NOBODY)
    [one] = host.examine()
    assert one.fix == "run doctor as root: it shows how to take that back"


def test_the_right_without_the_hook_is_half_of_it(host: Host) -> None:
    host.grants = [host.granted]
    fine, one = host.examine()
    assert (fine.grade, one.fix) == (Grade.GOOD, f"{PROGRAM} apply -C {host.folder}")
    host.configure(host.hook)
    [fine] = host.examine()
    assert fine.grade is Grade.GOOD


def test_systemd_needs_the_file_alone(host: Host) -> None:
    host.plan = host.plan._replace(manager=sourced(Manager.SYSTEMD))
    host.set(rights, "_may_directly", lambda *_: False)
    [one] = host.examine()
    assert verbs(one) == INSTALL


def test_no_line_for_a_prodgen_that_others_can_change(host: Host) -> None:
    danger = Danger(Path("/opt/prodgen"), "the group staff (joe)", "chmod g-w /opt/prodgen")
    host.set(rights, "program_danger", lambda: danger)
    [one] = host.examine()
    assert "the group staff (joe) can change /opt/prodgen" in one.text
    assert one.fix == rights.ROOT_INSTALL
    host.grants = [host.granted]
    host.set(restart_right, "program_danger", lambda: danger)
    context = BenchContext(host.plan, Door(host.folder, USER))
    assert right_to_restart(context.door, None).command == ""


def test_no_line_for_a_path_that_sudo_cannot_name(host: Host, tmp_path: Path) -> None:
    host.folder = tmp_path / "a b"
    (host.folder / "sites").mkdir(parents=True)
    [one] = host.examine()
    assert "sudo cannot be given the path" in one.text
    assert "NOPASSWD" not in one.fix


def test_no_hook_without_a_client_of_redis(host: Host) -> None:
    host.set(rights, "can_restart", lambda: False)
    [one] = host.examine()
    assert "no client of Redis" in one.text


def test_nobody_but_the_owner_is_given_a_right(host: Host) -> None:
    host.plan = host.plan._replace(user=sourced("root"))
    assert host.examine() == []
    host.plan = host.plan._replace(user=sourced("daemon"))
    assert host.examine() == []


@pytest.mark.parametrize(
    ("grants", "socket", "way"),
    [
        (["sudo"], Way.SOCKET, Way.SUDO),
        ([], Way.SOCKET, Way.SOCKET),
        ([], Way.NONE, Way.NONE),
        (None, Way.NONE, Way.UNKNOWN),
        (None, Way.SOCKET, Way.SOCKET),
    ],
)
def test_sudo_goes_before_the_socket(
    host: Host, grants: Sequence[str] | None, socket: Way, way: Way
) -> None:
    host.grants = None if grants is None else [host.granted for _ in grants]
    host.socket = socket
    found = right_to_restart(Door(host.folder, USER), None)
    assert found.way is way
    assert found.command == (host.hook if way is Way.SUDO else "")
