"""The units of a bench on a real PID 1: up, down, up again, and each on its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.systemd_bench import NAME, REDIS, SITE, SOCKET, TARGET, Figure, Run, booted
from tests.support.rig.client import fetch
from tests.support.rig.waiting import wait_for

CONTENTS = """\
frappe-bench.target
├─frappe-bench-redis.target
│ ├─frappe-bench-redis-cache.service
│ └─frappe-bench-redis-queue.service
├─frappe-bench-web.target
│ ├─frappe-bench-frappe-web@1.service
│ ├─frappe-bench-frappe-web@2.service
│ ├─frappe-bench-node-socketio.service
│ └─frappe-bench-web.socket
└─frappe-bench-workers.target
  ├─frappe-bench-frappe-long-worker@1.service
  ├─frappe-bench-frappe-reports-worker@1.service
  ├─frappe-bench-frappe-schedule.service
  └─frappe-bench-frappe-short-worker@1.service
"""
"""`systemctl list-dependencies` reads like a table of contents."""


@pytest.fixture(scope="module")
def machine_run() -> Iterator[Run]:
    with booted() as run:
        yield run


@pytest.fixture
def run(machine_run: Run) -> Run:
    """Each test begins with everything up."""
    machine_run.start()
    return machine_run


def test_it_reads_like_a_table_of_contents(run: Run) -> None:
    listed = run.systemctl("list-dependencies", TARGET).splitlines()
    assert [line.removeprefix("● ").rstrip() for line in listed] == CONTENTS.splitlines()


def test_everything_is_up_and_works(run: Run) -> None:
    assert run.bench.web_answers()
    path = "/socket.io/?EIO=4&transport=polling"
    headers = {"X-Frappe-Site-Name": SITE}
    realtime = ("127.0.0.1", 9000)
    answer = fetch(realtime, path, host=SITE, headers=headers, place=run.machine)
    assert answer.status == 200
    for queue in ("short", "default", "long", "reports"):
        run.bench.enqueue(queue, token=queue)
    wait_for(lambda: len(run.bench.counts()) == 4, 20, "a job on every queue")
    wait_for(lambda: "tick" in run.bench.read("logs/scheduler.log"), 20, "the scheduler")
    assert run.systemctl("list-units", "--failed", "--no-legend") == ""
    said = run.machine.run(["sh", "-c", "systemd-analyze verify /etc/systemd/system/*bench*"])
    assert (said.stdout, said.stderr) == ("", "")


def test_restarting_one_touches_one(run: Run) -> None:
    for unit in run.units:
        before = run.pids()
        run.systemctl("restart", unit)
        run.await_all("active")
        after = run.pids()
        changed = {name for name in before if before[name] != after[name]}
        # Node ends whenever redis_queue does; it comes back by itself.
        node = set(run.units_of(Role.REALTIME)) if "redis-queue" in unit else set()
        assert unit in changed <= {unit} | node


@pytest.mark.parametrize("tier", ["redis", "web", "workers"])
def test_a_tier_stops_and_restarts_alone(run: Run, tier: str) -> None:
    target = f"{NAME}-{tier}.target"
    mine = set(run.systemctl("show", "-p", "Wants", "--value", target).split())
    node = set(run.units_of(Role.REALTIME)) if tier == "redis" else set()
    before = run.pids()
    run.systemctl("restart", target)
    run.await_all("active")
    kept = {name for name, pid in run.pids().items() if pid == before[name]}
    assert set(run.units) - mine - node <= kept
    assert not kept & mine
    run.systemctl("stop", target)
    own = mine & set(run.units)
    wait_for(lambda: own <= set(run.not_("active")), 20, "its services have stopped")
    assert set(run.not_("active")) <= own | node


def test_the_target_stops_and_restarts_everything(run: Run) -> None:
    before = run.pids()
    run.systemctl("restart", TARGET)
    run.await_all("active")
    after = run.pids()
    assert [unit for unit in run.units if before[unit] == after[unit]] == []
    run.systemctl("stop", TARGET)
    run.await_all("inactive")
    closed = lambda: run.systemctl("is-active", SOCKET, check=False).strip() == "inactive"  # noqa: E731
    wait_for(closed, 10, "the socket to be closed")


def test_what_is_no_longer_wanted_goes_away(run: Run) -> None:
    """Fewer workers: the manifest's old units minus the new ones is what apply has to stop."""
    run.bench.set_config(background_workers=2)
    run.install()
    # `start` of the bench's own target would not reach what is new below an active tier.
    run.systemctl("start", f"{NAME}-workers.target")
    run.await_all("active")
    more = set(run.units)
    run.bench.set_config(background_workers=1)
    run.install()
    assert len(more) > len(run.units)
    before = run.pids()
    run.systemctl("stop", *sorted(more - set(run.units)))
    assert run.pids() == before
    listed = run.systemctl("list-units", "--no-legend", "--plain", f"{NAME}-*.service")
    assert {line.split()[0] for line in listed.splitlines()} == set(run.units)


def test_all_is_up_after_a_power_cut(run: Run, figure: Figure) -> None:
    run.bench.set_config(background_workers=2)
    run.install()
    run.bench.set_config(background_workers=1)
    run.install()
    run.machine.reboot()
    assert run.machine.state_word == "running", run.systemctl("--failed")
    assert run.not_("active") == []
    assert run.bench.web_answers()
    listed = run.systemctl("list-units", "--no-legend", "--plain", f"{NAME}-*.service")
    assert {line.split()[0] for line in listed.splitlines()} == set(run.units)
    figure(f"{len(run.units)} services up {run.machine.boot_seconds:.1f} s after a power cut")
    assert redis_was_first(run)


def redis_was_first(run: Run) -> bool:
    """Whether Redis was ready before anything that uses it was even started."""

    def when(unit: str, what: str) -> int:
        return int(run.systemctl("show", "-p", what, "--value", unit))

    ready = max(when(unit, "ActiveEnterTimestampMonotonic") for unit in run.units_of(*REDIS))
    users = set(run.units) - set(run.units_of(*REDIS))
    return all(when(unit, "InactiveExitTimestampMonotonic") >= ready for unit in users)
