"""What a bench may use on a real systemd, who is killed first, and what it writes to the logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prodgen.plan.core.model import Plan, Role
from prodgen.plan.core.options import Resources
from tests.support.live.systemd_bench import NAME, Figure, Run, booted, options
from tests.support.rig import cgroups, procs
from tests.support.rig.tools import cannot
from tests.support.rig.waiting import wait_for
from tests.support.systemd_plans import sourced

SLICE = r"frappe\x2dbench.slice"
MEGABYTE = 1024**2
WORKER = Resources(
    memory_high=sourced(300 * MEGABYTE),
    memory_max=sourced(400 * MEGABYTE),
    cpu_quota=sourced(150),
    tasks_max=sourced(64),
)
limited = options(resources={"worker": WORKER, "bench": Resources(tasks_max=sourced(500))})


@pytest.fixture(scope="module")
def machine_run() -> Iterator[Run]:
    with booted(change=limited) as run:
        yield run


@pytest.fixture
def run(machine_run: Run) -> Run:
    """Each test begins with everything up."""
    machine_run.start()
    return machine_run


def shown(run: Run, unit: str, *names: str) -> dict[str, str]:
    """What systemd has made of a unit's settings."""
    said = run.systemctl("show", "-p", ",".join(names), unit).split()
    return dict(line.split("=", 1) for line in said)


def test_limits_are_in_force(run: Run) -> None:
    names = ("MemoryHigh", "MemoryMax", "CPUQuotaPerSecUSec", "TasksMax", "Slice")
    for unit in run.units_of(Role.WORKER):
        assert shown(run, unit, *names) == {
            "MemoryHigh": str(300 * MEGABYTE),
            "MemoryMax": str(400 * MEGABYTE),
            "CPUQuotaPerSecUSec": "1.500000s",
            "TasksMax": "64",
            "Slice": SLICE,
        }
    assert shown(run, run.units_of(Role.WEB)[0], "MemoryMax") == {"MemoryMax": "infinity"}
    assert shown(run, SLICE, "TasksMax") == {"TasksMax": "500"}
    assert {shown(run, unit, "Slice")["Slice"] for unit in run.units} == {SLICE}


def test_a_worker_that_eats_memory_is_killed_alone(run: Run) -> None:
    if "memory" not in cgroups.controllers(run.machine.cgroup):
        cannot("cgroup v1 holds the memory controller: MemoryMax= is accepted, not enforced")
    before = run.pids(Role.WEB, Role.CACHE, Role.QUEUE)
    [unit, *_] = run.units_of(Role.WORKER)
    hog = "x = bytearray(600 * 2**20); x[::4096] = b'x' * len(x[::4096])"
    folder = shown(run, unit, "ControlGroup")["ControlGroup"]
    join = f"echo $$ > /sys/fs/cgroup{folder}/cgroup.procs; exec python3 -c {hog!r}"
    assert run.machine.run(["sh", "-c", join], check=False).returncode != 0
    run.await_all("active")
    assert run.pids(Role.WEB, Role.CACHE, Role.QUEUE) == before


@pytest.mark.matrix
def test_workers_go_before_web_before_redis(run: Run, figure: Figure) -> None:
    def score(role: Role) -> set[int]:
        pids = run.pids(role).values()
        return {int(run.machine.run(["cat", f"/proc/{pid}/oom_score_adj"]).stdout) for pid in pids}

    scores = {role: score(role) for role in (Role.WORKER, Role.WEB, Role.CACHE, Role.QUEUE)}
    assert min(scores[Role.WORKER]) > max(scores[Role.WEB])
    assert min(scores[Role.WEB]) > max(scores[Role.CACHE] | scores[Role.QUEUE])
    figure("oom_score_adj " + ", ".join(f"{role.value} {found}" for role, found in scores.items()))


@pytest.mark.pitfall("19")
def test_niceness_is_frappes_own(run: Run) -> None:
    def niceness(role: Role) -> set[str]:
        pids = [str(pid) for pid in run.pids(role).values()]
        return set(run.machine.run(["ps", "-o", "ni=", "-p", ",".join(pids)]).stdout.split())

    run.await_workers()
    wait_for(lambda: niceness(Role.WORKER) == niceness(Role.SCHEDULER) == {"10"}, 10, "+10")
    assert niceness(Role.WEB) == niceness(Role.QUEUE) == {"0"}
    run.bench.enqueue("short", token="nice")
    wait_for(lambda: run.bench.counts()["nice"] == 1, 10, "a job")
    assert {line["nice"] for line in run.bench.jobs()} == {10}


def test_the_journal_shows_all_by_name(run: Run) -> None:
    run.await_workers()
    entries = run.journal("-u", f"{NAME}-*", "--output=with-unit", "-b")
    for unit in run.units_of(Role.WEB, Role.WORKER, Role.CACHE, Role.QUEUE):
        assert any(f" {unit}" in line for line in entries), unit
    names = run.journal("-F", "SYSLOG_IDENTIFIER")
    wanted = {unit.removesuffix(".service") for unit in run.units_of(Role.WEB, Role.WORKER)}
    assert wanted <= set(names)
    assert any("Booting worker" in line for line in run.journal("-t", f"{NAME}-frappe-web@1"))


def test_files_are_appended_to(run: Run) -> None:
    """The option `logs: files`, for who reads and rotates files."""

    def to_files(plan: Plan) -> Plan:
        chosen = limited(plan)
        return chosen._replace(systemd=chosen.systemd._replace(logs=sourced("files")))

    run.install(to_files)
    log = run.machine.real(Path(f"/var/log/{NAME}/web-1.error.log"))
    unit = run.units_of(Role.WEB)[0]
    starts, text = [0], ""
    for _ in range(3):
        run.systemctl("restart", unit)
        text = log.read_text()
        starts.append(text.count("Starting gunicorn"))
    assert starts == [0, 1, 2, 3]
    assert text.count("Shutting down") == 2
    run.systemctl("stop", unit)
    run.install()


def test_no_process_is_outside_the_slice(run: Run) -> None:
    """Everything that runs as the bench's user belongs to the bench."""
    uid = run.machine.owner(str(run.bench.user))[0]
    for pid in procs.descendants(run.machine.pid):
        status = Path(f"/proc/{pid}/status")
        if status.exists() and f"\nUid:\t{uid}\t" in status.read_text():
            assert SLICE in Path(f"/proc/{pid}/cgroup").read_text(), procs.command(pid)
