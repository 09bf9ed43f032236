"""A host whose bench's user has no right yet: prodgen for root alone, real sudo, and bench."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pexpect

from tests.docs.stage import BENCH, ENVIRONMENT, USER, Stage, stage
from tests.live.supervisor.test_bench import bench_packages
from tests.support.live.doctoring import Check, by_check
from tests.support.rig import stacks
from tests.support.rig.machine import Machine

PRODGEN = "/usr/local/bin/prodgen"
RESTART = [PRODGEN, "restart", "-C", str(BENCH)]
HOOK = f"sudo -n {' '.join(RESTART)}"
COMMON = "sites/common_site_config.json"
FORMER = "/etc/sudoers.d/prodgen-frappe-bench"
LINES = "/etc/sudoers.d/prodgen_frappe_frappe-bench"
PACKAGES = Path("/opt/bench")
Done = subprocess.CompletedProcess[str]
BY_BENCH = "import sys; from bench.cli import cli; sys.argv[0] = 'bench'; cli()"


@dataclass
class Rights:
    """The machine, and what its users do there."""

    stage: Stage

    @property
    def machine(self) -> Machine:
        """Where it all is."""
        return self.stage.machine

    def root(self, command: str, *, check: bool = True) -> str:
        """What a command of root's prints."""
        return self.machine.run(["bash", "-c", command], check=check, timeout=180).stdout

    def user(self, command: str, *, home: str = str(BENCH), timeout: float = 120) -> Done:
        """A command of the bench's user."""
        argv = ["bash", "-c", f"cd {home}\n{command}"]
        return self.machine.run(argv, user=USER, check=False, timeout=timeout, env=ENVIRONMENT)

    def typed(self, command: str) -> str:
        """What root sees who types a command, and says yes to a question."""
        argv = self.machine.argv(["env", "-i", *_variables(HOME="/root", USER="root"), "bash"])
        shell = pexpect.spawn(argv[0], [*argv[1:], "-c", command], encoding="utf-8", timeout=120)
        shell.setecho(False)
        shown = ""
        while shell.expect([r"\[y/N\]: ", pexpect.EOF]) == 0:
            shown += str(shell.before)
            shell.sendline("y")
        shown += str(shell.before)
        shell.close()
        assert shell.exitstatus == 0, shown
        return shown

    def doctor(self, user: str | None = None) -> dict[str, list[Check]]:
        """What doctor finds, by check."""
        argv = [PRODGEN, "doctor", "--format", "json", "-C", str(BENCH)]
        done = self.machine.run(argv, user=user, check=False, timeout=60)
        assert done.returncode in (0, 1), done
        return by_check(done.stdout)

    def bench(self, *words: str) -> Done:
        """`bench …`, as the bench's user."""
        python = str(stacks.bench_python())
        env = {"PATH": ENVIRONMENT["PATH"], "PYTHONPATH": str(PACKAGES), "CI": "1"}
        argv = [python, "-c", BY_BENCH, *words]
        return self.machine.run(argv, user=USER, cwd=BENCH, env=env, timeout=180, check=False)

    def pids(self) -> dict[str, int]:
        """The main process of each service."""
        shown = self.root("supervisorctl -c /etc/supervisor/supervisord.conf status", check=False)
        lines = [line.split() for line in shown.splitlines()]
        return {line[0]: int(line[3].rstrip(",")) for line in lines if line[1] == "RUNNING"}

    def hook(self) -> str:
        """What bench runs to restart; empty for its own way."""
        return str(json.loads(self.stage.read(COMMON)).get("supervisor_restart_cmd", ""))

    def set_hook(self, hook: str | None) -> None:
        """Changes it by hand; None takes it away."""
        path = self.stage.bench.file(COMMON)
        data = {**json.loads(path.read_text()), "supervisor_restart_cmd": hook}
        path.write_text(json.dumps({key: one for key, one in data.items() if one is not None}))

    def forget(self) -> None:
        """Takes back all rights, and the hook."""
        self.root(f"rm -f {FORMER} {LINES} /etc/sudoers.d/own")
        self.set_hook(None)

    def restarts_all(self, *words: str) -> Done:
        """A command of bench's that ends well, and after which all but Redis is new."""
        before = self.pids()
        done = self.bench(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        after = self.pids()
        assert len(before) == len(after) >= 8, (before, after, done)
        same = {name for name in before if before[name] == after[name]}
        assert same == {name for name in before if "redis" in name}, done
        return done


def _variables(**more: str) -> list[str]:
    return [f"{key}={value}" for key, value in {**ENVIRONMENT, **more}.items()]


@contextmanager
def without_rights(manager: str = "supervisor") -> Iterator[Rights]:
    """A bench that is installed, whose user may do nothing with sudo."""
    with stage(manager) as made:
        rights = Rights(made)
        rights.root("rm /etc/sudoers.d/frappe")
        if manager != "supervisor":
            made.write("prodgen.yaml", f"version: 1\nmanager: {manager}\n")
        rights.root(f"{PRODGEN} apply --yes -C {BENCH}")
        yield rights


def add_bench(rights: Rights) -> None:
    """frappe-bench, and apps/frappe as what `bench update` takes for a clone of a repository."""
    packages = rights.machine.real(PACKAGES)
    shutil.copytree(bench_packages(), packages)
    patches = (packages / "bench/patches/patches.txt").read_text()  # as `bench init` copies it
    rights.machine.put(BENCH / "patches.txt", patches, owner=USER)
    done = rights.user(
        "git init -q -b version-15 . && git add frappe/__init__.py && git -c user.name=rig "
        "-c user.email=rig@localhost commit -q -m first && "
        "git update-ref refs/remotes/upstream/version-15 HEAD",
        home=f"{BENCH}/apps/frappe",
    )
    assert done.returncode == 0, done
