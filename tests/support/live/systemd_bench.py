"""A stand-in bench in production on a real systemd: prodgen's own units in a booted machine.

`PRODGEN_RIG_ROOT` names the folder of another system to boot instead of this one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from prodgen.plan.core.model import Plan, Role
from prodgen.provenance import Sourced
from prodgen.targets.env_reader.render import render_environment
from prodgen.targets.gunicorn.render import render_gunicorn
from prodgen.targets.nginx.render import TARGET as NGINX
from prodgen.targets.systemd.render import render_systemd
from prodgen.targets.systemd.units import running_units
from tests.support.rig import procs
from tests.support.rig.bench import Bench, make_bench
from tests.support.rig.client import Answer, fetch
from tests.support.rig.machine import Machine
from tests.support.rig.waiting import wait_for
from tests.support.systemd_plans import plan_of_folder, with_options

USER = "frappe"
HOME = Path("/home/frappe")
NAME = "frappe-bench"
PATH = HOME / NAME
TARGET = f"{NAME}.target"
SOCKET = f"{NAME}-web.socket"
SITE = "one.test"
PORTS = (8000, 9000, 13000, 11000)
CONFIG = {
    "restart_systemd_on_update": True,
    "background_workers": 1,
    "scheduler_tick_interval": 2,
    "workers": {"reports": {"timeout": 6, "background_workers": 1}},
}
REDIS = (Role.CACHE, Role.QUEUE)
ROOT = Path(os.environ.get("PRODGEN_RIG_ROOT") or "/")
IS_HOST = Path("/") == ROOT
"""Whether the machine has this system's programs, so that prodgen runs in it."""

Figure = Callable[[str], None]
Edit = Callable[[str, str], str]
"""Puts a fault into an artifact: its file's name and text -> the text that is installed."""
Change = Callable[[Plan], Plan]


class State(NamedTuple):
    """What systemd says of one service."""

    pid: int
    active: str
    restarts: int


def as_it_is(_: str, text: str) -> str:
    """No fault."""
    return text


def same(plan: Plan) -> Plan:
    """No other choices."""
    return plan


@dataclass
class Run:
    """A bench in a machine, and the units that are installed for it."""

    machine: Machine
    bench: Bench
    facts: dict[str, Any]
    plan: Plan
    change: Change = same
    control: tuple[str, ...] = ("systemctl",)
    user: str | None = None
    env: dict[str, str] | None = None

    def install(self, change: Change | None = None, edit: Edit = as_it_is) -> None:
        """Plan the bench as its files are now, put every file in its place, and load the units."""
        self.plan = (change or self.change)(
            plan_of_folder(self.bench.file("."), str(PATH), **self.facts)
        )
        units, found = render_systemd(self.plan)
        assert units, found
        for artifact in (*units, *render_gunicorn(self.plan)[0], *render_environment(self.plan)[0]):
            text = edit(artifact.destination.name, artifact.text)
            self.machine.put(str(artifact.destination), text)
        self.machine.put(str(self.plan.log_folder.value / ".keep"), "")
        if not self.is_of_user or self.user:
            self.systemctl("daemon-reload")

    @property
    def is_of_user(self) -> bool:
        """Whether the units belong to the manager of the bench's user."""
        return self.plan.systemd.scope.value == "user"

    def install_nginx(self) -> None:
        """prodgen's server inside the machine's own nginx."""
        artifacts, found = NGINX.render(self.plan)
        assert artifacts, found
        for artifact in artifacts:
            self.machine.put(str(artifact.destination), artifact.text)
        self.machine.run(["nginx", "-t"])
        self.machine.run(["systemctl", "restart", "nginx"])

    def systemctl(self, *words: str, check: bool = True) -> str:
        """What systemctl says; a failed one is an error unless told."""
        argv = [*self.control, *words]
        done = self.machine.run(argv, check=check, user=self.user, env=self.env, timeout=120)
        return done.stdout

    def journal(self, *words: str) -> list[str]:
        """The lines of the journal, without their heads."""
        argv = ["journalctl", "--no-pager", "--output=cat", "--quiet", *words]
        return self.machine.run(argv).stdout.splitlines()

    @property
    def units(self) -> list[str]:
        """All services that should run, each instance with its number."""
        return [unit for one in self.plan.services for unit in running_units(one)]

    def units_of(self, *roles: Role) -> list[str]:
        """Those of these roles."""
        return [unit for one in self.plan.with_role(*roles) for unit in running_units(one)]

    def states(self) -> dict[str, State]:
        """Every service as systemd sees it."""
        said = self.systemctl("show", "-p", "Id,MainPID,ActiveState,NRestarts", *self.units)
        blocks = [
            dict(row.split("=", 1) for row in part.splitlines())
            for part in said.strip().split("\n\n")
        ]
        return {
            each["Id"]: State(int(each["MainPID"]), each["ActiveState"], int(each["NRestarts"]))
            for each in blocks
        }

    def pids(self, *roles: Role) -> dict[str, int]:
        """The main process of each service, as the machine numbers it."""
        wanted = self.units_of(*roles) if roles else self.units
        return {unit: state.pid for unit, state in self.states().items() if unit in wanted}

    def not_(self, active: str) -> list[str]:
        """The services that are in another state."""
        return sorted(unit for unit, state in self.states().items() if state.active != active)

    def await_all(self, active: str, seconds: float = 40) -> None:
        """Wait until every service is in this state; an error names those that are not."""
        try:
            wait_for(lambda: not self.not_(active), seconds, f"all {active}")
        except AssertionError as error:
            left = self.not_(active)
            lines = [line for unit in left[:3] for line in self.journal("-u", unit, "-n", "15")]
            raise AssertionError("\n".join([f"{error}: {left}", *lines])) from None

    def start(self) -> None:
        """Start what is not up, and wait until all of it is."""
        self.systemctl("start", TARGET, *self.units)
        self.await_all("active")

    def ask(self, path: str = "/api/method/ping", port: int = 8000, timeout: float = 30) -> Answer:
        """One request of a client in the machine's own network."""
        address = ("127.0.0.1", port)
        return fetch(address, path, host=SITE, place=self.machine, timeout=timeout)

    def roll(self) -> None:
        """Restart the web instances in turn; each has said that it is ready before the next."""
        for unit in self.units_of(Role.WEB):
            self.systemctl("restart", unit)

    def await_workers(self, seconds: float = 40) -> None:
        """Wait until every worker has told Redis of itself."""

        def known() -> bool:
            alive = {int(each["pid"] or 0) for each in self.bench.workers() if each["state"]}
            return set(self.pids(Role.WORKER).values()) <= alive

        wait_for(known, seconds, "the workers to be there")

    def restart_workers(self) -> None:
        """Restart all workers as `prodgen restart --wait-workers` does.

        RQ loses a job where TERM meets a worker that has popped it and not yet begun it
        (rq/worker.py, `request_stop`), so they are suspended first: then each one is at work,
        suspended, or waits in a blocking pop.
        """
        self.bench.redis("SET", "rq:suspended", 1, "EX", 120)
        try:
            wait_for(self._may_stop, 40, "the workers to be safe to stop")
            self.systemctl("restart", *self.units_of(Role.WORKER))
        finally:
            self.bench.redis("DEL", "rq:suspended")
        self.await_workers()

    def _may_stop(self) -> bool:
        own = {str(pid) for pid in self.pids(Role.WORKER).values()}
        states = [each["state"] for each in self.bench.workers() if each["pid"] in own]
        clients = str(self.bench.redis("CLIENT", "LIST")).splitlines()
        blocked = sum(" flags=b " in line for line in clients)
        safe = states.count("suspended") + states.count("busy")
        return len(states) == len(own) == safe + min(states.count("idle"), blocked)

    def workers_left(self) -> list[list[str]]:
        """The command lines of every worker process in the machine, work-horses included."""
        found = (procs.command(pid) for pid in procs.descendants(self.machine.pid))
        return [words for words in found if "worker" in words]


def with_gunicorn(plan: Plan, **values: Any) -> Plan:
    """The plan with other settings of Gunicorn."""

    def changed(service: Any) -> Any:
        own = service.gunicorn
        if own is None:
            return service
        new = {name: Sourced(value, getattr(own, name).origin) for name, value in values.items()}
        return service._replace(gunicorn=own._replace(**new))

    return plan._replace(services=tuple(changed(one) for one in plan.services))


def options(**values: Any) -> Change:
    """Other choices about the units."""
    return lambda plan: with_options(plan, **values)


@contextmanager
def booted(
    *,
    change: Change = same,
    nginx: bool = False,
    group: str = "",
    up: bool = True,
    frappe: str = "15.72.4",
    settings: str = "",
    **bench: Any,
) -> Iterator[Run]:
    """A bench in a machine, its target enabled and everything up unless told.

    `group` is another name for the group of the bench's user, `settings` its prodgen.yaml.
    """
    config = {**CONFIG, **bench.pop("config", {})}
    with Machine(lower=ROOT, keep_units=["nginx"] if nginx else []) as machine:
        machine.add_user(USER, 1001, HOME)
        if group:
            machine.run(["groupmod", "--new-name", group, USER])
        made = make_bench(
            PATH,
            user=USER,
            place=machine,
            ports=PORTS,
            config=config,
            frappe_version=frappe,
            **bench,
        )
        fit_python(machine, made)
        if settings:
            made.file("prodgen.yaml").write_text(settings)
        version = machine.run(["systemctl", "--version"]).stdout.split()[1]
        facts = {"systemd": version, "frappe": frappe}
        plan = plan_of_folder(made.file("."), str(PATH), **facts)
        run = Run(machine, made, facts, plan, change)
        run.install()
        if up:
            run.systemctl("enable", "--now", TARGET)
            run.await_all("active")
        if nginx:
            run.install_nginx()
        yield run


def fit_python(machine: Machine, bench: Bench) -> None:
    """Let the env's packages, which are the same everywhere, suit the machine's own Python."""
    if IS_HOST:
        return
    script = "import sys; print('python%d.%d' % sys.version_info[:2])"
    name = machine.run(["/usr/bin/python3", "-c", script]).stdout.strip()
    own = bench.packages.parent
    link = bench.file(f"env/lib/{name}")
    if not link.exists():
        link.symlink_to(own.name)
