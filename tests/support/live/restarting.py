"""`prodgen` run on a stand-in bench that is up: under a private supervisord, or in a machine."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.live.supervised import Supervised, settled, supervised
from tests.support.live.systemd_bench import IS_HOST, Run, booted
from tests.support.outputs import parse
from tests.support.plans import ROOT
from tests.support.rig.client import fetch
from tests.support.rig.load import Load
from tests.support.rig.stacks import bench_python, python_version
from tests.support.rig.tools import cannot

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-m", "prodgen")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PYTHONPATH": str(ROOT),
    "PYTHONDONTWRITEBYTECODE": "1",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}


@dataclass
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `restart --format json` printed."""
        return [parse("events", line) for line in self.out.splitlines()]

    def kinds(self) -> list[str]:
        """The kinds of events, in their order."""
        return [one["event"] for one in self.events]

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out}{self.err}"


@dataclass
class Started:
    """A run that goes on."""

    process: subprocess.Popen[str]
    argv: Sequence[str] = field(default_factory=list)

    def end(self, timeout: float = 120) -> Ended:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=timeout)
        return Ended(self.process.returncode, out, err)


def plain_command(more: Path | None = None) -> list[str]:
    """prodgen for a user who may not enter this environment's folder of programs.

    `more` has packages that an older Python of the same line needs beside ours.
    """
    python, (major, minor) = bench_python(), sys.version_info[:2]
    if python_version(python) != (major, minor):
        cannot(f"{python} is no Python {major}.{minor}, so it cannot use this one's packages")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    for folder in (ROOT, *ROOT.parents, Path(packages)):
        if not folder.stat().st_mode & stat.S_IXOTH:
            cannot(f"no other user may enter {folder}, so none can run prodgen from there")
    paths = ":".join(str(path) for path in (ROOT, packages, more) if path)
    return ["env", f"PYTHONPATH={paths}", str(python), "-m", "prodgen"]


def argv_of(run: Supervised | Run, words: Sequence[str], user: str | None) -> list[str]:
    """The command that runs prodgen where the bench is."""
    name, *rest = words
    own = [
        *(COMMAND if user is None else plain_command(run.bench.packages)),
        name,
        *rest,
        "--bench",
        str(run.bench.path),
    ]
    if isinstance(run, Supervised) and "--supervisor-config" not in rest:
        own += ["--supervisor-config", str(run.supervisor.config)]
    more = run.env if isinstance(run, Run) and user and run.env else {}
    variables = [f"{key}={value}" for key, value in {**ENVIRONMENT, **more}.items()]
    return run.bench.place.argv(["env", "-i", "-C", "/", *variables, *own], user)


def begin(run: Supervised | Run, *words: str, user: str | None = None) -> Started:
    """Start prodgen and come back at once."""
    argv = argv_of(run, words, user)
    pipe = subprocess.PIPE
    return Started(
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True), argv
    )


def prodgen(
    run: Supervised | Run, *words: str, user: str | None = None, timeout: float = 120
) -> Ended:
    """Run prodgen to its end."""
    return begin(run, *words, user=user).end(timeout)


@contextmanager
def running(run: Supervised | Run, *words: str, user: str | None = None) -> Iterator[Started]:
    """A prodgen that is ended with the block, if it still runs then."""
    started = begin(run, *words, user=user)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.communicate(timeout=20)


def restart(run: Supervised | Run, *parts: str) -> Ended:
    """`prodgen restart` of these parts, which has to end well."""
    done = prodgen(run, "restart", *parts)
    assert done.code == 0, done
    return done


def roll(run: Supervised | Run) -> None:
    """Restart the web instances in turn; where this Python does not run, by systemctl alone."""
    if isinstance(run, Run) and not IS_HOST:
        run.roll()
    else:
        restart(run, "web")


def restart_workers(run: Supervised | Run) -> int:
    """Restart all workers, each after its job; how many were at work."""
    busy = sum(each["state"] == "busy" for each in run.bench.workers())
    if isinstance(run, Run) and not IS_HOST:
        run.restart_workers()
    else:
        restart(run, "workers")
    return busy


def log(path: Path) -> str:
    """The text of a file; empty where there is none."""
    return path.read_text(errors="replace") if path.is_file() else ""


USERS = {"supervisor": "www-data", "systemd": "frappe"}


@contextmanager
def bench_up(
    manager: str, ground: Path, *, quick: bool = False, **bench: Any
) -> Iterator[Supervised | Run]:
    """A bench that is up under one of the managers, with its production flag set.

    `quick` has Supervisor take a program for started sooner (`settled`).
    """
    config: dict[str, Any] = {"background_workers": 2, f"restart_{manager}_on_update": True}
    config |= {"workers": {"reports": {"timeout": 30}}, **bench.pop("config", {})}
    if manager == "systemd":
        with booted(config=config, **bench) as machine_run:
            machine_run.await_workers()
            yield machine_run
    else:
        edit = settled if quick else None
        with supervised(ground, config=config, edit=edit, **bench) as run:
            yield run


def pids(run: Supervised | Run, part: str) -> set[int]:
    """The pids of the processes whose names have this part in them."""
    return {pid for name, pid in run.pids().items() if part in name.rpartition(":")[2]}


def load(run: Supervised | Run, clients: int = 2) -> Load:
    """Clients that ask the web server itself."""
    address = ("127.0.0.1", run.bench.web_port)
    return Load(address, run.bench.sites[0], clients=clients, place=run.bench.place)


def version(run: Supervised | Run) -> str:
    """The version of the code that the web runs."""
    address, host = ("127.0.0.1", run.bench.web_port), run.bench.sites[0]
    answer = fetch(address, "/api/method/version", host=host, place=run.bench.place)
    return str(answer.json()["message"])
