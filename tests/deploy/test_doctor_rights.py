"""The lines for sudo: one command each, with nothing left open."""

from __future__ import annotations

from prodgen.deploy.doctor_rights import sudoers_command, sudoers_file, sudoers_lines
from prodgen.plan.model import Manager
from tests.plans import fixture_plan
from tests.targets.systemd_plans import sourced

PLAN = fixture_plan("frappe-15")


def test_what_sudo_would_read_otherwise_is_escaped() -> None:
    assert sudoers_command(["/bin/x", "a-web:", "b,c=d*"]) == r"/bin/x a-web\: b\,c\=d\*"


def test_systemd_needs_prodgen_s_own_commands_alone() -> None:
    plan = PLAN._replace(manager=sourced(Manager.SYSTEMD))
    assert sudoers_lines(plan, "/usr/local/bin/prodgen") == [
        f"frappe ALL=(root) NOPASSWD: /usr/local/bin/prodgen {words} -C /home/frappe/frappe-bench"
        for words in ("restart", "restart --migrate")
    ]


def test_a_name_that_sudo_does_not_skip() -> None:
    plan = PLAN._replace(bench_name=sourced("my.bench"))
    assert sudoers_file(plan) == "/etc/sudoers.d/prodgen-my_bench"
