"""The private supervisord, Debian's and the newest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support.rig import procs
from tests.support.rig.supervisord import Supervisord, debian, from_pypi
from tests.support.rig.waiting import TooLateError

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
[program:stubborn]
command=sh -c 'trap "" TERM; setsid sleep 300 & while :; do sleep 1; done'
stopwaitsecs=1500
startsecs=1
"""
BROKEN = "[program:broken]\ncommand=sh -c 'echo no luck; exit 1'\nstartsecs=1\nstartretries=0\n"


@pytest.mark.matrix_cases("pypi")
@pytest.mark.parametrize("origin", ["debian", "pypi"])
def test_programs_run_and_end_at_once(ground: Path, origin: str) -> None:
    commands = debian() if origin == "debian" else from_pypi()
    supervisor = Supervisord(ground / "supervisor", commands=commands)
    with supervisor:
        assert supervisor.processes() == {}
        supervisor.add("bench.conf", PROGRAM)
        assert "stubborn: added process group" in supervisor.ctl("update").stdout
        pids = supervisor.wait_running()
        assert list(pids) == ["stubborn:stubborn"]
        assert supervisor.ctl("status").stdout.split()[:2] == ["stubborn", "RUNNING"]
        family = procs.descendants(supervisor.child.pid)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert len(family) >= 3
    assert [pid for pid in family if procs.alive(pid)] == []


def test_a_program_that_fails_is_reported_with_its_log(ground: Path) -> None:
    supervisor = Supervisord(ground / "supervisor")
    supervisor.add("bench.conf", BROKEN)
    with (
        supervisor,
        pytest.raises(TooLateError, match=r"broken:broken (BACKOFF|FATAL)[\s\S]*no luck"),
    ):
        supervisor.wait_running(1.5)
