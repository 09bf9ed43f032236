"""A private supervisord with its own socket, folder and configuration."""

from __future__ import annotations

import http.client
import socket
import subprocess
import xmlrpc.client
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.rig import stacks
from tests.support.rig.place import HOST, Place
from tests.support.rig.process import PLAIN_ENVIRONMENT, Child
from tests.support.rig.tools import need
from tests.support.rig.waiting import TooLateError, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

STOCK = """\
[unix_http_server]
file={folder}/supervisor.sock
chmod=0700

[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}/log

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{folder}/supervisor.sock

[include]
files = {folder}/conf.d/*.conf
"""
RUNNING = "RUNNING"


def debian() -> tuple[list[str], list[str]]:
    """The commands of the installed package: supervisord, supervisorctl."""
    need("supervisord", "supervisorctl")
    return [need("supervisord")], [need("supervisorctl")]


def from_pypi() -> tuple[list[str], list[str]]:
    """The commands of Supervisor 4.3.0 from the rig's cache."""
    packages = stacks.stack("supervisor43")
    python = ["env", f"PYTHONPATH={packages}", str(stacks.bench_python()), "-m"]
    return [*python, "supervisor.supervisord"], [*python, "supervisor.supervisorctl"]


class Supervisord:
    """A supervisord over a folder of its own; programs go into `conf_d`.

    Its end takes no longer than a moment, whatever the programs' stopwaitsecs: what still runs
    is killed. As a context manager it is started at the beginning.
    """

    def __init__(
        self,
        folder: Path,
        *,
        commands: tuple[Sequence[str], Sequence[str]] | None = None,
        place: Place = HOST,
        env: Mapping[str, str] | None = None,
        extra: str = "",
    ) -> None:
        self.folder = folder
        self.conf_d = folder / "conf.d"
        self.config = folder / "supervisord.conf"
        self.socket = folder / "supervisor.sock"
        self.log = folder / "supervisord.log"
        self.server, self.client = commands or debian()
        for each in (self.conf_d, folder / "log"):
            each.mkdir(parents=True, exist_ok=True)
        self.config.write_text(STOCK.format(folder=str(folder).replace("%", "%%")) + extra)
        argv = [*self.server, "-n", "-c", str(self.config)]
        self.child = Child(argv, log=folder / "out.log", place=place, env=env, stop_wait=0)

    def add(self, name: str, text: str) -> Path:
        """Write a file into conf.d (an old one is replaced); it counts after reread or start."""
        file = self.conf_d / name
        file.write_text(text)
        return file

    def start(self) -> Supervisord:
        """Start it and wait until it answers."""
        self.child.start().wait_ready(lambda: self.call("getState"), 10)
        return self

    def stop(self) -> None:
        """End it and everything it runs, at once."""
        self.child.stop()
        self.socket.unlink(missing_ok=True)

    def ctl(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """The real supervisorctl; its outcome is not checked."""
        argv = [*self.client, "-c", str(self.config), *words]
        return subprocess.run(
            argv,
            env=PLAIN_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def call(self, name: str, *values: Any) -> Any:
        """The answer of `supervisor.<name>` of its XML-RPC interface."""
        transport = _SocketTransport(self.socket)
        with xmlrpc.client.ServerProxy("http://rig", transport=transport) as server:
            return getattr(server.supervisor, name)(*values)

    def processes(self) -> dict[str, dict[str, Any]]:
        """Its process infos by full name (`group:name`): statename, pid, spawnerr, ..."""
        found = self.call("getAllProcessInfo")
        return {f"{each['group']}:{each['name']}": each for each in found}

    def wait_running(self, deadline: float = 20.0, names: Sequence[str] = ()) -> dict[str, int]:
        """The pid of each process once all (or the named ones) are RUNNING."""

        def pids() -> dict[str, int] | None:
            found = self.processes()
            wanted = names or list(found)
            if not wanted or any(found[name]["statename"] != RUNNING for name in wanted):
                return None
            return {name: int(found[name]["pid"]) for name in wanted}

        try:
            return wait_for(pids, deadline, "every program RUNNING") or {}
        except TooLateError as error:
            msg = f"{error}\n{self.report()}"
            raise TooLateError(msg) from None

    def report(self) -> str:
        """States and the end of each log, for an error message."""
        lines = []
        for name, each in self.processes().items():
            lines.append(f"{name} {each['statename']} {each['spawnerr']}")
            log = Path(each["stdout_logfile"])
            if each["statename"] != RUNNING and log.is_file():
                lines.append(log.read_text(errors="replace")[-800:])
        return "\n".join([*lines, self.child.tail()[-2000:]])

    def __enter__(self) -> Supervisord:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self.path))


class _SocketTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _SocketConnection(self.path)
        self._connection = (host, connection)
        return connection
