"""systemd: what goes stops first, the web last of it, and what is new starts at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from prodgen.deploy.managers.core.base import ManagerError, ProcessManager
from prodgen.deploy.managers.systemd import activate as activate_systemd
from prodgen.deploy.managers.systemd import foreign_units
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.plan.core.model import Manager
from prodgen.targets.core.effects import Action, Effect
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import FakeManager
from tests.support.fakes.fake_systemctl import FakeSystemctl
from tests.support.fakes.recorder import PLAN, Recorder
from tests.support.systemd_plans import sourced

TARGET = "frappe-bench.target"
OLD, WEB, NEW = "old-worker.service", "old-web.socket", "new-worker.service"
TIERS = ("redis", "web", "workers")


def effect(unit: str, action: Action, seconds: int = 60, because_of: str = "") -> Effect:
    return Effect("systemd", unit, action, (), because_of, seconds, unit)


class Run:
    """One apply under systemd."""

    def __init__(self, folder: Path) -> None:
        self.systemctl = FakeSystemctl(OLD, WEB)
        self.said = Recorder()
        self.folder = folder
        self.problems: tuple[str, ...] = ()
        self.manager = FakeManager([])
        self.restarted: list[str] = []

    def go(self, how: Callable[[Activation], None], *effects: Effect) -> list[str]:
        """What systemctl was told."""
        plan = PLAN._replace(manager=sourced(Manager.SYSTEMD))
        work = Activation(BenchContext(plan), effects, self.said, lambda: self.manager)
        how(work)
        self.problems = work.problems
        return self.systemctl.done

    def restart(self, _: Activation, effects: Iterable[Effect], manager: ProcessManager) -> None:
        assert manager is self.manager
        self.restarted += [one.subject for one in effects]
        self.systemctl.done.append("restart")


@pytest.fixture
def run(tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Two units that run by another's config."""
    made = Run(tmp_path)
    for room in (activate_systemd, foreign_units):
        monkeypatch.setattr(room, "run", made.systemctl)
    monkeypatch.setattr(foreign_units, "RUN", tmp_path / "run")
    monkeypatch.setattr(foreign_units, "UNITS", tmp_path / "units")
    monkeypatch.setattr(activate_systemd, "restart_changed", made.restart)
    return made


def test_the_order_of_a_change(run: Run) -> None:
    """Files first, then what goes and changes; the web's end is last, for the new one follows."""
    done = run.go(
        activate_systemd.change,
        effect(WEB, Action.STOP),
        effect(OLD, Action.STOP),
        effect(NEW, Action.START),
        effect("frappe-bench-x.service", Action.RESTART),
    )
    assert done[:3] == ["daemon-reload", f"stop {OLD}", "restart"]
    assert done[3:5] == [f"enable --quiet {TARGET}", f"stop {WEB}"]
    tiers = (f"frappe-bench-{tier}.target" for tier in TIERS)
    assert done[5:] == [" ".join(["start", TARGET, *tiers, NEW])]
    assert (run.problems, run.restarted) == ((), ["frappe-bench-x.service"])


def test_what_runs_by_an_old_file_of_a_new_name_ends_too(run: Run) -> None:
    run.systemctl.put(NEW, ActiveState="active", NeedDaemonReload="yes")
    done = run.go(activate_systemd.change, effect(NEW, Action.START))
    assert done[:2] == ["daemon-reload", f"stop {NEW}"]


def test_a_socket_closes_before_its_services_come_back(run: Run) -> None:
    socket = "frappe-bench-frappe-web.socket"
    web = effect("frappe-bench-frappe-web@1.service", Action.RESTART, because_of=f"{socket} moves")
    done = run.go(activate_systemd.change, effect(socket, Action.RESTART), web)
    stop = done.index(f"stop {web.subject} {socket}")
    assert stop < done.index("restart")
    assert run.restarted == [web.subject]


def test_one_that_does_not_end_in_its_time_is_a_problem(run: Run, clock: FakeClock) -> None:
    run.systemctl.on_stop = lambda unit: run.systemctl.put(unit, ActiveState="deactivating")
    run.go(activate_systemd.change, effect(OLD, Action.STOP, seconds=60))
    assert run.problems == (f"{OLD} did not stop within 90 s",)
    assert 90 <= clock.passed < 91


def test_one_of_systemd_s_defaults_has_the_time_that_its_job_may_need(
    run: Run, clock: FakeClock
) -> None:
    def slow(unit: str) -> None:
        run.systemctl.put(unit, ActiveState="deactivating")
        clock.after(1000, lambda: run.systemctl.put(unit, ActiveState="inactive"))

    run.systemctl.put(OLD, KillMode="control-group")
    run.systemctl.on_stop = slow
    run.go(activate_systemd.change, effect(OLD, Action.STOP, seconds=60))
    assert run.problems == ()
    assert 1000 <= clock.passed < 1001


def test_another_manager_takes_over(run: Run) -> None:
    done = run.go(activate_systemd.stop, effect(OLD, Action.STOP))
    assert done == [f"disable --quiet {TARGET}", f"stop {OLD}", f"stop {TARGET}"]


def test_a_systemd_that_refuses_ends_it(run: Run) -> None:
    run.systemctl.fails["daemon-reload"] = "Access denied"
    with pytest.raises(ManagerError, match="Access denied"):
        run.go(activate_systemd.change, effect(OLD, Action.STOP))
    assert run.systemctl.units[OLD]["ActiveState"] == "active"
