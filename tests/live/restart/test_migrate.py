"""`prodgen restart --migrate`: nothing works on the sites meanwhile, and no flag is left behind."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.live.hostile_modules import hostile_modules
from tests.support.live.restarting import bench_up, pids, prodgen, running, version
from tests.support.live.supervised import Supervised
from tests.support.live.systemd_bench import Run
from tests.support.rig import procs
from tests.support.rig.client import fetch
from tests.support.rig.waiting import wait_for

Bench = Supervised | Run
Figure = Callable[[str], None]
ONCE = pytest.mark.parametrize("made", ["supervisor"], indirect=True)
"""For what the manager has no part in."""
SITES = ("one.test", "two.test")
COMMON = "sites/common_site_config.json"
NOTE = "sites/.prodgen-maintenance.json"
WORDS = ("restart", "--migrate")


@pytest.fixture(scope="module", params=["supervisor", "systemd"])
def made(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="prodgen-rig-") as folder:
        Path(folder).chmod(0o755)
        with bench_up(request.param, Path(folder), sites=SITES, quick=True) as run:
            yield run


@pytest.fixture
def run(made: Bench) -> Iterator[Bench]:
    """Each test begins with everything at work, and ends with the files as they were."""
    for name in ("logs/jobs.log", "logs/migrations.log"):
        made.bench.file(name).unlink(missing_ok=True)
    wait_for(lambda: workers_known(made), 40, "all workers")
    before = flags(made)
    yield made
    assert not made.bench.file(NOTE).exists()
    assert flags(made) == before


def workers_known(run: Bench) -> bool:
    known = {int(each["pid"] or 0) for each in run.bench.workers() if each["state"]}
    return pids(run, "-worker") <= known


def flags(run: Bench) -> dict[str, str]:
    """The text of every file that may hold the flag."""
    files = [COMMON, *(f"sites/{site}/site_config.json" for site in SITES)]
    return {name: run.bench.read(name) for name in files}


def migrations(run: Bench) -> list[dict[str, Any]]:
    """Those that were begun."""
    return [json.loads(line) for line in run.bench.read("logs/migrations.log").splitlines()]


@contextmanager
def told(run: Bench, site: str, **what: Any) -> Iterator[None]:
    """What the migration of a site does for a while."""
    file = run.bench.file(f"sites/{site}/migrate.json")
    file.write_text(json.dumps(what))
    try:
        yield
    finally:
        file.unlink()


def status(run: Bench, site: str = "one.test") -> int:
    """What the web answers for a site."""
    address = ("127.0.0.1", run.bench.web_port)
    return fetch(address, "/api/method/ping", host=site, place=run.bench.place).status


def stopped(run: Bench) -> bool:
    """Whether neither a worker nor the scheduler runs."""
    return not (pids(run, "-worker") | pids(run, "schedule")) - {0}


def interrupt(pid: int, number: signal.Signals) -> None:
    """A signal to prodgen itself, below what carries it into the machine."""
    every = [pid, *procs.descendants(pid)]
    own = [one for one in every if "prodgen" in procs.command(one)[2:3]]
    os.kill(own[-1], number)


@pytest.mark.matrix_cases("supervisor")
def test_in_order(run: Bench, figure: Figure) -> None:
    run.bench.enqueue("reports", 3, "slow", count=4)
    wait_for(lambda: len(run.bench.counts("start")) == 2, 15, "both workers to be at work")
    old, before = run.pids(), flags(run)
    run.bench.set_version("21")
    with told(run, "two.test", seconds=2), running(run, *WORDS, "--format", "json") as started:
        wait_for(lambda: len(migrations(run)) == 2, 60, "the second migration")
        assert stopped(run)
        assert {status(run, site) for site in SITES} == {503}
        assert len(run.bench.counts()) == 2
        done = started.end()
    assert done.code == 0, done
    assert {one["maintenance"] for one in migrations(run)} == {True}
    assert [one["site"] for one in migrations(run)] == list(SITES)
    order = ["suspended", "stopped", "resumed", "maintenance", "migrated", "restarting", "done"]
    kinds = done.kinds()
    assert sorted(order, key=kinds.index) == order
    assert kinds[::-1].index("maintenance") < kinds[::-1].index("ready")
    assert flags(run) == before
    assert {status(run, site) for site in SITES} == {200}
    assert version(run) == "21"
    new = run.pids()
    assert {name for name in old if old[name] == new[name]} == {
        name for name in old if "redis" in name
    }
    wait_for(lambda: len(run.bench.counts()) == 4, 30, "the jobs that waited")
    assert set(run.bench.counts("start").values()) == {1}
    times = {one["event"]: one["time"] for one in done.events}
    figure(f"restart --migrate of two sites took {times['done'] - times['begin']:.1f} s")


@pytest.mark.matrix_cases("supervisor")
def test_a_failed_migration(run: Bench) -> None:
    web = pids(run, "-web")
    with told(run, "two.test", fail=True):
        done = prodgen(run, *WORDS)
    assert done.code == 4, done
    for words in (
        "note: one.test: migrated",
        "note: two.test: its migration failed (exit 1)",
        "RuntimeError: asked to fail on two.test",
        "error: the migration of two.test failed: exit 1",
        "`prodgen restart --migrate` goes on",
    ):
        assert words in done.err, done
    assert stopped(run)
    assert pids(run, "-web") == web
    assert status(run) == 200
    done = prodgen(run, *WORDS)
    assert done.code == 0, done
    assert not stopped(run)


@pytest.mark.matrix_cases("systemd")
def test_ctrl_c_ends_the_migration(run: Bench) -> None:
    with told(run, "one.test", seconds=60), running(run, *WORDS) as started:
        wait_for(lambda: migrations(run), 60, "the migration")
        interrupt(started.process.pid, signal.SIGINT)
        done = started.end()
    assert done.code == 130, done
    assert "one.test: its migration was interrupted" in done.err
    assert "two.test: not migrated, as it was" in done.err
    assert not is_alive(run, migrations(run)[0]["pid"])
    assert stopped(run)
    done = prodgen(run, "restart")
    assert done.code == 0, done
    assert not stopped(run)


def is_alive(run: Bench, pid: int) -> bool:
    """Whether a process lives, by its number where the bench is."""
    if isinstance(run, Run):
        return run.machine.run(["test", "-d", f"/proc/{pid}"], check=False).returncode == 0
    return procs.alive(pid)


@pytest.mark.matrix_cases("systemd")
def test_kill_9_leaves_a_note_for_the_next_run(run: Bench) -> None:
    before = flags(run)
    log = run.bench.file("sites/one.test/logs/migrate.log")
    log.unlink(missing_ok=True)
    with told(run, "one.test", seconds=6), running(run, *WORDS) as started:
        wait_for(lambda: migrations(run), 60, "the migration")
        interrupt(started.process.pid, signal.SIGKILL)
        started.end()
        assert flags(run) != before
        assert status(run) == 503
        second = prodgen(run, "restart")
        assert second.code == 1, second
        assert "a migration that it has begun" in second.err
        wait_for(log.exists, 20, "the migration to end by itself")
    wait_for(lambda: not is_alive(run, migrations(run)[0]["pid"]), 5, "its end")
    done = prodgen(run, "restart")
    assert done.code == 0, done
    assert "an interrupted prodgen had left" in done.err
    assert flags(run) == before
    assert status(run) == 200


@pytest.mark.matrix
@ONCE
def test_flags_that_it_found_stay(run: Bench) -> None:
    file = run.bench.file("sites/two.test/site_config.json")
    before = file.read_text()
    file.write_text(json.dumps({**json.loads(before), "maintenance_mode": 0}))
    own = file.read_text()
    try:
        assert prodgen(run, *WORDS).code == 0
        assert {one["maintenance"] for one in migrations(run)} == {True}
        assert file.read_text() == own
        run.bench.set_config(maintenance_mode=1)
        done = prodgen(run, *WORDS)
        assert done.code == 0, done
        assert run.bench.config()["maintenance_mode"] == 1
        assert file.read_text() == own
    finally:
        run.bench.set_config(maintenance_mode=None)
        file.write_text(before)


@pytest.mark.matrix
@ONCE
def test_a_migration_that_takes_too_long_is_ended(run: Bench) -> None:
    with told(run, "one.test", seconds=60):
        done = prodgen(run, *WORDS, "--migrate-timeout", "2")
    assert done.code == 4, done
    assert "took longer than 2 s, and was ended" in done.err
    assert not is_alive(run, migrations(run)[0]["pid"])
    assert prodgen(run, "restart").code == 0


@pytest.mark.matrix
@ONCE
def test_workers_that_do_not_come_to_rest_stop_it(run: Bench) -> None:
    run.bench.enqueue("reports", 6, "late")
    wait_for(lambda: run.bench.counts("start")["late"], 15, "the job")
    before = run.pids()
    done = prodgen(run, *WORDS, "--wait-workers-timeout", "2")
    assert done.code == 1, done
    assert not migrations(run)
    assert run.pids() == before
    wait_for(lambda: run.bench.counts()["late"] == 1, 15, "the job")


@pytest.mark.matrix
@ONCE
def test_another_bench_on_the_same_redis(run: Bench) -> None:
    run.bench.redis("SADD", "rq:workers", "rq:worker:other")
    words = ("queues", "home-frappe-other:short", "state", "idle", "hostname", "else", "pid", 7)
    run.bench.redis("HSET", "rq:worker:other", *words)
    run.bench.enqueue("reports", 4, "shared")
    wait_for(lambda: run.bench.counts("start")["shared"], 15, "the job")
    try:
        done = prodgen(run, *WORDS, "--format", "json")
    finally:
        run.bench.redis("DEL", "rq:worker:other")
        run.bench.redis("SREM", "rq:workers", "rq:worker:other")
    assert done.code == 0, done
    assert "suspended" not in done.kinds()
    assert run.bench.counts() == {"shared": 1}
    assert len(migrations(run)) == 2


@pytest.mark.matrix
def test_where_the_web_hears_of_it_late(ground: Path) -> None:
    with bench_up("supervisor", ground, frappe_version="16.0.0", quick=True) as run:
        with told(run, "one.test", seconds=2), running(run, *WORDS) as started:
            wait_for(lambda: migrations(run), 60, "the migration")
            assert {status(run) for _ in range(8)} == {503}
            done = started.end()
        assert done.code == 0, done
        assert {status(run) for _ in range(8)} == {200}


def test_nothing_that_a_service_left_in_sites_is_imported(run: Bench) -> None:
    """By Gunicorn, by workers, the scheduler and the migration (the web worker writes there)."""
    with hostile_modules(run.bench) as ran:
        before = run.pids()
        done = prodgen(run, *WORDS)
        assert done.code == 0, done
        assert {one["site"] for one in migrations(run)} == set(SITES)
        for part in ("-web", "-worker", "-schedule"):
            assert pids(run, part)
            assert not pids(run, part) & set(before.values())
        assert run.bench.web_answers()
    run.bench.enqueue("short", 0.1, "afterwards")
    wait_for(lambda: run.bench.counts()["afterwards"] == 1, 30, "the job")
    assert ran() == ""
