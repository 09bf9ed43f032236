"""The scheduler: exactly one, always back, and never in a hurry."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from tests.support.live.supervised import Figure, Supervised, supervised
from tests.support.rig.bench import Bench
from tests.support.rig.waiting import wait_for

WAIT = 4
"""Seconds between two tries here; the default is 30."""


def hurried(plan: Plan) -> Plan:
    """The plan with a shorter wait between two tries."""
    options = plan.supervisor
    wait = Sourced(WAIT, options.scheduler_wait.origin)
    return plan._replace(supervisor=options._replace(scheduler_wait=wait))


@contextmanager
def lock_taken(bench: Bench) -> Iterator[None]:
    """Another scheduler's lock."""
    path = bench.file("config/scheduler_process")
    with path.open("w") as lock:
        path.chmod(0o666)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def scheduler(run: Supervised) -> str:
    """The full name of its process."""
    return f"{run.group('workers')}:{run.group('frappe-schedule')}"


def starts(run: Supervised) -> list[str]:
    """The pids of the schedulers that got the lock."""
    lines = run.bench.read("logs/scheduler.log").splitlines()
    return [line.split()[2] for line in lines if line.split()[1] == "start"]


@pytest.mark.pitfall("D-SV6")
def test_it_waits_for_the_lock_and_runs_once(ground: Path, figure: Figure) -> None:
    config = {"scheduler_tick_interval": 1}
    with supervised(ground, change=hurried, config=config) as run:
        wait_for(lambda: starts(run), 10, "the first scheduler")
        run.supervisor.call("stopProcess", scheduler(run))
        with lock_taken(run.bench):
            run.supervisor.call("startProcess", scheduler(run), False)
            mark, began = run.spawns(scheduler(run)), time.monotonic()
            seen = set()

            def two_more() -> bool:
                seen.add(run.processes()[scheduler(run)]["statename"])
                return run.spawns(scheduler(run)) >= mark + 2

            wait_for(two_more, 40, "two more tries")
            took = (time.monotonic() - began) / 2
            assert took >= WAIT
            assert seen <= {"STARTING", "RUNNING", "EXITED"}
            assert len(starts(run)) == 1
        began = time.monotonic()
        wait_for(lambda: len(starts(run)) == 2, 20, "the scheduler to be back")
        figure(
            f"lock taken: a try every {took:.1f} s (wait {WAIT} s), states {sorted(seen)}; "
            f"back {time.monotonic() - began:.1f} s after the lock was free"
        )
        pid = starts(run)[-1]
        mark = len(run.bench.read("logs/scheduler.log").splitlines())
        wait_for(lambda: len(run.bench.read("logs/scheduler.log").splitlines()) > mark + 2, 10)
        after = run.bench.read("logs/scheduler.log").splitlines()[mark:]
        assert {line.split()[2] for line in after} == {pid} == {str(run.pids()[scheduler(run)])}
        assert run.bench.run("schedule").returncode == 0
        assert len(starts(run)) == 2


def test_it_stops_at_once_and_a_crash_shows(ground: Path) -> None:
    """The wait is for a clean end only: a scheduler that cannot start is not called RUNNING."""
    with supervised(ground) as run:
        began = time.monotonic()
        run.supervisor.call("stopProcess", scheduler(run))
        with lock_taken(run.bench):
            run.supervisor.call("startProcess", scheduler(run), False)
            wait_for(lambda: not _is_busy(run), 10, "the scheduler to wait")
            run.supervisor.call("stopProcess", scheduler(run))
        assert time.monotonic() - began < 8
        app = run.bench.file("apps/frappe/frappe/utils/scheduler.py")
        app.write_text("raise RuntimeError('a bad deploy')\n")
        run.supervisor.call("startProcess", scheduler(run), False)
        is_off = lambda: run.processes()[scheduler(run)]["statename"] == "BACKOFF"  # noqa: E731
        wait_for(is_off, 10, "BACKOFF")
        assert "a bad deploy" in run.log_text("schedule.error.log")


def _is_busy(run: Supervised) -> bool:
    pid = run.pids()[scheduler(run)]
    stat = Path(f"/proc/{pid}/wchan")
    return pid == 0 or "nanosleep" not in stat.read_text()
