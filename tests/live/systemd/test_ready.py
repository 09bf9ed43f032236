"""An instance counts as started once a worker has the application: told through the sandbox."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.systemd_bench import Edit, Figure, Run, as_it_is, booted, with_gunicorn
from tests.support.rig import bench_files as files
from tests.support.rig import stacks
from tests.support.rig.waiting import wait_for

APP = "apps/frappe/frappe/app.py"
LOADS = "logs/database.log"
SOUND = (files.STANDIN / "frappe/app.py").read_text()
BROKEN = "raise RuntimeError('a bad deploy')\n"
GUNICORNS = {"frappe13": "20.1.0", "frappe16": "23.0.0", "newest": "25.1"}
"""By stack; of the newest at least so much is known."""
EACH = 3
"""Workers of each instance."""
SOON = 20
"""Seconds; the graceful time-out, in which a master may hang, is 120."""


@pytest.fixture(scope="module")
def machine_run() -> Iterator[Run]:
    with booted(up=False, config={"gunicorn_workers": 2 * EACH}) as run:
        yield run


def begin(run: Run, stack: str, *, preload: bool, edit: Edit = as_it_is) -> list[str]:
    """The web tier on the Gunicorn of a stack, both instances up with a sound application."""
    run.systemctl("stop", *run.units_of(Role.WEB))
    own = run.bench.file(str(run.bench.packages / "gunicorn"))
    shutil.rmtree(own)
    shutil.copytree(stacks.stack(stack) / "gunicorn", own)
    if stack == "frappe13":
        for name in ("pkg_resources", "setuptools"):
            folder = own.with_name(name)
            shutil.copytree(stacks.stack(stack) / name, folder, dirs_exist_ok=True)
    run.bench.file(APP).write_text(SOUND)
    run.facts["gunicorn"] = GUNICORNS[stack]
    run.install(lambda plan: with_gunicorn(plan, preload=preload), edit)
    units = run.units_of(Role.WEB)
    run.bench.file(LOADS).unlink(missing_ok=True)
    run.systemctl("start", *units)
    wanted = len(units) * (1 if preload else EACH)
    wait_for(lambda: loads(run) == wanted, 20, "every process that loads the application")
    return units


def loads(run: Run) -> int:
    """How many processes have loaded the application."""
    return len({line.split()[1] for line in run.bench.read(LOADS).splitlines()})


def status(run: Run, unit: str) -> str:
    """What the unit's service says of itself."""
    return run.systemctl("show", "-p", "StatusText", "--value", unit).strip()


def said_ready(run: Run, unit: str) -> bool:
    """Whether systemd takes the unit for started although its application is broken."""
    run.bench.file(APP).write_text(BROKEN)
    argv = ["systemctl", "restart", unit]
    return run.machine.run(argv, check=False).returncode == 0


@pytest.mark.matrix_cases("frappe13", "newest", "no-preload")
@pytest.mark.parametrize("preload", [True, False], ids=["preload", "no-preload"])
@pytest.mark.parametrize("stack", GUNICORNS)
def test_a_broken_application_is_never_ready(
    machine_run: Run, stack: str, *, preload: bool, figure: Figure
) -> None:
    run = machine_run
    first, second = begin(run, stack, preload=preload)
    assert status(run, first) == "The application is loaded"
    kept = run.pids()[second]
    began = time.monotonic()
    assert not said_ready(run, first)
    took = time.monotonic() - began
    assert took < SOON
    wait_for(lambda: run.states()[first].restarts >= 1, SOON, "another try")
    assert run.states()[first].active in ("activating", "failed")
    assert run.pids()[second] == kept
    assert run.bench.web_answers()
    run.bench.file(APP).write_text(SOUND)
    wait_for(lambda: run.states()[first].active == "active", SOON, "the mended application")
    figure(f"Gunicorn {GUNICORNS[stack]}, preload {preload}: given up after {took:.1f} s")


@pytest.mark.matrix
def test_gunicorns_own_word_would_come_too_early(machine_run: Run) -> None:
    """The fault put back: the master says it, as Gunicorn does by itself."""

    def edit(_: str, text: str) -> str:
        return text.replace('os.environ.pop("NOTIFY_SOCKET", None)', "None")

    first, _ = begin(machine_run, "frappe16", preload=False, edit=edit)
    assert said_ready(machine_run, first)
