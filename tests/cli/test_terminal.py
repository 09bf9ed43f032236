"""What a terminal of 80 columns shows: prose fits, and colour is there unless it is not wanted."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.command import COMMAND, PLAIN_ENVIRONMENT, copy_bench
from tests.support.rig.tools import need_terminal

COLUMNS = 80
READING = {
    "": "prodgen --help",
    "validate": "taken from this machine",
    "validate --env nowhere": "error[PG",
    "plan": "SERVICE",
    "explain frappe-web.instances": "memory",
    "explain frappe-web.queues": "it takes no jobs",
    "explain PG500": "PG500",
    "explain nothing": "nothing is called",
    "status --supervisor-config /none.conf": "PG903",
    "doctor --supervisor-config /none.conf": "bad ",
    "templates": "Missing command",
    "--help": "Usage",
}


def shown(words: str, bench: Path, env: Mapping[str, str]) -> str:
    """What the command writes to a terminal that both its streams are."""
    need_terminal()
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, COLUMNS, 0, 0))
    environment = {**PLAIN_ENVIRONMENT, "TERM": "xterm-256color", **env}
    with subprocess.Popen(
        [*COMMAND, *words.split()], cwd=bench, env=environment, stdin=slave, stdout=slave,
        stderr=slave, close_fds=True,
    ):  # fmt: skip
        os.close(slave)
        said = b"".join(iter(lambda: _read(master), b""))
    os.close(master)
    return said.decode().replace("\r\n", "\n")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # what Linux says when the last one has closed it
        return b""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A bench with a supervisord that is nowhere, and much to say about."""
    bench = copy_bench(tmp_path / "frappe-bench")
    (bench / "prodgen.yaml").write_text("version: 1\nhost: {memory: 8G, cpus: 4}\n")
    return bench


@pytest.mark.parametrize("words", READING)
def test_prose_fits(words: str, bench: Path) -> None:
    said = shown(words, bench, {"NO_COLOR": "1"})
    assert READING[words] in said
    assert "\x1b" not in said
    long = [line for line in said.splitlines() if len(line) > COLUMNS]
    whole = (str(bench), " fix: ")  # a path is not broken, nor is a command
    of_words = [line for line in long if len(line.split()) > 1]
    assert [line for line in of_words if not any(word in line for word in whole)] == []


def test_colour_is_for_those_who_want_it(bench: Path) -> None:
    painted = shown("validate --env nowhere", bench, {})
    plain = shown("validate --env nowhere", bench, {"NO_COLOR": "1"})
    assert set(re.findall(r"\x1b\[(\d+)m", painted)) == {"0", "1", "31"}
    assert re.sub(r"\x1b\[\d*m", "", painted) == plain
