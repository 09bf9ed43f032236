"""The units of a bench on a real systemd as PID 1, with the stand-in for Frappe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from prodgen.plan.model import Plan, Role
from prodgen.targets.gunicorn import render_gunicorn
from prodgen.targets.systemd import render_systemd
from prodgen.targets.systemd_units import running_units
from tests.rig.bench import Bench, make_bench
from tests.rig.load import Load
from tests.rig.machine import Machine
from tests.rig.waiting import wait_for
from tests.targets.systemd_plans import plan_of_folder, with_options

pytestmark = pytest.mark.live

PATH = "/home/frappe/frappe-bench"
TARGET = "frappe-bench.target"
WEB = ("127.0.0.1", 8000)
CONFIG = {
    "background_workers": 1,
    "scheduler_tick_interval": 2,
    "workers": {"reports": {"timeout": 4000, "background_workers": 2}},
}


class State(NamedTuple):
    """What systemd says of one service."""

    pid: int
    active: str


class Installed(NamedTuple):
    """A bench in a machine, and its units."""

    machine: Machine
    bench: Bench
    plan: Plan

    @property
    def units(self) -> list[str]:
        return [unit for service in self.plan.services for unit in running_units(service)]

    def units_of(self, *roles: Role) -> list[str]:
        return [unit for one in self.plan.with_role(*roles) for unit in running_units(one)]

    def systemctl(self, *words: str, check: bool = True) -> str:
        return self.machine.run(["systemctl", *words], check=check).stdout

    def states(self) -> dict[str, State]:
        said = self.systemctl("show", "-p", "Id,MainPID,ActiveState", *self.units)
        blocks = [
            dict(row.split("=", 1) for row in part.splitlines()) for part in said.split("\n\n")
        ]
        return {each["Id"]: State(int(each["MainPID"]), each["ActiveState"]) for each in blocks}

    def not_(self, active: str) -> list[str]:
        return sorted(unit for unit, state in self.states().items() if state.active != active)

    def await_all(self, active: str, seconds: float = 30) -> None:
        wait_for(lambda: not self.not_(active), seconds, f"all {active}")


def install(machine: Machine, plan: Plan) -> None:
    """Put the units and Gunicorn's settings where they belong."""
    for artifact in (*render_systemd(plan)[0], *render_gunicorn(plan)[0]):
        machine.put(str(artifact.destination), artifact.text)
    machine.run(["systemctl", "daemon-reload"])


@pytest.fixture(scope="module", params=["standard", "strict"])
def installed(request: pytest.FixtureRequest) -> Iterator[Installed]:
    with Machine() as machine:
        machine.add_user("frappe", 1001, "/home/frappe")
        ports = [8000, 9000, 13000, 11000]
        bench = make_bench(Path(PATH), user="frappe", place=machine, ports=ports, config=CONFIG)
        version = machine.run(["systemctl", "--version"]).stdout.split()[1]
        plan = plan_of_folder(bench.file("."), PATH, systemd=version)
        plan = with_options(plan, hardening=request.param)
        install(machine, plan)
        yield Installed(machine, bench, plan)


@pytest.fixture(autouse=True)
def started(installed: Installed) -> None:
    """Each test begins with everything up."""
    installed.systemctl("enable", TARGET)
    installed.systemctl("start", TARGET, *installed.units)
    installed.await_all("active")


def test_all_is_up_and_works(installed: Installed) -> None:
    assert installed.bench.web_answers()
    installed.bench.enqueue("long", token="done")
    wait_for(lambda: installed.bench.counts()["done"] == 1, 10, "the job")
    assert "start" in installed.bench.read("logs/scheduler.log")
    said = installed.machine.run(["sh", "-c", "systemd-analyze verify /etc/systemd/system/*bench*"])
    assert (said.stdout, said.stderr) == ("", "")
    listed = installed.systemctl("list-dependencies", "--plain", TARGET)
    assert set(installed.units) <= set(listed.split())
    assert installed.systemctl("list-units", "--failed", "--no-legend") == ""


def test_restarting_one_touches_one(installed: Installed) -> None:
    for unit in installed.units:
        before = installed.states()
        installed.systemctl("restart", unit)
        after = installed.states()
        changed = {name for name in before if before[name].pid != after[name].pid}
        # Node ends whenever redis_queue does; it comes back by itself.
        node = set(installed.units_of(Role.REALTIME)) if "redis-queue" in unit else set()
        assert unit in changed <= {unit} | node
        installed.await_all("active")


@pytest.mark.parametrize("tier", ["redis", "web", "workers"])
def test_a_tier_stops_and_restarts_alone(installed: Installed, tier: str) -> None:
    target = f"frappe-bench-{tier}.target"
    mine = set(installed.systemctl("show", "-P", "Wants", target).split())
    before = installed.states()
    installed.systemctl("restart", target)
    wait_for(lambda: not installed.not_("active"), 20, "all active")
    kept = {name for name, state in installed.states().items() if state == before[name]}
    node = set(installed.units_of(Role.REALTIME)) if tier == "redis" else set()
    assert set(installed.units) - mine - node <= kept
    assert not kept & mine
    installed.systemctl("stop", target)
    wait_for(lambda: mine & set(installed.units) <= set(installed.not_("active")), 20, "it stopped")
    up = {name for name, state in installed.states().items() if state.active == "active"}
    assert set(installed.units) - mine - node <= up


def test_the_target_stops_and_restarts_everything(installed: Installed) -> None:
    before = installed.states()
    installed.systemctl("restart", TARGET)
    installed.await_all("active")
    after = installed.states()
    assert all(before[unit].pid != after[unit].pid for unit in installed.units)
    installed.systemctl("stop", TARGET)
    installed.await_all("inactive")
    wait_for(
        lambda: (
            "inactive" in installed.systemctl("is-active", "frappe-bench-web.socket", check=False)
        ),
        10,
        "the socket is closed",
    )


def test_no_request_fails_while_the_web_restarts(installed: Installed) -> None:
    with Load(WEB, "one.test", place=installed.machine, clients=8) as load:
        for unit in installed.units_of(Role.WEB) * 2:
            time.sleep(0.3)
            installed.systemctl("restart", unit)
        installed.systemctl("restart", "frappe-bench-web.target")
        time.sleep(0.3)
        installed.systemctl("restart", TARGET)
        time.sleep(0.5)
    assert load.result.failed == 0, str(load.result)
    assert load.result.ok > 1000


def test_a_broken_application_never_counts_as_started(installed: Installed) -> None:
    app = Path(PATH) / "apps/frappe/frappe/app.py"
    good = installed.machine.real(app).read_text()
    first, second = installed.units_of(Role.WEB)
    with Load(WEB, "one.test", place=installed.machine, clients=4) as load:
        installed.machine.put(app, "raise SystemExit('broken')\n")
        done = installed.machine.run(["systemctl", "restart", first], check=False)
        time.sleep(4)
        assert done.returncode != 0
        assert installed.states()[second].active == "active"
        answered = load.answered()
        time.sleep(0.5)
        assert load.answered() > answered
        installed.machine.put(app, good)
        installed.await_all("active")
    assert load.result.failed == 0, str(load.result)


def test_a_job_in_flight_is_finished(installed: Installed) -> None:
    installed.bench.enqueue("long", 4, "slow")
    wait_for(lambda: installed.bench.counts("start")["slow"] == 1, 10, "the job began")
    installed.systemctl("stop", *installed.units_of(Role.WORKER))
    assert installed.bench.counts()["slow"] == 1
    installed.systemctl("start", *installed.units_of(Role.WORKER))
    installed.bench.enqueue("long", 4, "slower")
    wait_for(lambda: installed.bench.counts("start")["slower"] == 1, 10, "the job began")
    installed.systemctl("restart", TARGET)
    installed.await_all("active")
    assert installed.bench.counts() == {**installed.bench.counts(), "slow": 1, "slower": 1}
    assert installed.bench.counts("start")["slower"] == 1


def test_what_ends_comes_back_when_redis_does(installed: Installed) -> None:
    redis = installed.units_of(Role.CACHE, Role.QUEUE)
    installed.systemctl("stop", *redis)
    workers = [*installed.units_of(Role.WORKER), *installed.units_of(Role.REALTIME)]
    installed.systemctl("kill", "--signal=KILL", *workers)
    time.sleep(8)
    assert set(redis) <= set(installed.not_("active"))
    said = installed.systemctl("show", "-P", "NRestarts", *workers).split()
    assert all(1 <= int(count) <= 6 for count in said), said
    installed.systemctl("start", *redis)
    installed.await_all("active", 15)


def test_what_users_upload_never_runs(installed: Installed) -> None:
    program = f"{PATH}/sites/one.test/public/files/evil"
    installed.machine.put(program, "#!/bin/sh\necho ran\n", mode=0o755)
    pid = str(installed.states()[installed.units_of(Role.WEB)[0]].pid)
    inside = ["nsenter", "--target", pid, "--mount", "--setuid", "1001", "--setgid", "1001"]
    done = installed.machine.run([*inside, program], check=False)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr
    done = installed.machine.run([*inside, "touch", f"{PATH}/env/new"], check=False)
    assert "Read-only file system" in done.stderr


def test_all_is_up_after_a_power_cut(installed: Installed) -> None:
    installed.machine.reboot()
    assert installed.machine.state_word == "running"
    installed.await_all("active", 5)
    assert installed.bench.web_answers()
