"""`prodgen restart` on Supervisor and on systemd: no failed request, no lost job."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.live.restarting import (
    USERS,
    argv_of,
    begin,
    bench_up,
    load,
    pids,
    prodgen,
    running,
    version,
)
from tests.support.live.supervised import Supervised
from tests.support.live.systemd_bench import Run
from tests.support.rig import procs
from tests.support.rig.waiting import wait_for

Bench = Supervised | Run
Figure = Callable[[str], None]
QUEUES = {"short": 0.0, "default": 0.02, "long": 0.1, "reports": 0.05}
WORDS = ("restart", "reports")
ONCE = pytest.mark.parametrize("made", ["supervisor"], indirect=True)
"""For what the manager has no part in."""
JOBS = 25
"""On each queue."""


@pytest.fixture(scope="module", params=["supervisor", "systemd"])
def made(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="prodgen-rig-") as folder:
        Path(folder).chmod(0o755)
        with bench_up(request.param, Path(folder)) as run:
            yield run


@pytest.fixture
def run(made: Bench) -> Bench:
    """Each test begins with everything at work, and no job written down."""
    made.bench.file("logs/jobs.log").unlink(missing_ok=True)
    made.bench.redis("DEL", "rq:suspended")
    wait_for(lambda: workers_known(made), 40, "all workers")
    return made


def workers_known(run: Bench) -> bool:
    known = {int(each["pid"] or 0) for each in run.bench.workers() if each["state"]}
    return pids(run, "-worker") <= known


def user_of(run: Bench) -> str:
    return USERS["systemd" if isinstance(run, Run) else "supervisor"]


def began(run: Bench, token: str) -> None:
    wait_for(lambda: run.bench.counts("start")[token], 15, f"{token} to begin")


def suspended(run: Bench) -> bool:
    return bool(run.bench.redis("EXISTS", "rq:suspended"))


@pytest.mark.matrix_cases("systemd")
def test_nobody_notices_a_deploy(run: Bench, figure: Figure) -> None:
    for queue, seconds in QUEUES.items():
        run.bench.enqueue(queue, seconds, queue, count=JOBS)
    old = run.pids()
    kept = {name for name in old if "redis" in name}
    with load(run) as clients:
        run.bench.set_version("12")
        done = prodgen(run, "restart")
        assert done.code == 0, done
    total = JOBS * len(QUEUES)
    wait_for(lambda: len(run.bench.counts()) == total, 60, "all jobs")
    assert set(run.bench.counts("start").values()) == {1}
    assert set(run.bench.counts().values()) == {1}
    assert clients.result.failed == 0, str(clients.result)
    assert version(run) == "12"
    new = run.pids()
    assert {name for name in old if new[name] == old[name]} == kept
    figure(f"a restart of the whole bench, {total} jobs done once, {clients.result}")


@pytest.mark.matrix_cases("systemd")
def test_a_part_leaves_the_rest(run: Bench) -> None:
    before = run.pids()
    assert prodgen(run, "restart", "web", "long").code == 0
    after = run.pids()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        name for name in before if "-web" in name.rpartition(":")[2] or "-long-" in name
    }


@pytest.mark.matrix_cases("supervisor")
def test_a_job_is_waited_for_and_told_but_once(run: Bench) -> None:
    run.bench.enqueue("reports", 12, "slow")
    began(run, "slow")
    first = prodgen(run, "restart", "reports", "--no-wait-workers")
    assert first.code == 0, first
    assert not run.bench.counts()["slow"]
    wait_for(lambda: told(run), 2, "the worker to say that it has been told")
    time.sleep(1.2)  # from here on a second SIGTERM would kill the job
    second = prodgen(run, "restart", "reports", "--format", "json")
    assert second.code == 0, second
    assert run.bench.counts()["slow"] == 1
    assert "told to end before" in second.out, (first, second)
    busy = [one for one in second.events if one["event"] == "waiting" and one["workers"]]
    [worker] = busy[0]["workers"]
    assert (worker["site"], worker["queue"]) == ("one.test", "reports")
    assert worker["latest_end"] == pytest.approx(worker["since"] + 30 + 60)


def test_bytecode_is_made_where_the_services_cannot(run: Bench) -> None:
    app = run.bench.file("apps/frappe/frappe")
    (app / "brand_new.py").write_text("NEW = 1\n")
    done = prodgen(run, "restart", "realtime")
    assert done.code == 0, done
    made = list(app.glob("__pycache__/brand_new.*.pyc"))
    assert bool(made) == isinstance(run, Run)
    if made:
        assert made[0].stat().st_uid == app.stat().st_uid


@pytest.mark.matrix_cases("systemd")
def test_a_bad_deploy_stops_at_the_first_instance(run: Bench, figure: Figure) -> None:
    before = run.pids()
    app = run.bench.file("apps/frappe/frappe/app.py")
    good = app.read_text()
    app.write_text("raise SystemExit('broken')\n" + good)
    start = time.monotonic()
    try:
        done = prodgen(run, "restart")
        after = run.pids()
    finally:
        app.write_text(good)
    figure(f"a deploy that cannot start was given up after {time.monotonic() - start:.1f} s")
    assert done.code == 4, done
    assert "left as they were, with the old code" in done.err
    changed = [name for name in before if before[name] != after[name]]
    assert len(changed) == 1, changed
    assert version(run)
    assert prodgen(run, "restart", "web").code == 0


@pytest.mark.matrix_cases("supervisor")
def test_waiting_for_all_suspends_and_lifts(run: Bench) -> None:
    run.bench.enqueue("reports", 4, "drained", count=3)
    wait_for(lambda: len(run.bench.counts("start")) == 2, 15, "both workers to be at work")
    with running(run, "restart", "--wait-workers", "--format", "json") as started:
        wait_for(lambda: suspended(run), 20, "the suspension")
        assert 0 < int(run.bench.redis("TTL", "rq:suspended")) <= 60
        wait_for(lambda: len(run.bench.counts()) == 2, 15, "their jobs")
        done = started.end()
    assert done.code == 0, done
    assert not suspended(run)
    kinds = done.kinds()
    assert kinds.index("suspended") < kinds.index("waiting") < kinds.index("restarting")
    wait_for(lambda: len(run.bench.counts()) == 3, 15, "the job that waited")
    assert set(run.bench.counts("start").values()) == {1}
    began = {job["token"]: job["time"] for job in run.bench.jobs("start")}
    resumed = next(one["time"] for one in done.events if one["event"] == "resumed")
    assert max(began.values()) > resumed - 0.5


@pytest.mark.matrix_cases("systemd")
def test_who_does_not_come_to_rest_stops_the_restart(run: Bench) -> None:
    run.bench.enqueue("reports", 6, "late")
    began(run, "late")
    before = run.pids()
    done = prodgen(run, "restart", "--wait-workers", "--wait-workers-timeout", "2")
    assert done.code == 1, done
    assert "still at work after 2 s" in done.err
    assert not suspended(run)
    assert run.pids() == before
    wait_for(lambda: run.bench.counts()["late"] == 1, 15, "the job")


@pytest.mark.matrix_cases("supervisor")
def test_an_interrupted_wait_leaves_no_suspension(run: Bench) -> None:
    run.bench.enqueue("reports", 5, "cut")
    began(run, "cut")
    with running(run, "restart", "--wait-workers") as started:
        wait_for(lambda: suspended(run), 20, "the suspension")
        interrupt(started.process.pid)
        done = started.end()
    assert done.code == 130, done
    assert not suspended(run)
    wait_for(lambda: run.bench.counts()["cut"] == 1, 15, "the job")


def interrupt(pid: int, number: signal.Signals = signal.SIGINT) -> None:
    """A signal to prodgen itself, below what carries it into the machine."""
    every = [pid, *procs.descendants(pid)]
    own = [one for one in every if "prodgen" in procs.command(one)[2:3]]
    os.kill(own[-1], number)


@pytest.mark.matrix_cases("systemd")
def test_a_killed_prodgen_leaves_what_ends_by_itself(run: Bench) -> None:
    run.bench.enqueue("reports", 5, "killed")
    began(run, "killed")
    with running(run, "restart", "--wait-workers") as started:
        wait_for(lambda: suspended(run), 20, "the suspension")
        interrupt(started.process.pid, signal.SIGKILL)
        started.end()
    assert 0 < int(run.bench.redis("TTL", "rq:suspended")) <= 60
    done = prodgen(run, "restart", "workers")
    assert done.code == 0, done
    assert "an interrupted prodgen had left" in done.err
    assert not suspended(run)
    assert run.bench.counts()["killed"] == 1


@pytest.mark.matrix_cases("systemd")
def test_a_redis_that_restarts_meanwhile(run: Bench) -> None:
    run.bench.enqueue("reports", 6, "steady")
    began(run, "steady")
    with running(run, "restart", "workers", "--wait-workers") as started:
        wait_for(lambda: suspended(run), 20, "the suspension")
        restart_redis(run)
        done = started.end()
    assert done.code == 0, done
    assert not suspended(run)
    assert run.bench.counts()["steady"] == 1


def restart_redis(run: Bench) -> None:
    [name] = [one for one in run.pids() if "redis-queue" in one]
    if isinstance(run, Run):
        run.systemctl("restart", name)
    else:
        run.supervisor.call("stopProcess", name)
        run.supervisor.call("startProcess", name)


@ONCE
def test_a_terminal_has_live_lines(run: Bench) -> None:
    run.bench.enqueue("reports", 4, "seen")
    began(run, "seen")
    argv = ["script", "--quiet", "--return", "--command", shlex.join(argv_of(run, WORDS, None))]
    done = subprocess.run([*argv, "/dev/null"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    assert "… " in done.stdout
    assert "\x1b[1A\x1b[2K" in done.stdout
    assert "frappe.jobs.sleep, of one.test, for" in done.stdout


@ONCE
def test_another_bench_on_the_same_redis_is_not_suspended(run: Bench) -> None:
    run.bench.redis("SADD", "rq:workers", "rq:worker:other")
    words: list[str | int] = [
        "queues",
        "home-frappe-other:short",
        "state",
        "idle",
        "hostname",
        "elsewhere",
        "pid",
        7,
    ]
    run.bench.redis("HSET", "rq:worker:other", *words)
    try:
        done = prodgen(run, "restart", "workers", "--wait-workers", "--format", "json")
    finally:
        run.bench.redis("DEL", "rq:worker:other")
        run.bench.redis("SREM", "rq:workers", "rq:worker:other")
    assert done.code == 0, done
    assert "home-frappe-other" in done.out
    assert "suspended" not in done.kinds()


@ONCE
def test_what_a_power_cut_left_fools_nobody(run: Bench) -> None:
    run.bench.redis("SADD", "rq:workers", "rq:worker:gone", "rq:worker:dead")
    own = run.bench.queue_name("short")
    host = next(
        str(run.bench.redis("HGET", one["key"], "hostname"))
        for one in run.bench.workers()
        if one["state"]
    )
    words: list[str | int] = [
        "queues",
        own,
        "state",
        "busy",
        "hostname",
        host,
        "pid",
        1,
        "birth",
        "2001-01-01T00:00:00.0Z",
    ]
    run.bench.redis("HSET", "rq:worker:dead", *words)
    run.bench.redis("ZADD", f"rq:wip:{own}", 9999999999, "done-long-ago")
    try:
        start = time.monotonic()
        done = prodgen(run, "restart", "workers", "--wait-workers")
        assert done.code == 0, done
        assert time.monotonic() - start < 30
    finally:
        run.bench.redis("DEL", "rq:worker:dead", f"rq:wip:{own}")
        run.bench.redis("SREM", "rq:workers", "rq:worker:dead", "rq:worker:gone")


@pytest.mark.matrix_cases("systemd")
def test_force_ends_what_does_not_end(run: Bench) -> None:
    run.bench.enqueue("reports", 60, "forced")
    began(run, "forced")
    done = prodgen(run, "restart", "reports", "--force-kill-timeout", "2")
    assert done.code == 4, done
    assert "its job is lost" in done.err
    time.sleep(1)
    assert not run.bench.counts()["forced"]
    assert "busy" not in {each["state"] for each in run.bench.workers() if alive(run, each)}


def alive(run: Bench, worker: dict[str, str]) -> bool:
    return int(worker["pid"] or 0) in run.pids().values()


@pytest.mark.matrix_cases("supervisor")
def test_now_asks_nobody(run: Bench, figure: Figure) -> None:
    run.bench.enqueue("reports", 60, "now")
    began(run, "now")
    before = run.pids()
    start = time.monotonic()
    done = prodgen(run, "restart", "--now")
    figure(f"--now took {time.monotonic() - start:.1f} s")
    assert done.code == 0, done
    assert "cut off" in done.err
    after = run.pids()
    assert all(before[name] != after[name] for name in before if "redis" not in name)


def test_who_may_not_is_told_what_is_missing(run: Bench) -> None:
    done = prodgen(run, "restart", "realtime", user=user_of(run))
    assert done.code == 1, done
    assert "`prodgen doctor` shows the commands that let sudo" in re.sub(r"\s+", " ", done.err)
    assert not re.search("polkit|chmod", done.err)


@ONCE
def test_two_at_a_time_is_one_too_many(run: Bench) -> None:
    run.bench.enqueue("reports", 3, "twice")
    began(run, "twice")
    first = begin(run, "restart", "reports")
    wait_for(lambda: told(run), 10, "the worker to be told")
    second = prodgen(run, "restart", "reports")
    assert first.end().code == 0
    assert second.code == 1, second
    assert "another prodgen is at work" in second.err


def told(run: Bench) -> bool:
    return any(
        run.bench.redis("HGET", one["key"], "shutdown_requested_date")
        for one in run.bench.workers()
        if one["state"] == "busy" and int(one["pid"]) in pids(run, "-reports-")
    )
