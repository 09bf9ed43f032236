"""What ends comes back on a real systemd, however often and however long it had to wait."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from prodgen.plan.core.model import Role
from prodgen.targets.systemd.service import SCHEDULER_WAIT
from tests.support.live.systemd_bench import REDIS, Figure, Run, booted
from tests.support.rig.waiting import wait_for

AWAY = float(os.environ.get("PRODGEN_REDIS_AWAY", "20"))
"""Seconds without Redis; the figure in the documentation is for 60."""
BACK = 15
FASTEST = 2.0
"""Seconds from try to try on average: less would be a hot loop."""


@pytest.fixture(scope="module")
def machine_run() -> Iterator[Run]:
    with booted() as run:
        yield run


@pytest.fixture
def run(machine_run: Run) -> Run:
    """Each test begins with everything up."""
    machine_run.start()
    machine_run.await_workers()
    return machine_run


@pytest.mark.pitfall("37")
def test_what_needs_redis_is_back_soon_after_it(run: Run, figure: Figure) -> None:
    redis = run.units_of(*REDIS)
    users = [*run.units_of(Role.WORKER), *run.units_of(Role.REALTIME)]
    before = {unit: run.states()[unit].restarts for unit in users}
    run.systemctl("stop", *redis)
    run.systemctl("kill", "--signal=KILL", *users)
    gone = time.monotonic()
    wait_for(lambda: time.monotonic() - gone >= AWAY, AWAY + 5, "the time without Redis", 0.5)
    states = run.states()
    tries = {unit: states[unit].restarts - before[unit] for unit in users}
    assert all(1 <= count <= AWAY / FASTEST + 2 for count in tries.values()), tries
    assert "failed" not in {state.active for state in states.values()}
    assert {states[unit].active for unit in redis} == {"inactive"}
    assert run.bench.web_answers()
    run.systemctl("start", *redis)
    back = time.monotonic()
    run.await_all("active", BACK)
    run.await_workers(BACK)
    took = time.monotonic() - back
    figure(f"Redis away for {AWAY:g} s: all back {took:.1f} s after it, "
           f"{max(tries.values())} tries at most")  # fmt: skip
    assert took <= BACK
    run.bench.enqueue("reports", token=f"after-{gone}")
    wait_for(lambda: run.bench.counts()[f"after-{gone}"] == 1, 10, "a job")


@pytest.mark.matrix
def test_a_worker_that_ends_well_comes_back(run: Run, figure: Figure) -> None:
    """RQ ends with 0 after some troubles with Redis."""
    unit = run.units_of(Role.WORKER)[0]
    before = run.states()[unit]
    run.systemctl("kill", "--kill-who=main", "--signal=TERM", unit)
    began = time.monotonic()
    wait_for(lambda: run.states()[unit].pid not in (0, before.pid), 15, "the worker to be back")
    said = run.systemctl("show", "-p", "ExecMainCode,NRestarts", unit).split()
    assert f"NRestarts={before.restarts + 1}" in said
    figure(f"a worker that ended with 0 was back after {time.monotonic() - began:.1f} s")


def test_what_is_killed_comes_back(run: Run) -> None:
    roles = set(Role) - {Role.SCHEDULER, Role.OTHER}
    before = run.pids(*roles)
    run.systemctl("kill", "--signal=KILL", *before)
    wait_for(lambda: not set(run.pids(*roles).values()) & {0, *before.values()}, 25, f"{before}")
    run.await_all("active")


WAIT = 3
"""Seconds between two tries here; the default is 30."""


def hurried(name: str, text: str) -> str:
    """The unit of the scheduler with a shorter wait after a clean end, and hardly one else."""
    if "schedule" not in name:
        return text
    text = re.sub("^RestartSec=.*", "RestartSec=100ms", text, flags=re.MULTILINE)
    return text.replace(f"time.sleep({SCHEDULER_WAIT})", f"time.sleep({WAIT})")


def starts(run: Run) -> int:
    """How often a scheduler has got the lock."""
    return run.bench.read("logs/scheduler.log").count(" start ")


@contextmanager
def another_scheduler(run: Run) -> Iterator[None]:
    """Somebody else holds the lock."""
    words = ["flock", "--no-fork", str(run.bench.path / "config/scheduler_process"), "sleep", "600"]
    run.machine.run(["systemd-run", "--unit=another", f"--uid={run.bench.user}", *words])
    try_lock = ["flock", "--nonblock", words[2], "true"]
    wait_for(lambda: run.machine.run(try_lock, check=False).returncode, 10, "another scheduler")
    yield
    run.systemctl("stop", "another")


@pytest.mark.matrix
def test_a_scheduler_that_finds_another_tries_again_slowly(run: Run, figure: Figure) -> None:
    """It ends with 0 at once while somebody else schedules: no hot loop, and never given up."""
    [unit] = run.units_of(Role.SCHEDULER)
    run.install(edit=hurried)
    run.systemctl("stop", unit)
    before = starts(run)
    with another_scheduler(run):
        run.systemctl("start", unit)
        began = time.monotonic()
        wait_for(lambda: run.states()[unit].restarts >= 2, 6 * WAIT, "two more tries")
        took = (time.monotonic() - began) / 2
        assert took >= WAIT
        assert run.systemctl("show", "-p", "Result", "--value", unit).strip() == "success"
        assert starts(run) == before
    wait_for(lambda: starts(run) == before + 1, 4 * WAIT, "the scheduler")
    run.install()
    figure(f"lock taken: a try every {took:.1f} s (wait {WAIT} s)")


def test_a_scheduler_that_crashes_is_soon_back(run: Run, figure: Figure) -> None:
    """The long wait is for a clean end only."""
    [unit] = run.units_of(Role.SCHEDULER)
    run.systemctl("restart", unit)
    before = starts(run)
    app = run.bench.file("apps/frappe/frappe/utils/scheduler.py")
    sound = app.read_text()
    app.write_text("raise RuntimeError('a bad deploy')\n")
    run.machine.run(["systemctl", "restart", unit], check=False)
    wait_for(lambda: run.states()[unit].restarts >= 2, 20, "two tries")
    app.write_text(sound)
    began = time.monotonic()
    wait_for(lambda: starts(run) > before, 10, "the scheduler")
    figure(f"a scheduler that crashed was back {time.monotonic() - began:.1f} s after the mend")
