"""Settings that the impact calls "read anew": after a daemon-reload systemd goes by them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from prodgen.targets.systemd.effects import LIVE
from tests.support.rig.machine import Machine
from tests.support.rig.waiting import wait_for

BEFORE = {
    "CPUQuota": "50%", "CPUWeight": "50", "ExecReload": "/bin/true", "ExecStop": "/bin/true a",
    "ExecStopPost": "/bin/true a", "FinalKillSignal": "SIGKILL", "IOWeight": "50",
    "KillMode": "control-group", "KillSignal": "SIGTERM", "MemoryHigh": "300M",
    "MemoryLow": "1M", "MemoryMax": "400M", "MemoryMin": "1M", "MemorySwapMax": "1M",
    "NotifyAccess": "main", "OOMPolicy": "continue", "Restart": "no",
    "RestartForceExitStatus": "3", "RestartKillSignal": "SIGTERM", "RestartPreventExitStatus": "4",
    "RestartSec": "1", "SendSIGHUP": "no", "SendSIGKILL": "yes", "StartupCPUWeight": "50",
    "StartupIOWeight": "50", "SuccessExitStatus": "5", "TasksMax": "50", "TimeoutAbortSec": "50",
    "TimeoutStartFailureMode": "terminate", "TimeoutStartSec": "50",
    "TimeoutStopFailureMode": "terminate", "TimeoutStopSec": "50",
}  # fmt: skip
AFTER = {
    "CPUQuota": "70%", "CPUWeight": "70", "ExecReload": "/bin/true b", "ExecStop": "/bin/true b",
    "ExecStopPost": "/bin/true b", "FinalKillSignal": "SIGABRT", "IOWeight": "70",
    "KillMode": "mixed", "KillSignal": "SIGINT", "MemoryHigh": "310M",
    "MemoryLow": "2M", "MemoryMax": "410M", "MemoryMin": "2M", "MemorySwapMax": "2M",
    "NotifyAccess": "all", "OOMPolicy": "kill", "Restart": "always",
    "RestartForceExitStatus": "6", "RestartKillSignal": "SIGINT", "RestartPreventExitStatus": "7",
    "RestartSec": "2", "SendSIGHUP": "yes", "SendSIGKILL": "no", "StartupCPUWeight": "70",
    "StartupIOWeight": "70", "SuccessExitStatus": "8", "TasksMax": "70", "TimeoutAbortSec": "70",
    "TimeoutStartFailureMode": "abort", "TimeoutStartSec": "70",
    "TimeoutStopFailureMode": "abort", "TimeoutStopSec": "70",
}  # fmt: skip
NEWER = {"RestartSteps", "RestartMaxDelaySec"}
"""Since systemd 254."""
ALIASES = {"TimeoutSec"}
"""For settings that are tried."""
STUBBORN = "/bin/sh -c 'trap : TERM; while :; do sleep 0.1; done'"
FAMILY = '/bin/sh -c \'trap "echo parent" TERM; (trap "echo child" TERM; sleep 3) & wait; wait\''
OWN = re.compile(
    r"^(Id|Names|After|Before|.*Path|.*PID|.*Timestamp.*|InvocationID|ControlGroup.*|Job|.*NSec|Memory.*Current"
    r"|.*Available|Effective.*|TasksCurrent|Description|.*Result|NeedDaemonReload|ExecMain.*)$"
)
"""Properties of systemctl that are a unit's own, whatever its settings are."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Machine]:
    with Machine() as booted:
        yield booted


def write(machine: Machine, name: str, settings: dict[str, str], command: str = "") -> None:
    """A unit with these settings, and a daemon-reload."""
    lines = "\n".join(f"{key}={value}" for key, value in settings.items())
    text = f"[Service]\nExecStart={command or '/bin/sleep 1000'}\n{lines}\n"
    machine.put(f"/etc/systemd/system/{name}", text)
    machine.run(["systemctl", "daemon-reload"])


def show(machine: Machine, name: str) -> dict[str, str]:
    """What systemd goes by, without what tells one unit from another."""
    lines = machine.run(["systemctl", "show", name]).stdout.splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: re.sub(r"(pid|time|code|status)=[^;]*", "", value)
            for key, value in pairs if not OWN.match(key)}  # fmt: skip


def pid(machine: Machine, name: str) -> int:
    return int(machine.run(["systemctl", "show", "-P", "MainPID", name]).stdout)


def test_the_list_is_what_is_tried() -> None:
    assert BEFORE.keys() == AFTER.keys() == LIVE - NEWER - ALIASES


@pytest.mark.matrix
def test_a_unit_that_runs_takes_each_as_a_new_one_does(shared: Machine) -> None:
    write(shared, "live.service", BEFORE)
    shared.run(["systemctl", "start", "live"])
    old, before = show(shared, "live"), pid(shared, "live")
    write(shared, "live.service", AFTER)
    write(shared, "fresh.service", AFTER)
    shared.run(["systemctl", "start", "fresh"])
    fresh, live = show(shared, "fresh"), show(shared, "live")
    moved = {key for key in old if old[key] != fresh.get(key)}
    assert len(moved) >= len(AFTER)
    assert {key: live[key] for key in moved} == {key: fresh[key] for key in moved}
    assert pid(shared, "live") == before
    assert attributes(shared, "live") == attributes(shared, "fresh")
    shared.run(["systemctl", "kill", "--signal=KILL", "live", "fresh"])


def attributes(machine: Machine, name: str) -> list[str]:
    """What a process got at its start and keeps: what stands here needs a restart to change."""
    number = pid(machine, name)
    own = f"/proc/{number}"
    lines = machine.run(["sh", "-c", f"""
        cat {own}/limits {own}/oom_score_adj {own}/loginuid {own}/coredump_filter
        tr '\\0' '\\n' < {own}/environ; cut -d' ' -f5,6,9- {own}/mountinfo
        grep -E '^(Umask|Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Cpus_allowed)' {own}/status
        readlink {own}/cwd {own}/root {own}/ns/net {own}/ns/ipc {own}/ns/uts
        for one in 0 1 2; do readlink {own}/fd/$one | sed 's/[0-9]*]/]/'; done
        ionice -p {number}; cut -d' ' -f18,19,41 {own}/stat
        tr '\\0' ' ' < {own}/cmdline"""]).stdout.splitlines()  # fmt: skip
    own_words = ("INVOCATION_ID", "SYSTEMD_EXEC_PID", "JOURNAL_STREAM")
    return [line for line in lines if not line.startswith(own_words)]


def test_the_kernel_takes_the_limits_that_it_has(shared: Machine) -> None:
    write(shared, "limits.service", {"TasksMax": "50", "CPUWeight": "50", "MemoryMax": "400M"})
    shared.run(["systemctl", "start", "limits"])
    write(shared, "limits.service", {"TasksMax": "70", "CPUWeight": "70", "MemoryMax": "410M"})
    group = shared.run(["systemctl", "show", "-P", "ControlGroup", "limits"]).stdout.strip()
    wanted = {"pids.max": "70", "cpu.weight": "70", "memory.max": str(410 * 1024**2)}
    found = {}
    for name in wanted:
        words = ["sh", "-c", f"cat /sys/fs/cgroup{group}/{name}"]
        done = shared.run(words, check=False)
        if done.returncode == 0:
            found[name] = done.stdout.strip()
    shared.run(["systemctl", "stop", "limits"])
    if not found:
        pytest.skip("this machine gives out no controller of cgroup v2")
    assert found == {name: wanted[name] for name in found}


def test_a_new_stop_time_counts(shared: Machine) -> None:
    write(shared, "stubborn.service", {"TimeoutStopSec": "60"}, STUBBORN)
    shared.run(["systemctl", "start", "stubborn"])
    write(shared, "stubborn.service", {"TimeoutStopSec": "1"}, STUBBORN)
    shared.run(["systemctl", "stop", "stubborn"], timeout=20)
    assert shared.run(["systemctl", "show", "-P", "Result", "stubborn"]).stdout == "timeout\n"


def test_a_new_way_to_kill_counts(shared: Machine) -> None:
    """The child of a `mixed` one hears nothing before its parent has ended."""
    write(shared, "family.service", {"KillMode": "control-group"}, FAMILY)
    shared.run(["systemctl", "start", "family"])
    write(shared, "family.service", {"KillMode": "mixed"}, FAMILY)
    shared.run(["systemctl", "stop", "family"], timeout=30)
    said = shared.run(["journalctl", "-u", "family", "--output=cat", "--no-pager"]).stdout
    assert "parent" in said
    assert "child" not in said.splitlines()


def test_a_new_restart_counts(shared: Machine) -> None:
    write(shared, "again.service", {"Restart": "no", "RestartSec": "100ms"})
    shared.run(["systemctl", "start", "again"])
    before = pid(shared, "again")
    write(shared, "again.service", {"Restart": "always", "RestartSec": "100ms"})
    shared.run(["systemctl", "kill", "--signal=KILL", "again"])
    wait_for(lambda: pid(shared, "again") not in (0, before), 10, "its return")
    shared.run(["systemctl", "stop", "again"])
