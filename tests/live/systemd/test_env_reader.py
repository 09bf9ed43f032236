"""systemd reads the file of secrets as the reader does: every value, from any path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from prodgen.targets.systemd.escape import env_file
from tests.support.rig.machine import Machine
from tests.support.secret_files import VALUES, file_of
from tests.targets.env_reader.test_render import variables

pytestmark = pytest.mark.live

OUT = Path("/run/seen")
UNIT = "/run/systemd/system/reading.service"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as booted:
        yield booted


def read_by_systemd(machine: Machine, path: str) -> dict[str, str]:
    """The variables of a service whose unit names the file at `path`."""
    command = f"/bin/sh -c 'exec cat /proc/self/environ > {OUT}'"
    machine.put(
        UNIT, f"[Service]\nType=oneshot\nEnvironmentFile={env_file(path)}\nExecStart={command}\n"
    )
    machine.real(OUT).unlink(missing_ok=True)
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "start", "reading"])
    own = ("INVOCATION_ID", "JOURNAL_STREAM", "LANG", "SYSTEMD_EXEC_PID")
    found = variables(machine.real(OUT).read_bytes())
    return {key: value for key, value in found.items() if key not in own}


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(VALUES)
@example(["$HOME", "`id`", "%n", "'", '"', "\\", "\\\\", "a\\", "#", ";", " x ", " ", "", "*", "~"])
def test_every_value_arrives_as_it_is(machine: Machine, values: list[str]) -> None:
    text, expected = file_of(values)
    machine.put("/etc/secrets", text, mode=0o600)
    assert read_by_systemd(machine, "/etc/secrets") == expected


@pytest.mark.parametrize(
    "name", ["a b", "50%", "%n", "*", "?", "[a-z]", "a\\b", "-x", "$HOME", "größe", "a;b", "'"]
)  # fmt: skip
def test_the_path_is_no_pattern(machine: Machine, name: str) -> None:
    folder = Path("/etc/odd")
    machine.put(folder / "z", "DECOY='1'\n")
    machine.put(folder / "m", "DECOY='1'\n")
    machine.put(folder / name, "A='right'\n")
    assert read_by_systemd(machine, str(folder / name)) == {"A": "right"}
