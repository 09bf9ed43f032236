"""Whether supervisord runs a process by what is installed, setting by setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.managers.supervisor import loaded_config
from prodgen.deploy.managers.supervisor.loaded_config import (
    agrees,
    program_of,
    runs_as_installed,
    variables,
)
from prodgen.plan.core.model import Role
from tests.support.fakes.children import Children
from tests.support.fakes.recorder import services

TEXT = """\
[program:w]
command=run --number %%(process_num)d
process_name=%%(program_name)s-%%(process_num)d
numprocs=2
stopsignal={signal}
stopwaitsecs={seconds}
autostart=true
environment={environment}

[group:g]
programs=w
"""
TOLD: dict[str, object] = {
    "command": "run --number 1", "stopsignal": 15, "stopwaitsecs": 390, "autostart": True,
}  # fmt: skip


def text(*, signal: str = "TERM", seconds: int = 390, environment: str = 'A="1",B="x=%%y"') -> str:
    return TEXT.format(signal=signal, seconds=seconds, environment=environment).replace("%%(", "%(")


def is_as_told(config: str, **told: object) -> bool:
    program = program_of("g:w-1", config)
    assert program is not None
    return agrees(program, "w-1", TOLD | told)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, True),
        ({"command": "run --number 0"}, False),
        ({"stopsignal": 2}, False),
        ({"stopwaitsecs": 10}, False),
        ({"autostart": False}, False),
        ({"directory": "/tmp"}, True),  # the file says nothing of it
    ],
)
def test_one_setting(told: dict[str, object], *, expected: bool) -> None:
    assert is_as_told(text(), **told) is expected


@pytest.mark.parametrize("spelling", ["TERM", "term", "SIGTERM"])
def test_signals_have_many_spellings(spelling: str) -> None:
    assert is_as_told(text(signal=spelling))


def test_a_word_that_is_no_signal_is_compared_as_it_is() -> None:
    assert not is_as_told(text(signal="NONE"))


def test_what_no_file_makes() -> None:
    assert program_of("g:w-2", text()) is None
    assert program_of("other:w-1", text()) is None


def test_variables() -> None:
    assert variables('A="1,2",B=\'x=y\',C=3,D="a%%b"') == {
        "A": "1,2", "B": "x=y", "C": "3", "D": "a%b",
    }  # fmt: skip


def process(role: Role, pid: int) -> Process:
    return Process(name="g:w-1", service=services(role)[0], pid=pid)


def child(kids: Children, **environment: str) -> int:
    """A process that was started with these variables alone."""
    pairs = [f"{name}={value}" for name, value in environment.items()]
    pid = kids.start(("env", "-i", *pairs, "/bin/sleep", "600"))
    while b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
        pass
    return pid


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"SUPERVISOR_PROCESS_NAME": "w-1", "A": "1", "B": "x=%y", "C": "more"}, True),
        ({"SUPERVISOR_PROCESS_NAME": "w-1", "A": "2", "B": "x=%y"}, False),
        ({"SUPERVISOR_PROCESS_NAME": "w-1", "A": "1"}, False),
        ({"A": "1", "B": "x=%y"}, False),  # nobody can tell what it was started with
    ],
)
def test_the_environment_is_the_process_s_own(
    kids: Children, given: dict[str, str], *, expected: bool
) -> None:
    one = process(Role.WORKER, child(kids, **given))
    assert runs_as_installed(one, TOLD, text(environment='A="1",B="x=%%y"')) is expected


def test_redis_writes_over_its_environment(kids: Children) -> None:
    one = process(Role.QUEUE, child(kids, X="1"))
    assert runs_as_installed(one, TOLD, text())
    assert not runs_as_installed(one, TOLD | {"command": "other"}, text())


def test_one_that_is_gone_has_no_environment() -> None:
    assert loaded_config._environment(4_000_000) == {}
    assert not runs_as_installed(process(Role.WORKER, 4_000_000), TOLD, text())
