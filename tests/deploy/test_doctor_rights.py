"""The lines for sudo: one command each, with nothing left open."""

from __future__ import annotations

from prodgen.deploy.doctor_rights import sudoers_command, sudoers_file, sudoers_lines
from prodgen.plan.model import Manager
from tests.plans import fixture_plan
from tests.targets.systemd_plans import sourced

PLAN = fixture_plan("frappe-15")


def test_what_sudo_would_read_otherwise_is_escaped() -> None:
    assert sudoers_command(["/bin/x", "a-web:", "b,c=d*"]) == r"/bin/x a-web\: b\,c\=d\*"


def test_systemd_needs_one_line() -> None:
    plan = PLAN._replace(manager=sourced(Manager.SYSTEMD))
    [line] = sudoers_lines(plan, "/usr/local/bin/prodgen")
    own = "/usr/local/bin/prodgen restart -C /home/frappe/frappe-bench"
    assert line == f"frappe ALL=(root) NOPASSWD: {own}"


def test_a_name_that_sudo_does_not_skip() -> None:
    plan = PLAN._replace(bench_name=sourced("my.bench"))
    assert sudoers_file(plan) == "/etc/sudoers.d/prodgen-my_bench"
