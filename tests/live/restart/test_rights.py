"""`prodgen restart` under systemd without root: by polkit, and with the user's own manager."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live.doctoring import by_check
from tests.support.live.restarting import bench_up, prodgen
from tests.support.live.systemd_bench import TARGET, USER, Run, booted, options
from tests.support.rig.tools import cannot
from tests.support.rig.waiting import wait_for

POLKIT = Path("/usr/lib/polkit-1/polkitd")
RULE = """polkit.addRule(function (action, subject) {
  if (action.id === "org.freedesktop.systemd1.manage-units" && subject.user === "frappe"
      && action.lookup("unit").indexOf("frappe-bench-") === 0) {
    return polkit.Result.YES;
  }
});
"""
RUNTIME = "/run/user/1001"
SETTINGS = "version: 1\nmanager: systemd\nsystemd: {scope: user}\n"


def rights(run: Run) -> list[str]:
    """How doctor grades the rights of the bench's user."""
    found = by_check(prodgen(run, "doctor", "--format", "json").out)
    return [one["grade"] for one in found["rights"]]


def test_a_rule_of_polkit_is_enough() -> None:
    if not POLKIT.exists():
        cannot("polkit is not installed here")
    with bench_up("systemd", Path()) as run:
        assert isinstance(run, Run)
        run.machine.put("/etc/polkit-1/rules.d/10-frappe-bench.rules", RULE)
        run.machine.run(["systemd-run", "--unit=rig-polkit", "--property=Type=dbus",
                         "--property=BusName=org.freedesktop.PolicyKit1",
                         str(POLKIT), "--no-debug"])  # fmt: skip
        assert rights(run) == ["good"]
        before = run.pids()
        done = prodgen(run, "restart", user=USER, timeout=40)
        assert done.code == 0, done
        after = run.pids()
        same = {unit for unit in before if before[unit] == after[unit]}
        assert same == {unit for unit in before if "redis" in unit}
        run.machine.run(["rm", "/etc/polkit-1/rules.d/10-frappe-bench.rules"])
        wait_for(lambda: rights(run) == ["warning"], 10, "polkit to see that the rule is gone")


@pytest.fixture(scope="module")
def own() -> Iterator[Run]:
    """A bench that its user's own systemd runs."""
    with booted(change=options(scope="user"), settings=SETTINGS, up=False) as made:
        made.machine.run(["loginctl", "enable-linger", USER])
        made.control, made.user = ("systemctl", "--user"), USER
        bus = f"unix:path={RUNTIME}/bus"
        made.env = {"XDG_RUNTIME_DIR": RUNTIME, "DBUS_SESSION_BUS_ADDRESS": bus}
        wait_for(lambda: made.systemctl("is-system-running", check=False).strip() in
                 ("running", "degraded"), 20, "the user's manager")  # fmt: skip
        made.machine.run(["chown", "-R", f"{USER}:", "/home/frappe/.config"])
        made.systemctl("daemon-reload")
        made.systemctl("enable", "--now", TARGET)
        made.await_all("active")
        made.await_workers()
        yield made


@pytest.mark.matrix_cases("None")
@pytest.mark.parametrize("user", [USER, None])
def test_the_user_s_own_manager(own: Run, user: str | None) -> None:
    before = own.pids()
    own.bench.enqueue("reports", 3, f"own-{user}")
    wait_for(lambda: own.bench.counts("start")[f"own-{user}"], 15, "the job")
    done = prodgen(own, "restart", "--format", "json", user=user, timeout=25)
    assert done.code == 0, done
    assert own.bench.counts()[f"own-{user}"] == 1
    after = own.pids()
    same = {unit for unit in before if before[unit] == after[unit]}
    assert same == {unit for unit in before if "redis" in unit}
    shown = prodgen(own, "status", user=user)
    assert shown.code == 0, shown
    assert "older than" not in shown.out


@pytest.mark.matrix
def test_the_user_s_own_manager_migrates(own: Run) -> None:
    done = prodgen(own, "restart", "--migrate", user=USER, timeout=40)
    assert done.code == 0, done
    assert "migrated" in own.bench.read("sites/one.test/logs/migrate.log")
    assert "maintenance_mode" not in own.bench.config()
