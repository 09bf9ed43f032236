"""What `prodgen doctor` says of a bench that systemd runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.deploy.doctor import host as doctor_host
from prodgen.deploy.doctor.finding import Grade
from prodgen.deploy.doctor.run import check_flags
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.plan.core.model import Manager, Plan
from tests.support.systemd_plans import make_plan, sourced, with_options


def by_systemd(scope: str = "system") -> Plan:
    """A plan whose processes systemd runs."""
    return with_options(make_plan(), scope=scope)._replace(manager=sourced(Manager.SYSTEMD))


@pytest.mark.parametrize(
    ("scope", "lingers", "grades"),
    [("user", True, [Grade.GOOD]), ("user", False, [Grade.BAD]), ("system", False, [])],
)
def test_a_user_s_own_systemd_must_run_without_a_login(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scope: str,
    *,
    lingers: bool,
    grades: list[Grade],
) -> None:
    monkeypatch.setattr(doctor_host, "LINGER", tmp_path)
    if lingers:
        (tmp_path / "frappe").touch()
    found = list(doctor_host.check_linger(by_systemd(scope)))
    assert [one.grade for one in found] == grades
    assert all(one.fix in ("", "loginctl enable-linger frappe") for one in found)


@pytest.mark.pitfall("D-SD3")
@pytest.mark.parametrize("flag", [True, False])
def test_bench_s_own_restart_of_systemd_is_warned_of(*, flag: bool) -> None:
    context = BenchContext(plan=by_systemd(), flags={"restart_systemd_on_update": flag})
    warned = [one for one in check_flags(context) if one.fix == "bench update && prodgen restart"]
    assert [one.grade for one in warned] == [Grade.WARNING] * flag
