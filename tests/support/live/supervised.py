"""A stand-in bench in production: prodgen's own output under a private supervisord.

The files lie where they belong (`/etc/prodgen/<bench>`, `/var/log/<bench>`), under a name that no
other bench has, and are gone at the end.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from prodgen.host.facts import HostFacts
from prodgen.inputs.bench import parse_bench
from prodgen.inputs.reader import read_bench
from prodgen.plan.core.model import Plan, Role
from prodgen.plan.planner import build_plan
from prodgen.targets.env_reader.render import render_environment
from prodgen.targets.gunicorn.render import ready_line, render_gunicorn
from prodgen.targets.supervisor.render import render_supervisor
from tests.support.plans import declared
from tests.support.rig import procs
from tests.support.rig.bench import Bench, make_bench
from tests.support.rig.client import fetch
from tests.support.rig.place import HOST, Place
from tests.support.rig.supervisord import Supervisord, debian, from_pypi
from tests.support.rig.tools import need, need_root
from tests.support.rig.waiting import wait_for

USER = "www-data"
HOME = PurePosixPath("/var/www")
ALIVE = ("STARTING", "RUNNING")
Figure = Callable[[str], None]
Edit = Callable[[str], str]
Commands = tuple[Sequence[str], Sequence[str]]


def settled(text: str) -> str:
    """With a Supervisor that takes a program for started after one second, and not after five.

    Each restart waits for that. Only for a test that says nothing of programs that fail.
    """
    return text.replace("startsecs=5\n", "startsecs=1\n")


@dataclass
class Supervised:
    """A bench, its plan and the supervisord that runs it."""

    bench: Bench
    supervisor: Supervisord
    facts: HostFacts
    change: Callable[[Plan], Plan] = lambda plan: plan
    edit: Edit = lambda text: text
    """Puts a fault into the configuration, or leaves it as it is."""
    edit_gunicorn: Edit = lambda text: text

    @property
    def name(self) -> str:
        """The bench's name, the stem of all groups."""
        return self.bench.path.name

    @property
    def logs(self) -> Path:
        """Where Supervisor writes."""
        return Path("/var/log", self.name)

    def plan(self) -> Plan:
        """The plan of the bench as its files are now."""
        files, found = read_bench(self.bench.file("."))
        parsed, more = parse_bench(files)
        assert parsed is not None, [*found, *more]
        planned, more = build_plan(parsed, self.facts)
        assert planned.plan is not None, more
        return self.change(planned.plan)

    def install(self) -> Plan:
        """Render, and put every file where it belongs; nothing is reloaded."""
        plan = self.plan()
        [main], found = render_supervisor(plan)
        settings, more = render_gunicorn(plan)
        assert not [*found, *more]
        for artifact in settings:
            Path(artifact.destination).parent.mkdir(parents=True, exist_ok=True)
            Path(artifact.destination).write_text(self.edit_gunicorn(artifact.text))
        for artifact in render_environment(plan)[0]:
            Path(artifact.destination).write_text(artifact.text)
        Path(plan.log_folder.value).mkdir(exist_ok=True)
        self.supervisor.add(main.path.name, self.edit(main.text))
        return plan

    def remove(self) -> None:
        """Take away what lies outside the test's own folder."""
        for folder in (Path("/etc/prodgen", self.name), self.logs):
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            Path("/etc/prodgen").rmdir()

    def group(self, suffix: str) -> str:
        """`workers` -> `<bench>-workers`."""
        return f"{self.name}-{suffix}"

    def processes(self, suffix: str = "") -> dict[str, dict[str, Any]]:
        """The process infos by full name, of one group or of all."""
        start = f"{self.group(suffix)}:" if suffix else ""
        found = self.supervisor.processes()
        return {name: each for name, each in found.items() if name.startswith(start)}

    def pids(self, suffix: str = "") -> dict[str, int]:
        """The pid of each process; 0 where it does not run."""
        return {name: int(each["pid"]) for name, each in self.processes(suffix).items()}

    def states(self) -> set[str]:
        """The states that there are."""
        return {each["statename"] for each in self.processes().values()}

    def wait_up(self, deadline: float = 30.0) -> None:
        """Wait until the bench does its work: web and realtime answer, all workers are there."""
        has_realtime = bool(self.plan().with_role(Role.REALTIME))

        def up() -> bool:
            return (
                self.states() <= set(ALIVE)
                and self.bench.web_answers()
                and (not has_realtime or self.realtime_answers())
            )

        try:
            self.wait_workers(deadline)
            wait_for(up, deadline, "the bench to be up")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.supervisor.report()}") from None

    def wait_running(self) -> dict[str, int]:
        """The pid of each process once all are RUNNING."""
        return self.supervisor.wait_running(30)

    def realtime_answers(self) -> bool:
        """Whether the realtime server answers a polling client."""
        address = ("127.0.0.1", self.bench.socketio_port)
        path = "/socket.io/?EIO=4&transport=polling"
        headers = {"X-Frappe-Site-Name": self.bench.sites[0]}
        host = self.bench.sites[0]
        answer = fetch(address, path, host=host, headers=headers, place=self.bench.place)
        return answer.status == 200

    def web_version(self) -> str:
        """The version of the code that the web runs."""
        address = ("127.0.0.1", self.bench.web_port)
        path, host = "/api/method/version", self.bench.sites[0]
        return str(fetch(address, path, host=host, place=self.bench.place).json()["message"])

    def log_text(self, name: str) -> str:
        """A file of the log folder; empty where there is none."""
        file = self.logs / name
        return file.read_text(errors="replace") if file.is_file() else ""

    def restart_one(self, process: str, deadline: float = 30.0) -> None:
        """Stop and start one process of the web group, until it says that it answers."""
        self.supervisor.call("stopProcess", process)
        self.supervisor.call("startProcess", process, False)
        info = self.supervisor.call("getProcessInfo", process)
        log = Path(info["stderr_logfile"])
        line = ready_line(int(info["pid"]))
        wait_for(lambda: line in log.read_text(), deadline, f"{process} to be ready")

    def roll(self) -> None:
        """Restart the web instances in turn, each once the one before answers again."""
        for process in sorted(self.processes("web")):
            self.restart_one(process)

    def restart_group(self, suffix: str) -> None:
        """Stop all processes of a group, wait for their end, and start them."""
        self.supervisor.call("stopProcessGroup", self.group(suffix))
        self.supervisor.call("startProcessGroup", self.group(suffix), False)

    def wait_workers(self, deadline: float = 30.0) -> None:
        """Wait until every worker has told Redis of itself.

        A process that is stopped at the moment it was started may not hear of it: until its
        execve(2) it has Supervisor's own signal handlers.
        """
        plan = self.plan()
        count = sum(one.instances.value for one in plan.with_role(Role.WORKER))

        def known() -> bool:
            alive = {int(each["pid"] or 0) for each in self.bench.workers() if each["state"]}
            return len(alive & set(self.pids().values())) == count

        wait_for(known, deadline, "the workers to be there")

    def spawns(self, process: str) -> int:
        """How often supervisord has started the process."""
        name = process.partition(":")[2]
        return self.supervisor.log.read_text().count(f"spawned: '{name}' with pid")

    def strays(self) -> list[list[str]]:
        """The processes of the bench that supervisord has lost track of."""
        tree = {self.supervisor.child.pid, *procs.descendants(self.supervisor.child.pid)}
        return [procs.command(pid) for pid in self.supervisor.child.family() if pid not in tree]


def facts_of(bench: Bench, **more: Any) -> HostFacts:
    """This host's facts as prodgen.yaml would declare them."""
    given = {
        "path": PurePosixPath(bench.path),
        "owner": USER,
        "home": HOME,
        "cpus": 2,
        "memory": 4 * 1024**3,
        "node": PurePosixPath(need("node")),
        "redis_server": PurePosixPath(need("redis-server")),
        **more,
    }
    return HostFacts(**{name: declared(value) for name, value in given.items()})


@contextmanager
def supervised(
    ground: Path,
    *,
    commands: Commands | None = None,
    env: dict[str, str] | None = None,
    facts: dict[str, Any] | None = None,
    place: Place = HOST,
    change: Callable[[Plan], Plan] | None = None,
    edit: Edit | None = None,
    edit_gunicorn: Edit | None = None,
    up: bool = True,
    inside: str = "",
    settings: str = "",
    **bench: Any,
) -> Iterator[Supervised]:
    """A bench that is up (or only started), with what `make_bench` takes as further arguments.

    `settings` is the text of its prodgen.yaml, in which NAME is the bench's name.
    """
    need_root("a supervisord that runs programs as another user")
    path = ground / inside / f"pg-{secrets.token_hex(3)}"
    made = make_bench(path, user=USER, place=place, **bench)
    supervisor = Supervisord(ground / "supervisor", commands=commands, place=place, env=env)
    own = Supervised(made, supervisor, facts_of(made, **(facts or {})))
    own.change = change or own.change
    own.edit = edit or own.edit
    own.edit_gunicorn = edit_gunicorn or own.edit_gunicorn
    if settings:
        made.file("prodgen.yaml").write_text(settings.replace("NAME", own.name))
    try:
        own.install()
        with supervisor:
            if up:
                own.wait_up()
            yield own
    finally:
        own.remove()


def commands_of(origin: str) -> Commands:
    """supervisord and supervisorctl: `debian` (what is installed) or `pypi` (the newest)."""
    server, client = debian() if origin == "debian" else from_pypi()
    return [shutil.which(server[0]) or server[0], *server[1:]], client
