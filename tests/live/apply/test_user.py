"""`prodgen apply` for units of a user: no root, and nothing of root's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live.applying import Host, host
from tests.support.live.restarting import ENVIRONMENT, Ended, plain_command
from tests.support.live.systemd_bench import HOME, NAME, PATH, USER
from tests.support.rig.waiting import wait_for

RUNTIME = "/run/user/1001"
STATE = HOME / ".local/state/prodgen" / NAME
UNITS = HOME / ".config/systemd/user"


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("systemd", supervisor=False) as made:
        made.set(systemd={"scope": "user"})
        made.machine.run(["loginctl", "enable-linger", USER])
        wait_for(made.machine.real(Path(RUNTIME, "bus")).exists, 20, "its manager")
        yield made


def as_user(run: Host, *words: str) -> Ended:
    """Run prodgen as the bench's user."""
    own = {
        **ENVIRONMENT,
        "HOME": str(HOME),
        "XDG_RUNTIME_DIR": RUNTIME,
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={RUNTIME}/bus",
    }
    variables = [f"{key}={value}" for key, value in own.items()]
    target = [] if "--rollback" in words else ["-t", "systemd"]
    argv = ["env", "-i", *variables, *plain_command(), *words, *target, "-C", str(PATH)]
    done = run.machine.run(argv, check=False, user=USER, timeout=180)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_it_needs_no_root(run: Host) -> None:
    ended = as_user(run, "apply", "--yes")
    assert ended.code == 0, ended
    assert f"{NAME}.target" in run.shell(f"ls {UNITS}")
    assert "manifest.json" in run.shell(f"ls {STATE}")
    assert run.shell("ls /etc/systemd/system | grep -e prodgen -e frappe", check=False) == ""
    again = as_user(run, "apply", "--yes")
    assert (again.code, again.err.splitlines()[-1]) == (0, "no change")


@pytest.mark.matrix
def test_it_goes_back(run: Host) -> None:
    run.configure(gunicorn_workers=6)
    assert as_user(run, "apply", "--yes").code == 0
    ended = as_user(run, "apply", "--rollback", "--yes")
    assert ended.code == 0, ended
    assert as_user(run, "diff", "--detailed-exitcode").code == 2


def test_root_writes_nothing_in_a_home(run: Host) -> None:
    run.configure(gunicorn_workers=8)
    files = f"find {UNITS} {STATE} -type f -exec sha256sum {{}} + 2>/dev/null"
    before = run.shell(files, check=False)
    ended = run.prodgen("apply", "--yes", "-t", "systemd")
    assert ended.code == 1
    assert f"in the home of {USER}, where root writes nothing" in ended.err
    assert run.shell(files, check=False) == before
