"""bench's own commands work on what prodgen writes: frappe-bench 5.31.1 from PyPI."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from prodgen.targets.supervisor.groups import groups
from tests.support.live.supervised import (
    HOME,
    USER,
    Edit,
    Figure,
    Supervised,
    commands_of,
    supervised,
)
from tests.support.rig import stacks
from tests.support.rig.place import HOST
from tests.support.rig.tools import need
from tests.support.rig.waiting import wait_for

PACKAGES = ("frappe-bench==5.31.1",)


def bench_packages() -> Path:
    """The folder that frappe-bench and what it needs lie in, installed on first use."""
    python = stacks.python_version(stacks.bench_python())
    folder = stacks.cache_folder() / f"bench531-py{python[0]}{python[1]}"
    if not folder.is_dir():
        with stacks.locked(folder.parent):
            if not folder.is_dir():
                stacks.install(PACKAGES, folder, python)
    return folder


PRODUCTION = {"restart_supervisor_on_update": True}
"""`bench restart --web` does nothing without it."""


def by_pool(plan: Plan) -> Plan:
    """The plan with `supervisor.groups: pool`."""
    options = plan.supervisor
    return plan._replace(supervisor=options._replace(groups=Sourced("pool", options.groups.origin)))


def bench_command(run: Supervised, tools: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`bench …` as root, which bench leaves for the bench's user at once."""
    packages = tools / "packages"
    if not packages.is_dir():  # the checkout may be in a folder that only root may enter
        shutil.copytree(bench_packages(), packages)
    patches = packages / "bench/patches/patches.txt"  # as `bench init` copies it
    shutil.copy(patches, run.bench.file("patches.txt"))
    os.chown(run.bench.file("patches.txt"), *HOST.owner(USER))
    control = shlex.join([*run.supervisor.client, "-c", str(run.supervisor.config)])
    wrapper = tools / "supervisorctl"
    wrapper.write_text(f'#!/bin/sh\nexec {control} "$@"\n')
    wrapper.chmod(0o755)
    os.chown(run.supervisor.socket, *HOST.owner(USER))  # as supervisord.conf's chown= would
    environment = {
        "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(HOME),
        "PYTHONPATH": str(packages),
        "CI": "1",
        "LANG": "C.UTF-8",
    }
    script = "import sys; from bench.cli import cli; sys.argv[0] = 'bench'; cli()"
    return subprocess.run(
        [str(stacks.bench_python()), "-c", script, *words],
        cwd=run.bench.path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def make_clone(run: Supervised) -> None:
    """Turn apps/frappe into what `bench update` takes for a clone of a repository."""
    own = ["-c", "user.name=rig", "-c", "user.email=rig@localhost"]
    for words in (
        ["init", "-q", "-b", "version-15", "."],
        ["add", "frappe/__init__.py"],
        [*own, "commit", "-q", "-m", "first"],
        ["update-ref", "refs/remotes/upstream/version-15", "HEAD"],
    ):
        argv = [need("git"), "-C", str(run.bench.path / "apps/frappe"), *words]
        environment = {"HOME": str(HOME), "PATH": "/usr/bin:/bin"}
        subprocess.run(HOST.argv(argv, USER), check=True, env=environment)


def runs_new_code(run: Supervised, before: dict[str, int], version: str) -> None:
    """Every process but Redis is another one, the web says so, and so does a job."""
    redis = run.group("redis")
    for name, pid in run.pids().items():
        assert (pid == before[name]) == name.startswith(redis), name
    run.wait_up()
    assert run.web_version() == version
    run.bench.enqueue("short", 0, version)
    wait_for(lambda: run.bench.counts()[version], 10, "a job")
    assert run.bench.jobs("finish")[-1]["version"] == version


@pytest.mark.matrix_cases("pypi")
@pytest.mark.parametrize("origin", ["debian", "pypi"])
def test_bench_restart(ground: Path, origin: str, figure: Figure) -> None:
    with supervised(ground, commands=commands_of(origin), config=PRODUCTION) as run:
        before = run.pids()
        run.bench.set_version("2")
        done = bench_command(run, ground / "tools", "restart")
        assert done.returncode == 0, done.stdout + done.stderr
        for suffix in ("web", "workers"):
            assert f"supervisorctl restart {run.group(suffix)}:" in done.stdout
        runs_new_code(run, before, "2")
        figure(f"bench restart: {len(before)} processes, all but Redis run new code")


def test_bench_update(ground: Path, figure: Figure) -> None:
    """The part of it that needs no network, with its own countdown of ten seconds."""
    with supervised(ground, config=PRODUCTION) as run:
        make_clone(run)
        before = run.pids()
        run.bench.set_version("2")
        words = ("update", "--patch", "--no-backup", "--restart-supervisor")
        done = bench_command(run, ground / "tools", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "migrated" in run.bench.read("sites/one.test/logs/migrate.log")
        runs_new_code(run, before, "2")
        figure(f"bench update: {len(before)} processes, all but Redis run new code")


@pytest.mark.matrix
def test_bench_restart_web_only(ground: Path) -> None:
    with supervised(ground, config=PRODUCTION) as run:
        before = run.pids()
        run.bench.set_version("2")
        done = bench_command(run, ground / "tools", "restart", "--web")
        assert done.returncode == 0, done.stdout + done.stderr
        changed = {name for name, pid in run.pids().items() if pid != before[name]}
        assert changed == set(run.processes("web"))
        assert run.web_version() == "2"


def test_bench_restart_of_pools_by_its_hook(ground: Path, figure: Figure) -> None:
    """bench knows one group of workers; the hook, which `prodgen restart` is, knows them all."""
    soon: Edit = lambda text: text.replace("startsecs=5", "startsecs=1")  # noqa: E731
    with supervised(ground, change=by_pool, edit=soon) as run:
        failed = bench_command(run, ground / "tools", "restart")
        assert "ERROR (no such group)" in failed.stdout + failed.stderr
        own = [name for name in groups(run.plan()) if name != run.group("redis")]
        command = " ".join(["supervisorctl restart", *(f"{name}:" for name in own)])
        run.bench.set_config(supervisor_restart_cmd=command)
        before = run.pids()
        run.bench.set_version("2")
        done = bench_command(run, ground / "tools", "restart")
        assert done.returncode == 0, done.stdout + done.stderr
        runs_new_code(run, before, "2")
        figure(f"bench restart by its hook: {len(own)} groups run new code")
