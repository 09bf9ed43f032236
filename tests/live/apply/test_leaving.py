"""What a new config ends is waited for, by its own stop time and not by its neighbours'."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.live.applying import Host, host
from tests.support.rig.waiting import wait_for

Figure = Callable[[str], None]
STOP, GROUP = 3, 300
"""Seconds that Supervisor gives a worker, and what it gives another program of its group."""
SLEEPER = {"command": "/bin/sleep 86400", "stop_timeout": GROUP}


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("supervisor", quick=True) as machine:
        machine.set(workers={"stop_cap": STOP}, processes={"sleeper": SLEEPER})
        machine.apply()
        yield machine


def test_a_job_with_a_longer_timeout_of_its_own_is_waited_for(run: Host, figure: Figure) -> None:
    """Its worker is in a group that another program makes a patient one."""
    run.bench.enqueue("short", 10, "own", timeout=60)
    wait_for(lambda: run.bench.counts("start")["own"] == 1, 20, "the job to begin")
    run.configure(workers={"reports": {"timeout": 6, "background_workers": 2}})
    began = time.monotonic()
    run.apply()
    figure(f"a job of 10 s in a worker with {STOP} s to stop: {time.monotonic() - began:.1f} s")
    said = run.shell("cat /var/log/supervisor/supervisord.log")
    assert "SIGKILL" not in said, said
    assert run.bench.counts()["own"] == 1
    assert run.bench.counts("start")["own"] == 1
