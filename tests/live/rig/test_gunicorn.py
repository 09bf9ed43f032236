"""Gunicorn under the settings that prodgen writes for it, without any manager."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from prodgen.targets.gunicorn.render import render_gunicorn
from tests.support.rig import procs, stacks
from tests.support.rig.ports import free_ports
from tests.support.rig.process import Child
from tests.support.rig.waiting import wait_for
from tests.support.systemd_plans import make_plan

BROKEN = """\
import os, time
while not os.path.exists("go"):
    time.sleep(0.01)
raise RuntimeError("a bad deploy")
"""
WORKERS = 3
HANGS = 5
"""Seconds of the graceful time-out; a master that notices every end needs a fraction of one."""
CHANGED = re.compile("^(preload_app|graceful_timeout|workers) = .*$", re.MULTILINE)
SLOW_FORK = """
def post_fork(server, worker):
    import time
    time.sleep(1)
"""
"""A busy machine, which lets a new worker wait for a CPU."""


def settings(version: str) -> str:
    """What prodgen writes for this Gunicorn."""
    [artifact], _ = render_gunicorn(make_plan(gunicorn=version))
    return artifact.text


def master_of(ground: Path, stack: str, text: str, app: str) -> Child:
    """A Gunicorn with these settings, but without preload, and with a shorter time-out."""
    own = f"preload_app = False\ngraceful_timeout = {HANGS}\nworkers = {WORKERS}\n"
    (ground / "gunicorn.conf.py").write_text(CHANGED.sub("", text) + own)
    apps = ground / "apps"  # nothing is imported from the folder that it runs in
    apps.mkdir(exist_ok=True)
    (apps / "app.py").write_text(app)
    argv = [str(stacks.bench_python()), "-m", "gunicorn", "-b", f"127.0.0.1:{free_ports(1)[0]}"]
    argv += ["-c", "gunicorn.conf.py", "app:application"]
    env = {"PYTHONPATH": f"{stacks.stack(stack)}:{apps}"}
    return Child(argv, log=ground / "log", cwd=ground, env=env)


def ends_after_failure(ground: Path, stack: str, text: str) -> float:
    """Seconds from the moment at which all workers have failed to the end of their master.

    It is held meanwhile, as on a busy machine, so that one SIGCHLD stands for all of them.
    """
    with master_of(ground, stack, text, BROKEN) as master:
        wait_for(lambda: len(procs.descendants(master.pid)) == WORKERS, 10, "the workers")
        master.send(signal.SIGSTOP)
        (ground / "go").touch()
        wait_for(lambda: not procs.descendants(master.pid), 20, "the workers to fail")
        began = time.monotonic()
        master.send(signal.SIGCONT)
        assert master.wait(HANGS + 10) != 0
        return time.monotonic() - began


def ends_after_stop(ground: Path, stack: str, text: str) -> float:
    """Seconds from SIGTERM to the end of a master whose workers have only just been made."""
    with master_of(ground, stack, text + SLOW_FORK, "application = print\n") as master:
        wait_for(lambda: len(procs.descendants(master.pid)) == WORKERS, 10, "the workers")
        began = time.monotonic()
        master.send(signal.SIGTERM)
        master.wait(HANGS + 10)
        return time.monotonic() - began


@pytest.mark.matrix_cases("20.1.0", "25.1")
@pytest.mark.parametrize(
    ("stack", "version", "has_fix"),
    [("frappe13", "20.1.0", True), ("frappe16", "23.0.0", True), ("newest", "25.1", False)],
)
def test_a_broken_application_ends_the_master_at_once(
    ground: Path, stack: str, version: str, *, has_fix: bool
) -> None:
    assert ("reap_all" in settings(version)) is has_fix
    assert ends_after_failure(ground, stack, settings(version)) < HANGS / 2


@pytest.mark.matrix_cases("20.1.0", "25.1")
@pytest.mark.parametrize(
    ("stack", "version"), [("frappe13", "20.1.0"), ("frappe16", "23.0.0"), ("newest", "25.1")]
)
def test_a_stop_reaches_workers_that_are_just_made(ground: Path, stack: str, version: str) -> None:
    assert ends_after_stop(ground, stack, settings(version)) < HANGS / 2


@pytest.mark.matrix
def test_gunicorn_23_would_miss_the_end_of_some(ground: Path) -> None:
    """The fault put back."""
    text = settings("23.0.0").replace("server.reap_workers = reap_all", "del reap_all")
    assert ends_after_failure(ground, "frappe16", text) > HANGS - 1


@pytest.mark.matrix
def test_workers_that_are_just_made_would_miss_a_stop(ground: Path) -> None:
    """The fault put back."""
    text = settings("23.0.0").replace("server.spawn_worker = spawn_deaf", "del spawn_deaf")
    assert ends_after_stop(ground, "frappe16", text) > HANGS - 1
