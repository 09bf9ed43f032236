"""Workers restart, and no job is lost, killed or run twice."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.support.live.restarting import restart_workers
from tests.support.live.supervised import Edit, Figure, Supervised, commands_of, supervised
from tests.support.rig import procs
from tests.support.rig.waiting import wait_for

QUEUES = {"short": 0.0, "default": 0.05, "long": 0.2, "reports": 0.1}
"""The custom queue and Frappe's own, with the seconds that a job on each takes."""
WORKERS = {"reports": {"timeout": 6}}
JOBS = 200
RESTARTS = 5


def failed_jobs(run: Supervised) -> int:
    """How many jobs of all queues RQ calls failed."""
    names = (f"rq:failed:{run.bench.queue_name(queue)}" for queue in QUEUES)
    return sum(int(run.bench.redis("ZCARD", name)) for name in names)


@pytest.mark.matrix_cases("pypi")
@pytest.mark.parametrize(("origin", "frappe"), [("debian", "15.72.4"), ("pypi", "16.4.1")])
def test_every_job_is_done_once_over_restarts(
    ground: Path, origin: str, frappe: str, figure: Figure
) -> None:
    with supervised(
        ground,
        commands=commands_of(origin),
        frappe_version=frappe,
        config={"workers": WORKERS, "background_workers": 2},
    ) as run:
        for queue, seconds in QUEUES.items():
            run.bench.enqueue(queue, seconds, queue, count=JOBS // len(QUEUES))
        interrupted = 0
        for restart in range(RESTARTS):
            goal = (restart + 1) * JOBS // (RESTARTS + 2)
            _wait_done(run, goal)
            interrupted += restart_workers(run)
        wait_for(lambda: len(run.bench.counts()) == JOBS, 60, "all jobs")
        assert set(run.bench.counts("start").values()) == {1}
        assert set(run.bench.counts("finish").values()) == {1}
        assert failed_jobs(run) == 0
        assert run.strays() == []
        assert interrupted > 0
        figure(f"{JOBS} jobs done once over {RESTARTS} restarts, {interrupted} of them met at work")


def _wait_done(run: Supervised, goal: int) -> None:
    wait_for(lambda: len(run.bench.counts()) >= goal, 60, f"{goal} jobs")


def impatient(text: str) -> str:
    """D-SV7: a stop that waits less long than a job may take."""
    return re.sub(r"^stopwaitsecs=.*", "stopwaitsecs=1", text, flags=re.MULTILINE)


@pytest.mark.matrix_cases("impatient")
@pytest.mark.pitfall("D-SV7")
@pytest.mark.parametrize("fault", [None, impatient])
def test_a_job_may_use_its_whole_time_while_its_worker_stops(
    ground: Path, fault: Edit | None, figure: Figure
) -> None:
    with supervised(ground, config={"workers": WORKERS}, edit=fault) as run:
        run.bench.enqueue("reports", 5.0, "whole")
        began = time.monotonic()
        wait_for(lambda: run.bench.counts("start")["whole"], 10, "the job to start")
        worker = f"{run.group('workers')}:{run.group('frappe-reports-worker')}"
        run.supervisor.call("stopProcess", worker)
        took = time.monotonic() - began
        if fault:
            assert took < 4
            assert not run.bench.counts()["whole"]
            assert run.strays(), "killasgroup does not reach the work-horse"
        else:
            figure(f"a job of 5 s with a time-out of 6 s: the stop waited {took:.1f} s for it")
            assert run.bench.counts()["whole"] == 1
            assert run.strays() == []


@pytest.mark.pitfall("36")
def test_a_worker_that_ends_well_comes_back(ground: Path, figure: Figure) -> None:
    """RQ ends with 0 after some troubles with Redis; Supervisor's default would leave it so."""
    with supervised(ground) as run:
        name = f"{run.group('workers')}:{run.group('frappe-short-worker')}"
        before = run.wait_running()[name]
        os.kill(before, signal.SIGTERM)
        began = time.monotonic()
        wait_for(lambda: not procs.alive(before), 10, "the worker to end")
        wait_for(lambda: run.pids()[name] not in (0, before), 10, "the worker to be back")
        assert "exit status 0" in run.supervisor.log.read_text()
        figure(f"a worker that ended with 0 was back after {time.monotonic() - began:.1f} s")
        run.bench.enqueue("short", 0, "after")
        wait_for(lambda: run.bench.counts()["after"], 10, "a job")


@pytest.mark.matrix
@pytest.mark.pitfall("36")
def test_unexpected_would_leave_it_so(ground: Path) -> None:
    """The fault put back: `autorestart=unexpected`, as bench has it for the scheduler (D-SV6)."""
    edit: Edit = lambda text: text.replace("autorestart=true", "autorestart=unexpected")  # noqa: E731
    with supervised(ground, edit=edit) as run:
        name = f"{run.group('workers')}:{run.group('frappe-short-worker')}"
        os.kill(run.wait_running()[name], signal.SIGTERM)
        wait_for(lambda: run.processes()[name]["statename"] == "EXITED", 10, "the worker to end")


@pytest.mark.pitfall("D-SV7")
def test_stops_wait_longer_than_rq_does(ground: Path) -> None:
    """RQ kills a job 60 s after its time-out: a pool's stop is later than that for each queue."""
    custom = {"reports": {"timeout": 6}, "imports": {}, "slow": {"timeout": 7200}}
    with supervised(ground, config={"workers": custom}, up=False) as run:
        plan = run.plan()
        for service in plan.services:
            for queue in service.queues.value:
                assert service.stop.value.seconds > queue.timeout + 60
        text = (run.supervisor.conf_d / f"{run.name}.conf").read_text()
        assert max(re.findall(r"^stopwaitsecs=(\d+)$", text, re.MULTILINE), key=int) == "7290"
        assert "stopasgroup=false" in text
        assert "stopasgroup=true" not in text
