"""A secret under systemd: in every process that may have it, and before no other eye."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.restarting import load, prodgen
from tests.support.live.secrets import Planted, Watch, files_below, pids_here, plant, said, stale
from tests.support.live.systemd_bench import NAME, PATH, USER, Figure, Run, booted
from tests.support.rig import procs
from tests.support.rig.waiting import wait_for

OF_ROOT = "/etc/frappe/secrets.env"
OF_USER = ".env"
MANAGER = "manager: systemd\n"
STRICT = "systemd: {hardening: strict}\n"
APP = (Role.WEB, Role.REALTIME, Role.SCHEDULER, Role.WORKER)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with booted(settings=MANAGER, up=False) as made:
        yield made


def put(run: Run, planted: Planted, file: str, owner: str) -> None:
    """The file as `prodgen doctor` wants it."""
    run.machine.put(PATH / file, planted.text, mode=0o600, owner=owner)


def check(run: Run, planted: Planted) -> int:
    """Every process but Redis has it, the children too; how many there are."""
    count = 0
    here = pids_here(run)
    for unit, pid in run.pids(*APP).items():
        family = [here[pid], *procs.descendants(here[pid])]
        assert [planted.has_arrived(one) for one in family] == [True] * len(family), unit
        assert not procs.command(here[pid])[0].endswith("/sh"), "the shell is still there"
        count += len(family)
    for pid in run.pids(Role.CACHE, Role.QUEUE).values():
        assert "DB_PASSWORD" not in procs.environment(here[pid])
    return count


def unseen(run: Run, planted: Planted) -> None:
    """No file, no output, no journal and no command line shows it."""
    places = [Path("/etc/systemd/system"), Path("/etc/prodgen"), Path("/var/log", NAME)]
    files = files_below(*(run.machine.real(place) for place in places))
    assert len(files) > 10
    assert planted.seen_in(files) == []
    texts = [
        said(run),
        run.systemctl("show", *run.units),
        run.systemctl("cat", *run.units),
        run.systemctl("status", "--full", "--lines=100", *run.units, check=False),
        run.systemctl("show-environment"),
        run.machine.run(["journalctl", "--no-pager", "--output=export"]).stdout,
    ]
    assert "EnvironmentFile" in texts[1] or "with-env.sh" in texts[1]
    assert not planted.is_in("\n".join(texts))


def _says(run: Run, unit: str, why: str) -> bool:
    return any(why in line for line in run.journal("-u", unit))


def fails_loudly(run: Run, why: str) -> None:
    """Redis alone is up, and the journal says why."""
    run.systemctl("start", f"{NAME}.target", check=False)
    units = run.units_of(Role.WORKER, Role.SCHEDULER, Role.WEB, Role.REALTIME)
    for unit in units:
        wait_for(partial(_says, run, unit, why), 20, f"{unit} to say why")
    states = run.states()
    assert not [unit for unit in units if states[unit].active == "active"]
    run.systemctl("stop", *units)  # else the next start waits for the scheduler's own next try


@pytest.mark.parametrize(
    ("settings", "file", "owner", "why"),
    [
        (f"{MANAGER}env_file: {OF_ROOT}\n", OF_ROOT, "root", "Failed to load environment files"),
        (f"{MANAGER}env_file: .env\n{STRICT}", OF_USER, USER, "is not there"),
    ],
    ids=["by systemd", "by the service"],
)
def test_from_the_file_to_the_processes_and_nowhere_else(
    run: Run, settings: str, file: str, owner: str, why: str, figure: Figure
) -> None:
    old, new = plant(), plant()
    run.systemctl("stop", f"{NAME}.target")
    run.bench.file("prodgen.yaml").write_text(settings)
    run.install()
    fails_loudly(run, why)
    put(run, old, file, owner)
    run.start()
    run.await_workers()
    count = check(run, old)
    put(run, new, file, owner)
    assert "env" in stale(run), "the processes are older than the file"
    with Watch(new) as watch, load(run) as clients:
        done = prodgen(run, "restart")
    assert done.code == 0, done
    run.await_all("active")
    check(run, new)
    unseen(run, new)
    assert watch.seen == set()
    assert clients.result.failed == 0, clients.result
    figure(
        f"{count} processes have their secrets, {watch.looks} looks at all command lines during a "
        f"restart saw none; {clients.result}"
    )


def test_root_s_manager_reads_no_file_that_the_bench_s_user_can_replace(run: Run) -> None:
    """A link to a file of root's in place of `.env`: it must not come out as a variable."""
    run.machine.put("/root/my.cnf", "hunter2=of-root\n", mode=0o600)
    run.systemctl("stop", f"{NAME}.target")
    run.bench.file("prodgen.yaml").write_text(f"{MANAGER}env_file: .env\n")
    run.install()
    link = run.bench.file(OF_USER)
    link.unlink(missing_ok=True)
    link.symlink_to("/root/my.cnf")
    fails_loudly(run, "is not there, or may not be seen")
    link.unlink()
