"""A bench on disk with the stand-in for Frappe in it, and the ways to look at it and feed it."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.rig import bench_files as files
from tests.support.rig.client import fetch
from tests.support.rig.place import HOST, Place
from tests.support.rig.ports import free_ports
from tests.support.rig.process import PLAIN_ENVIRONMENT, Child
from tests.support.rig.resp import ask, ask_all
from tests.support.rig.stacks import bench_python, python_version
from tests.support.rig.tools import find

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_VERSION = "15.72.4"
SiteValues = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Bench:
    """A bench at `path` in a place; folders and ports as its processes see them."""

    path: Path
    place: Place
    user: str | None
    sites: tuple[str, ...]
    frappe_version: str
    web_port: int
    socketio_port: int
    cache_port: int
    queue_port: int

    @property
    def sites_path(self) -> Path:
        """The current folder of every Frappe process."""
        return self.path / "sites"

    @property
    def python(self) -> Path:
        """The bench's own interpreter."""
        return self.path / "env" / "bin" / "python"

    @property
    def packages(self) -> Path:
        """The site-packages folder of its env."""
        major, minor = python_version(bench_python())
        return self.path / "env" / "lib" / f"python{major}.{minor}" / "site-packages"

    def file(self, name: str) -> Path:
        """Where this process can open a file of the bench, named from the bench's folder."""
        return self.place.real(self.path / name)

    def read(self, name: str) -> str:
        """The text of a file of the bench; empty when it is not there."""
        file = self.file(name)
        return file.read_text(errors="replace") if file.exists() else ""

    def config(self) -> dict[str, Any]:
        """common_site_config.json as it is now."""
        found: dict[str, Any] = json.loads(self.read("sites/common_site_config.json"))
        return found

    def set_config(self, **values: Any) -> None:
        """Change keys of common_site_config.json; a value of None removes the key."""
        changed = {**self.config(), **values}
        kept = {key: value for key, value in changed.items() if value is not None}
        files.write_json(self.file("sites/common_site_config.json"), kept)

    def set_version(self, version: str) -> None:
        """Deploy: what `/api/method/version` and jobs say once a process was restarted."""
        self.file("apps/frappe/frappe/VERSION").write_text(f"{version}\n")

    def helper_argv(self, *words: str) -> list[str]:
        """A Frappe command the way production runs it; its folder is `sites_path`."""
        return [str(self.python), "-m", "frappe.utils.bench_helper", "frappe", *words]

    def web_argv(self, *options: str) -> list[str]:
        """Gunicorn on the bench's web port; its folder is `sites_path`."""
        bind = ["-b", f"127.0.0.1:{self.web_port}"]
        own = [str(self.path / "env/bin/gunicorn"), *bind, "-w", "2", "--graceful-timeout", "30"]
        return [*own, *options, "frappe.app:application"]

    def redis_argv(self, name: str) -> list[str]:
        """redis-server with the bench's own file for `cache` or `queue`."""
        return [find("redis-server") or "redis-server", f"{self.path}/config/redis_{name}.conf"]

    def socketio_argv(self) -> list[str]:
        """The realtime server."""
        return [find("node") or "node", f"{self.path}/apps/frappe/socketio.js"]

    def child(self, name: str, argv: Sequence[str], **options: Any) -> Child:
        """A process of the bench, in `sites` and as its user, logging to `logs/rig.<name>.log`."""
        given = {"place": self.place, "cwd": self.sites_path, "user": self.user, **options}
        return Child(argv, log=self.file(f"logs/rig.{name}.log"), **given)

    def web_answers(self) -> bool:
        """Whether the web server answers a ping for the first site, without any proxy."""
        address = ("127.0.0.1", self.web_port)
        answer = fetch(address, "/api/method/ping", host=self.sites[0], place=self.place)
        return answer.status == 200

    def run(self, *words: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run a Frappe command to its end; its outcome is not checked."""
        command = ["env", "-C", str(self.sites_path), *self.helper_argv(*words)]
        argv = self.place.argv(command, self.user)
        return subprocess.run(
            argv,
            env=PLAIN_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def enqueue(
        self,
        queue: str = "short",
        seconds: float = 0,
        token: str = "job",
        *,
        timeout: int | None = None,
        count: int = 1,
        site: str | None = None,
    ) -> list[str]:
        """Put jobs into a queue; their ids. With a count their tokens end in -0, -1, ..."""
        words = ["--site", site or self.sites[0], "enqueue", "--queue", queue, "--token", token]
        words += ["--seconds", str(seconds), "--count", str(count)]
        done = self.run(*words, *(["--timeout", str(timeout)] if timeout else []))
        if done.returncode != 0:
            msg = f"enqueue failed:\n{done.stderr}"
            raise RuntimeError(msg)
        ids: list[str] = json.loads(done.stdout.splitlines()[-1])
        return ids

    def jobs(self, event: str | None = None) -> list[dict[str, Any]]:
        """The lines of logs/jobs.log, all or those of one event: start, finish."""
        lines = [json.loads(line) for line in self.read("logs/jobs.log").splitlines()]
        return [line for line in lines if event in (None, line["event"])]

    def counts(self, event: str = "finish") -> Counter[str]:
        """How often the job of each token has started or finished: exactly once is 1."""
        return Counter(line["token"] for line in self.jobs(event))

    def redis(self, *words: str | int) -> Any:
        """Ask the bench's redis_queue."""
        return ask(("127.0.0.1", self.queue_port), *words, place=self.place)

    def queue_name(self, queue: str) -> str:
        """The name of a queue in Redis."""
        if int(self.frappe_version.split(".")[0]) < 14:
            return queue
        own = str(self.path).strip("/").replace("/", "-")
        return f"{self.config().get('bench_id', own)}:{queue}"

    def queued(self, queue: str) -> int:
        """How many jobs wait in a queue."""
        return int(self.redis("LLEN", f"rq:queue:{self.queue_name(queue)}"))

    def workers(self) -> list[dict[str, Any]]:
        """The workers that Redis knows of: key, state, queues, pid, current_job."""
        names = ("queues", "state", "pid", "current_job")
        keys = sorted(self.redis("SMEMBERS", "rq:workers"))
        asked = [("HMGET", key, *names) for key in keys]
        found = ask_all(("127.0.0.1", self.queue_port), asked, place=self.place) if asked else []
        return [
            {"key": key, **dict(zip(names, row, strict=True))}
            for key, row in zip(keys, found, strict=True)
        ]


def make_bench(
    path: Path,
    *,
    frappe_version: str = DEFAULT_VERSION,
    sites: Sequence[str] | SiteValues = ("one.test",),
    config: Mapping[str, Any] | None = None,
    procfile: str | None = None,
    stack: str | None = None,
    user: str | None = None,
    place: Place = HOST,
    ports: Sequence[int] | None = None,
) -> Bench:
    """A new bench at its final path in the place, owned by `user`, on free ports or the given.

    `sites` are names, or a mapping to what their site_config.json holds; a `config` value of None
    leaves that key out. The stack follows from the version.
    """
    folder = place.real(path)
    four = list(ports or free_ports(4))
    values = {**files.default_config(four, user or "frappe"), **(config or {})}
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("sites", "config/pids", "logs", "apps"):
        (folder / name).mkdir(parents=True)
    kept = {key: value for key, value in values.items() if value is not None}
    files.write_json(folder / "sites/common_site_config.json", kept)
    (folder / "sites/apps.txt").write_text("frappe\n")
    web, realtime = (int(values.get(key) or 0) for key in ("webserver_port", "socketio_port"))
    lines = files.PROCFILE.format(web=web, node=find("node") or "/usr/bin/node")
    (folder / "Procfile").write_text(lines if procfile is None else procfile)
    files.write_app(folder / "apps/frappe", frappe_version)
    files.write_assets(folder / "sites", folder / "apps/frappe")
    own = sites if isinstance(sites, Mapping) else {name: {} for name in sites}
    for name, given in own.items():
        files.write_site(folder / "sites" / name, given)
    for name, port in (("cache", four[2]), ("queue", four[3])):
        files.write_redis(folder, path, name, port)
    major = int(frappe_version.split(".", maxsplit=1)[0])
    files.write_env(folder, path, stack or ("frappe15" if major < 16 else "frappe16"))
    if user is not None:
        files.change_owner(folder, *place.owner(user))
    return Bench(path, place, user, tuple(own), frappe_version, web, realtime, *four[2:])
