"""Units of a user: no root, a lingering manager, and everything back after a power cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.secrets import pids_here, plant
from tests.support.live.systemd_bench import TARGET, USER, Figure, Run, booted, options
from tests.support.rig.load import Load
from tests.support.rig.waiting import wait_for

RUNTIME = "/run/user/1001"


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with booted(change=options(scope="user"), up=False) as made:
        made.machine.run(["loginctl", "enable-linger", USER])
        made.control, made.user = ("systemctl", "--user"), USER
        made.env = {
            "XDG_RUNTIME_DIR": RUNTIME,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={RUNTIME}/bus",
        }
        await_manager(made)
        owner = ["chown", "-R", f"{USER}:", "/home/frappe/.config"]
        made.machine.run(owner)
        made.systemctl("daemon-reload")
        made.systemctl("enable", "--now", TARGET)
        made.await_all("active")
        yield made


def await_manager(run: Run) -> None:
    """Wait until the user's own manager can be talked to."""
    wait_for(lambda: run.systemctl("is-system-running", check=False).strip() in
             ("running", "degraded"), 20, "the user's manager")  # fmt: skip


def test_it_works_without_root(run: Run, figure: Figure) -> None:
    for queue in ("short", "long", "reports"):
        run.bench.enqueue(queue, token=queue)
    wait_for(lambda: len(run.bench.counts()) == 3, 20, "the jobs")
    wait_for(lambda: "tick" in run.bench.read("logs/scheduler.log"), 20, "the scheduler")
    with Load(("127.0.0.1", 8000), "one.test", clients=4, place=run.machine) as load:
        for unit in run.units_of(Role.WEB):
            run.systemctl("restart", unit)
        wait_for(lambda: load.answered() >= 500, 30, "enough requests")
    assert load.result.failed == 0, str(load.result)
    figure(f"user units, a rolling restart, {load.result}")


@pytest.mark.matrix
def test_a_job_survives_a_stop(run: Run) -> None:
    run.bench.enqueue("long", 3, "slow")
    wait_for(lambda: run.bench.counts("start")["slow"] == 1, 10, "the job to begin")
    run.systemctl("restart", *run.units_of(Role.WORKER))
    assert run.bench.counts()["slow"] == 1


@pytest.mark.matrix
def test_all_is_up_after_a_power_cut(run: Run) -> None:
    run.machine.reboot()
    await_manager(run)
    run.await_all("active", 20)
    assert run.bench.web_answers()
    run.systemctl("stop", TARGET)
    run.await_all("inactive")


def test_its_own_manager_reads_its_secrets(run: Run) -> None:
    planted = plant()
    run.bench.file("prodgen.yaml").write_text("env_file: .env\n")
    run.machine.put(run.bench.path / ".env", planted.text, mode=0o600, owner=USER)
    run.install()
    run.systemctl("restart", *run.units_of(Role.WEB, Role.WORKER))
    pids = run.pids(Role.WEB, Role.WORKER).values()
    here = pids_here(run)
    assert [planted.has_arrived(here[pid]) for pid in pids] == [True] * len(pids)
    assert "EnvironmentFile" in run.systemctl("cat", run.units_of(Role.WEB)[0])
