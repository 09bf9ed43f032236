"""Supervisor: only groups that differ are touched, and none is forgotten while something runs."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from prodgen.deploy.apply.activate import forget_removed
from prodgen.deploy.managers.core.base import ManagerError, ProcessManager
from prodgen.deploy.managers.supervisor import activate as activate_supervisor
from prodgen.deploy.managers.supervisor import backend
from prodgen.deploy.managers.supervisor.core.rpc import BAD_NAME
from prodgen.deploy.managers.systemd import backend as systemd
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.targets.core.effects import Action, Effect
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import FakeManager
from tests.support.fakes.fake_supervisord import FakeSupervisord
from tests.support.fakes.recorder import PLAN, Recorder

WEB, WORKERS, REDIS = (f"frappe-bench-{name}" for name in ("web", "workers", "redis"))
NAMES = (f"{WEB}:web-0", f"{WORKERS}:short", f"{WORKERS}:long", f"{REDIS}:queue")


def effect(name: str, action: Action = Action.RESTART, seconds: int = 60) -> Effect:
    return Effect("supervisor", name, action, seconds=seconds, own_seconds=seconds)


class Run:
    """One apply on a supervisord that has more than this bench."""

    def __init__(self) -> None:
        self.rpc = FakeSupervisord(*NAMES, "other:x")
        self.said = Recorder()
        self.problems: tuple[str, ...] = ()
        self.manager = FakeManager([])
        self.restarted: list[list[Effect]] = []

    def go(self, how: Callable[[Activation], None], *effects: Effect) -> list[str]:
        """What supervisord was told."""
        work = self.work(*effects)
        how(work)
        self.problems = work.problems
        return self.rpc.done

    def work(self, *effects: Effect) -> Activation:
        return Activation(BenchContext(PLAN), effects, self.said, lambda: self.manager)

    def restart(self, _: Activation, effects: Iterable[Effect], manager: ProcessManager) -> None:
        assert manager is self.manager
        self.restarted.append(list(effects))


@pytest.fixture
def run(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """All of it runs."""
    made = Run()
    for room in (activate_supervisor, backend):
        monkeypatch.setattr(room, "Rpc", lambda _: made.rpc)
        monkeypatch.setattr(room, "find_server", lambda _: made.rpc.server)
    monkeypatch.setattr(activate_supervisor, "restart_changed", made.restart)
    return made


def test_workers_end_first_and_redis_comes_first(run: Run) -> None:
    run.rpc.differs = (["frappe-bench-new"], [WEB, WORKERS, REDIS, "other"], [])
    done = run.go(activate_supervisor.change, *(effect(name) for name in NAMES))
    assert [one for one in done if "Process" in one and "stopProcess " not in one] == [
        *(f"{verb} {group}" for group in (WORKERS, WEB, REDIS)
          for verb in ("stopProcessGroup", "removeProcessGroup")),
        *(f"addProcessGroup {group}" for group in (REDIS, WEB, WORKERS)),
    ]  # fmt: skip
    assert run.problems == ()


def test_what_the_effects_do_not_name_is_left_alone(run: Run) -> None:
    run.rpc.differs = ([], [WEB, WORKERS, "other"], [])
    run.go(activate_supervisor.change, effect(NAMES[1]))
    assert "stopProcessGroup frappe-bench-web" not in run.rpc.done
    assert run.rpc.states["other:x"] == "RUNNING"


def test_what_only_rolls_is_never_reread(run: Run) -> None:
    rolled = effect(NAMES[0], Action.ROLL)
    assert run.go(activate_supervisor.change, rolled) == []
    assert run.restarted == [[rolled]]


def test_a_group_that_goes_is_not_added_again(run: Run) -> None:
    run.rpc.differs = ([], [], [WORKERS])
    done = run.go(activate_supervisor.change, effect(NAMES[1], Action.STOP))
    assert f"removeProcessGroup {WORKERS}" in done
    assert not any(one.startswith("addProcessGroup") for one in done)


def test_a_group_is_forgotten_only_once_nothing_of_it_runs(run: Run, clock: FakeClock) -> None:
    def stop(name: str) -> None:
        run.rpc.states[name] = "STOPPING"
        clock.after(50, lambda: run.rpc.states.update({name: "STOPPED"}))

    run.rpc.on_stop = stop
    run.rpc.differs = ([], [], [WORKERS])
    run.go(activate_supervisor.change, effect(NAMES[1], Action.STOP))
    assert run.problems == ()
    assert 50 <= clock.passed < 51
    assert NAMES[1] not in run.rpc.states


def test_one_that_does_not_end_stays_known(run: Run, clock: FakeClock) -> None:
    run.rpc.on_stop = lambda name: run.rpc.states.update({name: "STOPPING"})
    run.rpc.differs = ([], [], [WORKERS])
    done = run.go(
        activate_supervisor.change, effect(NAMES[1], Action.STOP, 60), effect(NAMES[2], seconds=5)
    )
    assert run.problems == ("short, long did not stop within 90 s",)
    assert 90 <= clock.passed < 91
    assert f"removeProcessGroup {WORKERS}" not in done


@pytest.mark.parametrize("state", ["BACKOFF", "STARTING", "RUNNING", "STOPPING"])
def test_what_counts_as_running(state: str) -> None:
    rows: list[dict[str, object]] = [
        {"group": WORKERS, "name": "a", "statename": state},
        {"group": WORKERS, "name": "b", "statename": "EXITED"},
        {"group": WEB, "name": "c", "statename": state},
    ]
    assert activate_supervisor.running(rows, [WORKERS]) == ["a"]


@pytest.mark.parametrize(("code", "is_problem"), [(BAD_NAME, False), (91, True)])
def test_a_group_that_is_gone_already_is_no_problem(
    run: Run, code: int, *, is_problem: bool
) -> None:
    run.rpc.differs = ([], [], [WORKERS])
    run.rpc.faults["stopProcessGroup"] = xmlrpc.client.Fault(code, "why")
    run.go(activate_supervisor.change, effect(NAMES[1], Action.STOP))
    assert (run.problems != ()) is is_problem


def test_another_manager_takes_over(run: Run) -> None:
    """All of the bench ends, and nothing starts; groups that are not loaded are not asked for."""
    absent = effect("frappe-bench-gone:x", Action.STOP)
    done = run.go(activate_supervisor.stop, *(effect(name, Action.STOP) for name in NAMES), absent)
    assert [one for one in done if one.startswith("removeProcessGroup")] == [
        f"removeProcessGroup {group}" for group in (WORKERS, WEB, REDIS)
    ]
    assert list(run.rpc.states) == ["other:x"]
    assert "reloadConfig" not in done


def test_files_that_are_gone_are_forgotten_by_whom_they_were_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(systemd, "run", lambda argv, **_: asked.append(argv))
    work = run.work()
    forget_removed(work, {"nginx"})
    assert (run.rpc.done, asked) == ([], [])
    forget_removed(work, {"supervisor"})
    assert (run.rpc.done, asked) == (["reloadConfig"], [])
    forget_removed(work, {"systemd"})
    assert [argv[-1] for argv in asked] == ["daemon-reload"]


def test_a_supervisord_that_is_gone_has_nothing_to_forget(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path | None) -> None:
        raise ManagerError("PG904", "supervisord does not run")

    monkeypatch.setattr(backend, "find_server", refuse)
    forget_removed(run.work(), {"supervisor"})
