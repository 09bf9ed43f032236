"""`restart --now`: what has been started anew is left alone when something else does not end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from prodgen.deploy.managers.core.base import Process, State, TimedOut
from prodgen.deploy.restart import rolling as room
from prodgen.deploy.restart.rolling import HURRY, RestartOptions, restart
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.events import Event, Waiting
from prodgen.host.door import enter
from prodgen.plan.core.model import Role
from tests.support.plans import fixture_plan
from tests.support.systemd_plans import sourced

GONE = 4_000_000
"""No process has such a number (proc(5), pid_max)."""


class Slow:
    """A manager under which the first worker hears of its first stop too late."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.found = {one.name: one for one in processes}
        self.stuck = next(one.name for one in processes if one.role is Role.WORKER)
        self.restarted: list[list[str]] = []

    def look(self) -> list[Process]:
        return list(self.found.values())

    def loaded(self) -> dict[str, dict[str, object]]:
        return {}

    def start(self, names: Sequence[str]) -> None:
        pass

    def stop(self, names: Sequence[str]) -> None:
        pass

    def restart(self, names: Sequence[str], patience: float) -> None:
        assert patience == HURRY
        self.restarted.append(list(names))
        for name in names:
            if name != self.stuck or len(self.restarted) > 1:
                self.found[name] = replace(self.found[name], pid=self.found[name].pid + 1)
        if len(self.restarted) == 1:
            raise TimedOut(f"{self.stuck} did not stop")


def test_only_what_is_late_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = fixture_plan("frappe-15")._replace(bench=sourced(tmp_path))
    processes = [
        Process(name=one.name.value, service=one, state=State.UP, word="running", pid=GONE + place)
        for place, one in enumerate(plan.services)
        if one.role.value is not Role.WEB
    ]
    monkeypatch.setattr(room, "compile_apps", lambda *_: None)
    monkeypatch.setattr(room, "require_admission", lambda *_: None)
    killed: list[tuple[int, int | None]] = []
    monkeypatch.setattr(room, "kill_tree", lambda pid, whose: killed.append((pid, whose)))
    manager = Slow(processes)
    events: list[Event | Waiting] = []
    result = restart(
        BenchContext(plan=plan, door=enter(tmp_path)),
        manager,
        events.append,
        RestartOptions(now=True),
    )
    assert result.problems == ()
    assert manager.restarted[1:] == [[manager.stuck]]
    workers = [one.pid for one in processes if one.role is Role.WORKER]
    late = next(one.pid for one in processes if one.name == manager.stuck)
    assert [pid for pid, _ in killed] == [*workers, late]
    owner = tmp_path.stat().st_uid if os.geteuid() == 0 else None
    assert {whose for _, whose in killed} == {owner}, "root kills the owner's processes only"
