"""`prodgen doctor` on what the host forbids, and on benches that share it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodgen.deploy.privilege.sudo import sudoers_file
from prodgen.host.run_as import identity_named
from tests.support.live.doctoring import by_check, examine_after, only
from tests.support.live.restarting import bench_up, prodgen
from tests.support.live.supervised import USER, Supervised
from tests.support.live.systemd_bench import USER as MACHINE_USER
from tests.support.live.systemd_bench import Run
from tests.support.rig.bench import make_bench
from tests.support.rig.place import HOST

TOOL = "/usr/local/sbin"
"""Where doctor looks for programs first."""


@pytest.fixture(scope="module")
def run() -> Iterator[Supervised]:
    with tempfile.TemporaryDirectory(prefix="prodgen-rig-") as folder:
        Path(folder).chmod(0o755)
        with bench_up("supervisor", Path(folder)) as made:
            assert isinstance(made, Supervised)
            made.wait_running()
            yield made


@pytest.fixture(scope="module")
def booted() -> Iterator[Run]:
    with bench_up("systemd", Path()) as made:
        assert isinstance(made, Run)
        yield made


def selinux(enforces: int, answer: str) -> str:
    """A kernel that says so, and a getsebool(8) that answers so."""
    return (
        f"mount -t tmpfs none /sys/fs; mkdir /sys/fs/selinux; echo {enforces} "
        f">/sys/fs/selinux/enforce; mount -t tmpfs none {TOOL}; "
        f"printf '#!/bin/sh\\necho \"$1 --> {answer}\"\\n' >{TOOL}/getsebool; "
        f"chmod 755 {TOOL}/getsebool"
    )


@pytest.mark.matrix
@pytest.mark.pitfall("28")
def test_selinux(run: Supervised) -> None:
    one = only(examine_after(run, selinux(1, "off")), "SELinux", "bad")
    assert "setsebool -P httpd_can_network_connect on" in one["fix"]
    assert str(run.bench.path) in one["fix"]
    assert only(examine_after(run, selinux(1, "on")), "SELinux", "good")
    assert "not enforce" in only(examine_after(run, selinux(0, "off")), "SELinux", "good")["text"]
    assert "SELinux" not in examine_after(run, "true")


def test_apparmor(run: Supervised, ground: Path) -> None:
    """The kernel's word on one process, put before its own file in /proc."""
    on = (
        "mount -t tmpfs none /sys/module; mkdir -p /sys/module/apparmor/parameters; "
        "echo Y >/sys/module/apparmor/parameters/enabled; "
    )
    pid = next(pid for name, pid in run.pids().items() if "redis-queue" in name)
    label = ground / "label"
    label.write_text("redis (enforce)\n")
    words = examine_after(run, f"{on} mount --bind {label} /proc/{pid}/attr/current")
    one = only(words, "AppArmor", "warning")
    assert "the profile redis confines" in one["text"]
    assert "redis-queue" in one["text"]
    assert one["fix"].endswith("aa-complain redis")
    label.write_text("redis (complain)\n")
    again = examine_after(run, f"{on} mount --bind {label} /proc/{pid}/attr/current")
    assert only(again, "AppArmor", "good")
    assert "AppArmor" not in examine_after(run, "true")


def test_another_bench_of_the_same_name(run: Supervised, ground: Path) -> None:
    other = make_bench(ground / run.name, user=USER)
    words = ("doctor", "--format", "json", "--supervisor-config", str(run.supervisor.config))
    twin = Supervised(other, run.supervisor, run.facts)
    one = only(by_check(prodgen(twin, *words).out), "benches", "bad")
    assert f"the bench {run.bench.path} is called {run.name} too" in one["text"]
    assert "bench_name" in one["fix"]
    assert "benches" not in by_check(prodgen(run, *words).out)


@pytest.mark.pitfall("D-SU1")
def test_who_may_not_restart_gets_lines_for_sudo(run: Supervised) -> None:
    found = by_check(prodgen(run, "doctor", "--format", "json").out)["rights"]
    assert [one["grade"] for one in found] == ["warning"]
    assert "may not restart the bench" in found[0]["text"]
    user = identity_named(USER)
    assert user is not None
    if "for root alone" not in found[0]["fix"]:
        assert f" {sudoers_file(user, run.name)} && " in found[0]["fix"]
        assert not re.search(r"supervisorctl|\*|ALL:|NOPASSWD: ALL", found[0]["fix"])
    os.chown(run.supervisor.socket, 0, HOST.owner(USER)[1])
    run.supervisor.socket.chmod(0o770)
    try:
        found = by_check(prodgen(run, "doctor", "--format", "json").out)["rights"]
        assert [one["grade"] for one in found] == ["good"]
        done = prodgen(run, "restart", "realtime", user=USER)
        assert done.code == 0, done
    finally:
        run.supervisor.socket.chmod(0o700)


def test_the_clock_as_the_kernel_has_it(booted: Run) -> None:
    found = by_check(prodgen(booted, "doctor", "--format", "json").out)
    [one] = found["clock"]
    shown = booted.machine.run(["timedatectl", "show", "--property=NTPSynchronized"]).stdout
    assert one["grade"] == ("good" if "yes" in shown else "warning")


def test_polkit_lets_nobody_by_itself(booted: Run) -> None:
    [one] = by_check(prodgen(booted, "doctor", "--format", "json").out)["rights"]
    assert one["grade"] == "warning"
    assert MACHINE_USER in one["text"]
