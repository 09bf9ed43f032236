"""`prodgen status` and `prodgen logs` over Supervisor and systemd."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodgen.deploy.restart.maintenance_mode import KEY, LEFT_ON, NOTE
from prodgen.deploy.session.session import bench_lock
from prodgen.review.changes.site_config_edit import FILE
from tests.support.live.restarting import bench_up, prodgen, running
from tests.support.live.supervised import Supervised
from tests.support.live.systemd_bench import Run
from tests.support.outputs import parse
from tests.support.rig import procs
from tests.support.rig.waiting import wait_for

Bench = Supervised | Run


@pytest.fixture(
    scope="module", params=["supervisor", pytest.param("systemd", marks=pytest.mark.matrix)]
)
def run(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="prodgen-rig-") as folder:
        Path(folder).chmod(0o755)
        with bench_up(request.param, Path(folder)) as made:
            if isinstance(made, Supervised):
                made.wait_running()
            yield made


def test_the_bench_in_one_table(run: Bench) -> None:
    run.bench.enqueue("reports", 4, "slow", count=3)
    wait_for(lambda: len(run.bench.counts("start")) == 2, 15, "both workers to be at work")
    done = prodgen(run, "status", "--format", "json")
    assert done.code == 0, done
    found = parse("status", done.out)
    assert found["healthy"]
    assert found["queues"]["reports"] == 1
    assert [job["site"] for job in found["jobs"]] == ["one.test"] * 2
    pids = {one["pid"] for service in found["services"] for one in service["processes"]}
    assert len(pids) == len(run.pids())
    assert all(service["memory"] > 1_000_000 for service in found["services"])
    assert all(0 <= time.time() - service["since"] < 600 for service in found["services"])
    text = prodgen(run, "status")
    assert "frappe-web" in text.out
    assert "At work" in text.out
    assert max(len(line) for line in text.out.splitlines()) <= 140
    wait_for(lambda: len(run.bench.counts()) == 3, 20, "the jobs")


def test_what_is_down_is_said(run: Bench) -> None:
    if isinstance(run, Run):
        run.systemctl("stop", "frappe-bench-frappe-schedule.service")
    else:
        run.supervisor.call("stopProcess", f"{run.group('workers')}:{run.group('frappe-schedule')}")
    done = prodgen(run, "status", "--format", "json")
    assert done.code == 4, done
    [row] = [one for one in parse("status", done.out)["services"] if one["role"] == "scheduler"]
    assert (row["up"], row["instances"]) == (0, 1)
    assert prodgen(run, "restart", "scheduler").code == 0
    assert prodgen(run, "status").code == 0


def test_newer_config_is_seen(run: Bench) -> None:
    settings = Path("/etc/prodgen", run.bench.path.name, "gunicorn.conf.py")
    os.utime(run.bench.place.real(settings), (time.time() + 5, time.time() + 5))
    done = prodgen(run, "status")
    assert "older than gunicorn.conf.py" in done.out, done
    os.utime(run.bench.place.real(settings), (1, 1))


@pytest.mark.parametrize("run", ["supervisor"], indirect=True)  # systemd has a file for each
def test_only_what_differs_is_older_than_a_file_of_many(run: Bench) -> None:
    assert isinstance(run, Supervised)
    text = (run.supervisor.conf_d / f"{run.name}.conf").read_text()
    installed = Path("/etc/supervisor/conf.d", f"{run.name}.conf")

    def older(changed: str) -> list[str]:
        installed.write_text(changed)
        os.utime(installed, (time.time() + 5, time.time() + 5))
        found = parse("status", prodgen(run, "status", "--format", "json").out)
        return [one["role"] for one in found["services"] if one["newer_config"]]

    head, mark, tail = text.partition(f"[program:{run.name}-frappe-schedule]")
    assert mark
    try:
        assert older(text) == []
        assert older(head + mark + tail.replace("stopwaitsecs=", "stopwaitsecs=9", 1)) == [
            "scheduler"
        ]
        assert older(head + mark + tail.replace("environment=", "environment=A='b',", 1)) == [
            "scheduler"
        ]
        assert len(older(head)) < len(run.pids())
    finally:
        installed.unlink()


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_what_a_killed_migration_left_is_named(run: Bench, command: str) -> None:
    note = run.bench.file(NOTE)
    note.write_text(json.dumps({FILE: None}))
    run.bench.set_config(**{KEY: True})
    with bench_lock(run.bench.place.real(run.bench.path)):  # one is still at work
        assert LEFT_ON not in prodgen(run, command).out
    said = prodgen(run, command).out
    assert LEFT_ON in said
    assert "prodgen restart" in said.partition(LEFT_ON)[2]
    assert prodgen(run, "restart", "scheduler").code == 0
    assert not note.exists()
    assert LEFT_ON not in prodgen(run, command).out
    assert KEY not in run.bench.config()


def test_it_is_shown_anew_until_ctrl_c(run: Bench) -> None:
    with running(run, "status", "--watch", "--format", "json") as started:
        time.sleep(6)
        interrupt(started.process.pid)
        ended = started.end()
    assert ended.code == 130, ended
    shown = ended.out.split("\n}\n")[:-1]
    assert len(shown) >= 2
    assert all(parse("status", f"{one}\n}}")["healthy"] for one in shown)


def interrupt(pid: int) -> None:
    """Ctrl-C for prodgen itself, below what carries it into the machine."""
    every = [pid, *procs.descendants(pid)]
    own = [one for one in every if "prodgen" in procs.command(one)[2:3]]
    os.kill(own[-1], signal.SIGINT)


def test_logs_are_one_stream(run: Bench) -> None:
    done = prodgen(run, "logs", "web", "--tail", "3", "--color", "always")
    assert done.code == 0, done
    assert "frappe-web" in done.out
    assert "\x1b[3" in done.out
    with running(run, "logs", "short", "--tail", "0", "--follow") as started:
        for number in range(5):
            time.sleep(0.8)
            run.bench.enqueue("short", 0, f"heard-{number}")
        time.sleep(1)
        interrupt(started.process.pid)
        ended = started.end()
    assert ended.code == 130
    assert "frappe-short-worker" in ended.out
    assert "Job OK" in ended.out


def test_an_unknown_name_is_refused(run: Bench) -> None:
    done = prodgen(run, "logs", "wbe")
    assert done.code == 1
    assert "nothing called `wbe`" in done.err


@pytest.mark.parametrize("run", ["supervisor"], indirect=True)  # systemd ends the whole cgroup
def test_an_orphan_is_listed_and_ended_on_demand(run: Bench) -> None:
    assert isinstance(run, Supervised)
    run.bench.enqueue("reports", 60, "orphan")
    wait_for(lambda: run.bench.counts("start")["orphan"], 15, "the job")
    worker = next(int(one["pid"]) for one in run.bench.workers() if one["state"] == "busy")
    [horse] = procs.descendants(worker)
    procs.kill_all([worker])
    found = parse("status", prodgen(run, "status", "--format", "json").out)
    assert [one["pid"] for one in found["orphans"]] == [horse]
    wait_for(lambda: set(run.states()) == {"RUNNING"}, 20, "the successor")
    kept = prodgen(run, "restart", "reports")
    assert kept.code == 0, kept
    assert f"process {horse}" in kept.err
    assert procs.alive(horse)
    done = prodgen(run, "restart", "reports", "--end-orphans")
    assert done.code == 0, done
    assert not procs.alive(horse)
