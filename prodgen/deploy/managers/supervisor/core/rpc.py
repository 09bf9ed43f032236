"""Supervisor's XML-RPC interface over its socket (supervisord.org/api.html)."""

from __future__ import annotations

import configparser
import http.client
import socket
import stat
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prodgen.deploy.managers.core.base import BY_SUDO, ManagerError
from prodgen.host.door import rights_for
from prodgen.inputs.reader import read_whole

CONFIGS = (Path("/etc/supervisor/supervisord.conf"), Path("/etc/supervisord.conf"))
"""Where packages put it; the current folder, where supervisorctl looks too, is not trusted."""
TIMEOUT = 20.0
BAD_NAME, ALREADY_STARTED, NOT_RUNNING = 10, 60, 70


@dataclass(frozen=True, slots=True)
class Server:
    """How supervisord is reached."""

    url: str
    username: str = ""
    password: str = ""

    @property
    def socket(self) -> str:
        """The path of its unix socket; empty where it listens on a port."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else ""


def parse_config(text: str, folder: str) -> Server | None:
    """The server that a supervisord.conf names, None where it names none."""
    parser = configparser.RawConfigParser(
        inline_comment_prefixes=(";", "#"), strict=False, allow_no_value=True
    )
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    ctl = dict(parser.items("supervisorctl")) if parser.has_section("supervisorctl") else {}
    own = dict(parser.items("unix_http_server")) if parser.has_section("unix_http_server") else {}
    url = ctl.get("serverurl") or (f"unix://{own['file']}" if own.get("file") else "")
    if not url:
        return None
    url = url.replace("%(here)s", folder)
    name, word = (ctl.get(key) or own.get(key) or "" for key in ("username", "password"))
    return Server(url, name, word)


def find_server(config: Path | None) -> Server:
    """The server of this config file, by default the machine's own; raises ManagerError."""
    tried = [config] if config else [path for path in CONFIGS if path.exists()]
    for path in tried:
        try:
            with rights_for(path):
                text = read_whole(path).decode("utf-8", "replace")
            found = parse_config(text, str(path.parent))
        except FileNotFoundError as failure:
            raise ManagerError(
                "PG903", f"there is no {path}", "correct --supervisor-config"
            ) from failure
        except OSError as failure:
            reason = (failure.strerror or str(failure)).lower()
            raise ManagerError(
                "PG903", f"{path} cannot be read: {reason}", f"run as root: {SUDO}"
            ) from failure
        if found:
            return found
        raise ManagerError(
            "PG903", f"{path} names no server", "add [unix_http_server] with its `file`"
        )
    raise ManagerError(
        "PG902",
        f"Supervisor is not installed: there is no {CONFIGS[0]}",
        "install it, name its file with --supervisor-config, or set `manager: systemd`",
    )


SUDO = "sudo prodgen …"


class Rpc:
    """Calls `supervisor.NAME`; a fault of Supervisor's is raised as xmlrpc.client.Fault."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def call(self, name: str, *values: Any) -> Any:
        """The answer; raises ManagerError where supervisord cannot be reached."""
        try:
            with self._proxy() as proxy:
                return getattr(proxy.supervisor, name)(*values)
        except xmlrpc.client.ProtocolError as failure:
            raise ManagerError(
                "PG905",
                f"supervisord refused: {failure.errcode} {failure.errmsg}",
                "give [supervisorctl] its username and password",
            ) from failure
        except (OSError, http.client.HTTPException) as failure:
            raise unreachable(self.server, failure) from failure

    def _proxy(self) -> xmlrpc.client.ServerProxy:
        who = f"{self.server.username}:{self.server.password}@" if self.server.username else ""
        if self.server.socket:
            transport = _Transport(self.server.socket)
            return xmlrpc.client.ServerProxy(f"http://{who}localhost", transport=transport)
        parts = urlsplit(self.server.url)
        return xmlrpc.client.ServerProxy(f"http://{who}{parts.netloc}{parts.path}")


def unreachable(server: Server, failure: Exception) -> ManagerError:
    """What stands in the way of talking to supervisord, and what lets it."""
    path = server.socket
    if isinstance(failure, PermissionError):
        return ManagerError(
            "PG906",
            f"you may not use supervisord's socket {path} ({owner_and_mode(path)})",
            BY_SUDO,
        )
    if isinstance(failure, (FileNotFoundError, ConnectionRefusedError)):
        return ManagerError(
            "PG904",
            f"supervisord does not run: nobody listens on {path or server.url}",
            "start it: systemctl start supervisor",
        )
    return ManagerError(
        "PG907",
        f"supervisord at {path or server.url} does not answer: {failure}",
        "see its log, and what listens there",
    )


def owner_and_mode(path: str) -> str:
    """Such as `root:root 0700`; what we may not see is a question mark."""
    import grp
    import pwd

    try:
        found = Path(path).stat()
    except OSError:
        return "?"
    try:
        names = f"{pwd.getpwuid(found.st_uid).pw_name}:{grp.getgrgid(found.st_gid).gr_name}"
    except KeyError:
        names = f"{found.st_uid}:{found.st_gid}"
    return f"{names} {stat.S_IMODE(found.st_mode):04o}"


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _Connection(self.path)
        self._connection = (host, connection)
        return connection
