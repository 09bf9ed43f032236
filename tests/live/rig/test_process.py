"""The rig's small parts: children that leave nothing, ports, tools, links."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.rig import place, procs, stacks, tools
from tests.support.rig.ports import ephemeral_start, free_ports, is_free
from tests.support.rig.process import Child
from tests.support.rig.waiting import TooLateError

ESCAPE = "setsid sh -c 'trap \"\" TERM; sleep 300; true' & trap '' TERM; echo up; sleep 300; true"


def test_a_stubborn_child_ends_with_everything_it_started(tmp_path: Path) -> None:
    child = Child(["sh", "-c", ESCAPE], log=tmp_path / "log", stop_wait=0.2)
    with child:
        child.wait_log("up")
        family = child.family()
        assert len(family) >= 3
    assert [pid for pid in family if procs.alive(pid)] == []
    assert child.process.returncode == -signal.SIGKILL


def test_a_child_that_dies_early_says_why(tmp_path: Path) -> None:
    child = Child(["sh", "-c", "echo out of luck; exit 3"], log=tmp_path / "log")
    with child, pytest.raises(TooLateError, match=r"ended with 3\nout of luck"):
        child.wait_port(1)


def test_a_child_has_a_plain_environment(tmp_path: Path) -> None:
    with Child(["env"], log=tmp_path / "log", env={"A": "1"}, cwd=tmp_path) as child:
        child.wait()
    names = {line.split("=")[0] for line in child.tail().splitlines()}
    assert names == {"PATH", "HOME", "LANG", "A", procs.MARK}


def test_a_mark_tells_whether_its_test_run_is_gone() -> None:
    own = procs.mark("x")
    assert not procs.is_orphan(own)
    assert procs.is_orphan(f"{os.getpid()}.1.x")
    assert procs.is_orphan("4194305.1.x")


def test_ports_are_distinct_free_and_below_the_ephemeral_range() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(is_free(port) and port < ephemeral_start() for port in ports)


def test_a_missing_program_skips_at_home_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not installed: no-such-thing"):
        tools.need("sh", "no-such-thing")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not installed: no-such-thing"):
        tools.need("no-such-thing")


def test_links_are_followed_inside_a_root(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "var").mkdir()
    (tmp_path / "var/run").symlink_to("/run")
    (tmp_path / "var/up").symlink_to("../../../run")
    assert place.inside(tmp_path, Path("/var/run/x")) == tmp_path / "run/x"
    assert place.inside(tmp_path, Path("/var/up/x")) == tmp_path / "run/x"


def test_a_stack_is_made_once() -> None:
    began = time.monotonic()
    first = stacks.stack("frappe15")
    assert (first / "gunicorn-23.0.0.dist-info").is_dir()
    middle = time.monotonic()
    assert stacks.stack("frappe15") == first
    assert time.monotonic() - middle < max(0.5, middle - began)
