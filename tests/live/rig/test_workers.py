"""The stand-in's workers and scheduler, with a real RQ and a real Redis."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.rig import procs
from tests.support.rig.bench import Bench, make_bench
from tests.support.rig.tools import need
from tests.support.rig.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.rig.process import Child

pytestmark = pytest.mark.matrix

VERSIONS = ["15.72.4", "16.4.1"]


@contextmanager
def queue_of(bench: Bench) -> Iterator[Child]:
    """The bench's redis_queue."""
    need("redis-server")
    with bench.child("redis_queue", bench.redis_argv("queue")) as child:
        yield child.wait_port(bench.queue_port)


def worker(bench: Bench, *words: str) -> Child:
    """A worker of the bench."""
    return bench.child("worker", bench.helper_argv("worker", *words))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_busy_worker_finishes_its_job_after_term(ground: Path, version: str) -> None:
    bench = make_bench(ground / "frappe-bench", frappe_version=version)
    with queue_of(bench), worker(bench, "--queue", "short,default") as child:
        bench.enqueue("default", 0, "quick", count=3)
        bench.enqueue("short", 1.5, "slow")
        wait_for(lambda: bench.counts("start")["slow"], 10, "the slow job to start")
        line = next(line for line in bench.jobs() if line["token"] == "slow")
        assert line["nice"] == 10
        assert line["ppid"] == child.pid
        assert line["group"] == line["pid"] != child.pid
        assert [each["state"] for each in bench.workers()] == ["busy"]
        child.send(signal.SIGTERM)
        assert child.wait(10) == 0
        wait_for(lambda: bench.counts()["slow"], 1, "the slow job to finish")
        with worker(bench, "--burst") as rest:
            assert rest.wait(20) == 0
        assert set(bench.counts().values()) == {1}
        assert len(bench.counts()) == 4


def test_a_work_horse_dies_of_term(ground: Path) -> None:
    bench = make_bench(ground / "frappe-bench")
    with queue_of(bench), worker(bench) as child:
        bench.enqueue("long", 20, "doomed")
        line = wait_for(lambda: bench.jobs("start"), 10, "the job to start")[0]
        found = procs.read(line["pid"])
        assert found is not None
        assert found.session == found.pid
        os.kill(line["pid"], signal.SIGTERM)
        failed = f"rq:failed:{bench.queue_name('long')}"
        wait_for(lambda: bench.redis("ZCARD", failed), 5, "the job to fail")
        assert child.alive()
        assert not bench.counts()["doomed"]


def test_queues_are_named_and_refused_as_in_frappe(ground: Path) -> None:
    config = {"workers": {"reports": {"timeout": 600}}}
    bench = make_bench(ground / "frappe-bench", config=config)
    with queue_of(bench):
        bench.enqueue("reports", token="report")
        own = str(bench.path).strip("/").replace("/", "-")
        assert bench.redis("LLEN", f"rq:queue:{own}:reports") == bench.queued("reports") == 1
        done = bench.run("worker", "--queue", "short,nonsense")
        assert done.returncode == 1
        assert "Queue should be one of short, default, long, reports" in done.stderr
        bench.set_config(bench_id="shop")
        assert bench.run("ready-for-migration").returncode == 0
    old = make_bench(ground / "old", frappe_version="13.58.21")
    assert old.queue_name("short") == "short"
    assert bench.run("worker").returncode == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pool_works_and_schedules(ground: Path, version: str) -> None:
    config = {"scheduler_tick_interval": 1}
    bench = make_bench(ground / "frappe-bench", frappe_version=version, config=config)
    argv = bench.helper_argv("worker-pool", "--num-workers", "2", "--queue", "short")
    with queue_of(bench), bench.child("pool", argv) as pool:
        bench.enqueue(seconds=0.3, count=4)
        wait_for(lambda: len(bench.counts()) == 4, 15, "four jobs to finish")
        wait_for(lambda: " tick " in bench.read("logs/scheduler.log"), 5, "a tick")
        assert len({line["ppid"] for line in bench.jobs("finish")}) == 2
        pool.send(signal.SIGTERM)
        assert pool.wait(15) == 0


def test_a_second_scheduler_ends_with_zero(ground: Path) -> None:
    bench = make_bench(ground / "frappe-bench", config={"scheduler_tick_interval": 0.2})
    argv = bench.helper_argv("schedule")
    with bench.child("first", argv) as first:
        first.wait_ready(lambda: " tick " in bench.read("logs/scheduler.log"))
        assert f" tick {first.pid} 10" in bench.read("logs/scheduler.log")
        began = time.monotonic()
        with bench.child("second", argv) as second:
            assert second.wait(5) == 0
        assert time.monotonic() - began >= 0.5
        first.send(signal.SIGTERM)
        assert first.wait(2) == -signal.SIGTERM
    old = make_bench(ground / "old", frappe_version="15.53.0")
    with bench.child("one", argv), old.child("old", old.helper_argv("schedule")) as other:
        other.wait_ready(lambda: " start " in old.read("logs/scheduler.log"))
