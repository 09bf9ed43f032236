"""The faults of other generators, each put back into our units: the check for it goes red.

The rows are those of the list of defects that the project keeps. What a row asks of `apply` or
`restart` rather than of the units stands with them.

==========  ===============================================================  ====================
row         the fault                                                        where it is shown
==========  ===============================================================  ====================
D-SD1       no target wants the scheduler                                    here
D-SD2       custom queues are left out                                       here
D-SD3, 4    a restart that does nothing                                      here; prodgen restart
D-SD5       running jobs are killed by a stop                                here (both halves)
D-SD6       nothing is enabled                                               here; apply
D-SD7       logs are overwritten                                             here
D-SD8       a stop of the target reaches nobody                              here
D-SD9       not ordered after Redis; given up for ever                       here (both halves)
D-SD10      a group of the user's name; workers that are no longer wanted    here; test_boot
D-SD11      units of what the bench does not have                            tests/targets/systemd
D-SD12      wrong descriptions; no sandbox                                   tests/targets/systemd
36          a worker that exits 0 stays down                                 here
the socket  instances that share no socket refuse requests                   test_web
==========  ===============================================================  ====================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from prodgen.plan.core.model import Plan, Role
from tests.live.systemd.test_boot import redis_was_first
from tests.support.live.systemd_bench import NAME, REDIS, TARGET, Edit, Run, as_it_is, booted
from tests.support.rig.waiting import TooLateError, wait_for
from tests.support.systemd_plans import sourced

RED = (AssertionError, pytest.fail.Exception)
GROUP = "benchers"
"""The group of the bench's user, which has another name than the user."""
USUAL_STOP = 2


@pytest.fixture(scope="module")
def machine_run() -> Iterator[Run]:
    with booted(group=GROUP) as run:
        usual = f"[Manager]\nDefaultTimeoutStopSec={USUAL_STOP}s\n"
        run.machine.put("/etc/systemd/system.conf.d/usual.conf", usual)
        yield run


@pytest.fixture
def run(machine_run: Run) -> Iterator[Run]:
    """Each test begins with everything down and nothing remembered, and puts ours back."""
    stop_all(machine_run)
    yield machine_run
    machine_run.install()


def stop_all(run: Run) -> None:
    run.systemctl("stop", TARGET, f"{NAME}-*", check=False)
    run.systemctl("reset-failed")
    run.await_all("inactive")
    run.bench.file("logs/jobs.log").unlink(missing_ok=True)


def all_is_up(run: Run) -> None:
    """`start` comes back when every job that it has made is done."""
    run.systemctl("start", TARGET)
    assert run.not_("active") == []


def a_restart_restarts(run: Run) -> None:
    all_is_up(run)
    before = run.pids()
    run.systemctl("restart", TARGET)
    wait_for(lambda: not run.not_("active"), 15, "everything up")
    after = run.pids()
    assert [unit for unit in run.units if before[unit] == after[unit]] == []


def a_stop_stops(run: Run) -> None:
    all_is_up(run)
    run.systemctl("stop", TARGET)
    wait_for(lambda: not run.not_("inactive"), 4, "everything down")


def a_job_survives(run: Run) -> None:
    all_is_up(run)
    run.await_workers()
    run.bench.enqueue("long", 2 * USUAL_STOP, "slow")
    wait_for(lambda: run.bench.counts("start")["slow"] == 1, 10, "the job to begin")
    run.systemctl("stop", *run.units_of(Role.WORKER))
    assert run.bench.counts()["slow"] == 1


def redis_is_first(run: Run) -> None:
    all_is_up(run)
    assert redis_was_first(run)


def nobody_gives_up(run: Run) -> None:
    all_is_up(run)
    [node] = run.units_of(Role.REALTIME)
    run.systemctl("stop", *run.units_of(*REDIS))
    with pytest.raises(TooLateError):
        wait_for(lambda: run.states()[node].active == "failed", 8, "it gives up")
    assert run.states()[node].restarts >= 1
    run.systemctl("start", *run.units_of(*REDIS))
    wait_for(lambda: run.states()[node].active == "active", 15, "the realtime server")


def it_is_enabled(run: Run) -> None:
    run.systemctl("enable", TARGET)
    wanted = run.systemctl("show", "-p", "Wants", "--value", "multi-user.target").split()
    assert TARGET in wanted


def a_clean_end_is_none(run: Run) -> None:
    all_is_up(run)
    run.await_workers()
    unit = run.units_of(Role.WORKER)[0]
    before = run.pids()[unit]
    run.systemctl("kill", "--kill-who=main", "--signal=TERM", unit)
    wait_for(lambda: run.pids()[unit] not in (0, before), 8, "the worker")


def lines_stay(run: Run) -> None:
    log = run.machine.real(Path(f"/var/log/{NAME}/web-1.error.log"))
    log.unlink(missing_ok=True)
    for count in (1, 2):
        run.systemctl("restart", run.units_of(Role.WEB)[0])
        assert log.read_text().count("Starting gunicorn") == count
    assert "Shutting down" in log.read_text()


def without(file: str, pattern: str) -> Edit:
    """Leaves the lines out that match, in the units whose names do."""

    def edit(name: str, text: str) -> str:
        if not re.search(file, name):
            return text
        return "".join(line for line in text.splitlines(True) if not re.search(pattern, line))

    return edit


def instead(pattern: str, words: str) -> Edit:
    """Other words for what matches, in every unit."""
    return lambda _, text: re.sub(pattern, words, text, flags=re.MULTILINE)


class Fault(NamedTuple):
    """A row of the list: what is put back, and the check that must notice."""

    mark: pytest.MarkDecorator
    part: str
    """Of a row that is put back in two ways."""
    edit: Edit
    check: Callable[[Run], None]
    files: bool = False
    """Whether it is about logs in files."""


FAULTS = [
    Fault(
        pytest.mark.pitfall("D-SD1"), "", without(r"workers\.target", "Wants=.*schedule"), all_is_up
    ),
    Fault(
        pytest.mark.pitfall("D-SD2"), "", without(r"workers\.target", "Wants=.*reports"), all_is_up
    ),
    Fault(pytest.mark.pitfall("D-SD3"), "", without(r"\.service", "^PartOf="), a_restart_restarts),
    Fault(
        pytest.mark.pitfall("D-SD5"), "KillMode", without(r"worker@", "^KillMode="), a_job_survives
    ),
    Fault(
        pytest.mark.pitfall("D-SD5"),
        "time",
        without(r"worker@", "^TimeoutStopSec="),
        a_job_survives,
    ),
    Fault(pytest.mark.pitfall("D-SD6"), "", without(r"bench\.target", "^WantedBy="), it_is_enabled),
    Fault(pytest.mark.pitfall("D-SD7"), "", instead("append:", "file:"), lines_stay, files=True),
    Fault(pytest.mark.pitfall("D-SD8"), "", without(r"\.target", "^PartOf="), a_stop_stops),
    Fault(
        pytest.mark.pitfall("D-SD9"),
        "order",
        without(r"\.service", "^After=.*redis"),
        redis_is_first,
    ),
    Fault(
        pytest.mark.pitfall("D-SD9"),
        "limit",
        instead("^RestartSec=3s|^StartLimitIntervalSec=0", ""),
        nobody_gives_up,
    ),
    Fault(
        pytest.mark.pitfall("D-SD10"), "", instead("^User=(.*)$", r"User=\1\nGroup=\1"), all_is_up
    ),
    Fault(
        pytest.mark.pitfall("36"),
        "",
        instead("^Restart=always", "Restart=on-failure"),
        a_clean_end_is_none,
    ),
]


def install(run: Run, fault: Fault, edit: Edit) -> None:
    def chosen(plan: Plan) -> Plan:
        if not fault.files:
            return plan
        return plan._replace(systemd=plan.systemd._replace(logs=sourced("files")))

    run.systemctl("disable", TARGET)
    run.install(chosen, edit)


CASES = [
    pytest.param(fault, marks=fault.mark, id=f"{fault.mark.args[0]} {fault.part}".strip())
    for fault in FAULTS
]


@pytest.mark.matrix
@pytest.mark.parametrize("fault", CASES)
def test_a_fault_that_is_put_back_is_noticed(run: Run, fault: Fault) -> None:
    changed: list[str] = []

    def edit(name: str, text: str) -> str:
        faulty = fault.edit(name, text)
        changed.extend([name] if faulty != text else [])
        return faulty

    install(run, fault, edit)
    assert changed, "the fault changes nothing: its pattern is out of date"
    with pytest.raises(RED):
        fault.check(run)


def test_without_a_fault_every_check_is_green(run: Run) -> None:
    for check in dict.fromkeys(fault.check for fault in FAULTS if not fault.files):
        stop_all(run)
        check(run)
    stop_all(run)
    install(run, next(fault for fault in FAULTS if fault.files), as_it_is)
    lines_stay(run)
