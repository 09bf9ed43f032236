"""Redis goes away for a while: everything comes back by itself, and nothing spins."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.live.supervised import Figure, commands_of, supervised
from tests.support.rig.waiting import wait_for

AWAY = int(os.environ.get("PRODGEN_REDIS_AWAY", "13"))
"""Seconds; 60 takes a minute longer and shows the same (the retries come ever more seldom)."""
BACK = 15
"""Seconds in which everything must work again."""


@pytest.mark.matrix_cases("pypi")
@pytest.mark.parametrize(("origin", "frappe"), [("debian", "15.72.4"), ("pypi", "16.4.1")])
def test_redis_away(ground: Path, origin: str, frappe: str, figure: Figure) -> None:
    with supervised(ground, commands=commands_of(origin), frappe_version=frappe) as run:
        run.wait_running()
        before = {name: run.spawns(name) for name in run.pids()}
        run.bench.enqueue("short", 300, "cut")
        wait_for(lambda: run.bench.counts("start")["cut"], 10, "a job at work")
        run.supervisor.call("stopProcessGroup", run.group("redis"))
        end, seen = time.monotonic() + AWAY, set()

        def over() -> bool:
            seen.update(run.states())
            return time.monotonic() > end

        wait_for(over, AWAY + 5, "the end of the outage", every=0.2)
        tries = {name: run.spawns(name) - before[name] for name in run.pids()}
        run.supervisor.call("startProcessGroup", run.group("redis"), False)
        began = time.monotonic()
        run.wait_up(BACK)
        took = time.monotonic() - began
        run.bench.enqueue("default", 0, "after")
        wait_for(lambda: run.bench.counts()["after"], BACK - took, "a job after the outage")
        figure(
            f"Redis away for {AWAY} s: up after {took:.1f} s, a job done after "
            f"{time.monotonic() - began:.1f} s; at most {max(tries.values())} tries of a process"
        )
        assert "FATAL" not in seen | run.states()
        assert max(tries.values()) <= AWAY
        assert "gave up" not in run.supervisor.log.read_text()


@pytest.mark.matrix
@pytest.mark.pitfall("37")
def test_three_retries_would_give_up(ground: Path) -> None:
    """Row 37 put back: Supervisor's default of `startretries`."""

    def edit(text: str) -> str:
        return "".join(
            "startretries=3\n" if line.startswith("startretries=") else line
            for line in text.splitlines(True)
        )

    with supervised(ground, edit=edit) as run:
        node = f"{run.group('workers')}:{run.group('node-socketio')}"
        run.supervisor.call("stopProcessGroup", run.group("redis"))
        wait_for(lambda: run.processes()[node]["statename"] == "FATAL", 20, "node to be given up")
