"""Workers stop and restart on a real systemd, and no job is lost, killed or run twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.restarting import restart_workers
from tests.support.live.systemd_bench import SITE, TARGET, Figure, Run, booted
from tests.support.rig.waiting import wait_for

QUEUES = {"short": 0.0, "default": 0.05, "long": 0.3, "reports": 0.15}
"""Frappe's own queues and a custom one, with the seconds that a job on each takes."""
JOBS = 200
RESTARTS = 5
USUAL_STOP = 2
"""Seconds; systemd's own default, 90 s, scaled down like the time-outs of the queues."""
STACKS = [("15.72.4", "frappe15"), ("16.4.1", "frappe16")]


@pytest.fixture(scope="module", params=STACKS, ids=[name for _, name in STACKS])
def machine_run(request: pytest.FixtureRequest) -> Iterator[Run]:
    frappe, stack = request.param
    with booted(frappe=frappe, stack=stack, config={"background_workers": 2}) as run:
        usual = f"[Manager]\nDefaultTimeoutStopSec={USUAL_STOP}s\n"
        run.machine.put("/etc/systemd/system.conf.d/usual.conf", usual)
        run.systemctl("daemon-reload")
        yield run


@pytest.fixture
def run(machine_run: Run) -> Run:
    """Each test begins with everything up and no job written down."""
    machine_run.start()
    machine_run.await_workers()
    machine_run.bench.file("logs/jobs.log").unlink(missing_ok=True)
    return machine_run


def failed_jobs(run: Run) -> int:
    """How many jobs of all queues RQ calls failed."""
    names = (f"rq:failed:{run.bench.queue_name(queue)}" for queue in QUEUES)
    return sum(int(run.bench.redis("ZCARD", name)) for name in names)


def has_done(run: Run, goal: int) -> bool:
    """Whether that many jobs have begun."""
    return len(run.bench.counts()) >= goal


@pytest.mark.matrix_cases("frappe15")
def test_every_job_is_done_once_over_restarts(run: Run, figure: Figure) -> None:
    for queue, seconds in QUEUES.items():
        run.bench.enqueue(queue, seconds, queue, count=JOBS // len(QUEUES))
    met = 0
    for restart in range(RESTARTS):
        goal = (restart + 1) * JOBS // (RESTARTS + 2)
        wait_for(partial(has_done, run, goal), 90, f"{goal} jobs")
        met += restart_workers(run)
    wait_for(lambda: len(run.bench.counts()) == JOBS, 90, "all jobs")
    assert set(run.bench.counts("start").values()) == {1}
    assert set(run.bench.counts("finish").values()) == {1}
    assert failed_jobs(run) == 0
    assert met > 0
    run.systemctl("stop", *run.units_of(Role.WORKER))
    assert run.workers_left() == []
    figure(f"{JOBS} jobs done once over {RESTARTS} restarts, which met {met} at work")


@pytest.mark.matrix_cases("frappe15")
def test_a_job_may_use_its_whole_time(run: Run, figure: Figure) -> None:
    """It takes longer than systemd would wait by default, and less than its queue allows."""
    began = time.monotonic()
    run.bench.enqueue("reports", 2.5 * USUAL_STOP, "whole")
    wait_for(lambda: run.bench.counts("start")["whole"] == 1, 10, "the job to begin")
    run.systemctl("stop", *run.units_of(Role.WORKER))
    assert run.bench.counts()["whole"] == 1
    assert run.workers_left() == []
    assert failed_jobs(run) == 0
    took = time.monotonic() - began
    figure(f"a job of {2.5 * USUAL_STOP:g} s: the stop waited for it, {took:.1f} s in all")


@pytest.mark.matrix_cases("frappe15")
def test_a_restart_of_the_whole_bench_waits_for_a_job(run: Run) -> None:
    run.bench.enqueue("long", 2.0 * USUAL_STOP, "slow")
    wait_for(lambda: run.bench.counts("start")["slow"] == 1, 10, "the job to begin")
    run.systemctl("restart", TARGET)
    run.await_all("active")
    assert (run.bench.counts("start")["slow"], run.bench.counts()["slow"]) == (1, 1)
    assert failed_jobs(run) == 0
    assert run.bench.run("--site", SITE, "ready-for-migration").returncode == 0
