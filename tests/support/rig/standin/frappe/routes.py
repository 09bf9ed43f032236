"""What the stand-in answers, route by route."""

from __future__ import annotations

import hashlib
import http
import json
import os
import pwd
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import __version__, config, jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Request:
    """A request that has found its site."""

    site: str
    environ: Mapping[str, Any]
    query: Mapping[str, str]
    version: str

    def body(self) -> bytes:
        """The whole body, also one that came in chunks."""
        stream = self.environ["wsgi.input"]
        length = self.environ.get("CONTENT_LENGTH")
        data = stream.read(int(length)) if length else stream.read()
        return bytes(data)

    def fields(self) -> dict[str, Any]:
        """The query's values, and those of a JSON body."""
        data = self.body()
        return {**self.query, **(json.loads(data) if data[:1] == b"{" else {})}


@dataclass(frozen=True)
class Reply:
    """An answer: bytes go out as HTML, everything else as JSON."""

    status: int
    body: bytes | dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def reason(status: int) -> str:
    """The words after a status code."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def ping(_: Request) -> Reply:
    """The health check."""
    return Reply(200, {"message": "pong"})


def version(request: Request) -> Reply:
    """Which code runs: read when the process imported the application."""
    return Reply(200, {"message": request.version, "frappe": __version__, "pid": os.getpid()})


def slow(request: Request) -> Reply:
    """An answer that takes its time."""
    seconds = float(request.query.get("seconds", "1"))
    time.sleep(seconds)
    return Reply(200, {"message": seconds, "pid": os.getpid(), "version": request.version})


def echo(request: Request) -> Reply:
    """What arrived of the body."""
    data = request.body()
    digest = hashlib.sha256(data).hexdigest()
    own = {"pid": os.getpid(), "version": request.version}
    return Reply(200, {"length": len(data), "sha256": digest, **own})


def status(request: Request) -> Reply:
    """An answer with the wanted status code, and one header if `name` and `header` are given."""
    code = int(request.query.get("code", "200"))
    own = {request.query["name"]: request.query["header"]} if "name" in request.query else {}
    return Reply(code, b"" if code in (204, 304) else {"message": code}, own)


def accel(request: Request) -> Reply:
    """An answer that asks nginx for the file at `path`, wherever that is."""
    return Reply(200, b"", {"X-Accel-Redirect": request.query["path"]})


def fail(_: Request) -> Reply:
    """An exception that nobody catches."""
    msg = "asked to fail"
    raise RuntimeError(msg)


def enqueue(request: Request) -> Reply:
    """Put a job into a queue: queue, seconds, timeout, token."""
    asked = request.fields()
    limit = int(asked["timeout"]) if asked.get("timeout") else None
    try:
        ids = jobs.enqueue(
            str(asked.get("queue", "short")),
            float(asked.get("seconds", 0)),
            str(asked.get("token", "job")),
            site=request.site,
            timeout=limit,
        )
    except config.ValidationError as error:
        return Reply(417, {"message": str(error)})
    return Reply(200, {"message": ids[0]})


def whoami(request: Request) -> Reply:
    """Everything the application sees of its request and its process."""
    environ = request.environ
    seen = {key[5:]: value for key, value in environ.items() if key.startswith("HTTP_")}
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")[0].strip()
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    chosen = ("PATH", "HOME", "LANG", "USER", "LOGNAME", "SHELL", "PWD", "MALLOC_ARENA_MAX")
    facts = {
        "site": request.site,
        "headers": {key.replace("_", "-").lower(): value for key, value in seen.items()},
        "request_ip": forwarded or environ.get("REMOTE_ADDR") or "127.0.0.1",
        "remote_addr": environ.get("REMOTE_ADDR"),
        "scheme": environ.get("wsgi.url_scheme"),
        "path": environ.get("PATH_INFO"),
        "raw_uri": environ.get("RAW_URI"),
        "version": request.version,
        "frappe": __version__,
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "cwd": str(Path.cwd()),
        "uid": os.geteuid(),
        "gid": os.getegid(),
        "groups": os.getgroups(),
        "user": user,
        "nice": os.nice(0),
        "umask": umask(),
        "env_names": sorted(os.environ),
        "env": {key: os.environ[key] for key in chosen if key in os.environ},
        "python": sys.executable,
        "server": environ.get("SERVER_SOFTWARE"),
        "worker": "gthread" if "gunicorn.workers.gthread" in sys.modules else "sync",
        "multithread": environ.get("wsgi.multithread"),
    }
    return Reply(200, facts)


def umask() -> int:
    """The process's umask, read without changing it."""
    with Path("/proc/self/status").open() as lines:
        for line in lines:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return -1


def page(request: Request) -> Reply:
    """The page of every other path, with the site's name in it."""
    text = f"<!doctype html><title>{request.site}</title><p>{request.site} {request.version}</p>\n"
    return Reply(200, text.encode())


def private_file(request: Request, path: str) -> Reply:
    """A private file: handed to nginx where the proxy offers that, else streamed."""
    name = path.removeprefix("/private/files/").encode("latin-1").decode(errors="replace")
    file = config.sites_path() / request.site / "private" / "files" / name
    if ".." in name.split("/") or not file.is_file():
        return Reply(404, {"message": "Not Found"})
    cache = "private,max-age=3600,stale-while-revalidate=86400"
    if request.environ.get("HTTP_X_USE_X_ACCEL_REDIRECT"):
        target = quote(f"/protected/private/files/{name}")
        return Reply(200, b"", {"X-Accel-Redirect": target, "Cache-Control": cache})
    return Reply(200, file.read_bytes(), {"Cache-Control": cache})


METHODS: dict[str, Callable[[Request], Reply]] = {
    "ping": ping,
    "frappe.ping": ping,
    "version": version,
    "sleep": slow,
    "echo": echo,
    "status": status,
    "accel": accel,
    "fail": fail,
    "enqueue": enqueue,
    "whoami": whoami,
}
