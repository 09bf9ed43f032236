"""A private nginx inside Debian's stock nginx.conf, in a network of its own.

The included configuration keeps its real ports: run it in a `netns.network()`, where 80 and 443
are free, instead of rewriting them.
"""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.rig.place import HOST, Place
from tests.support.rig.process import PLAIN_ENVIRONMENT, Child
from tests.support.rig.tools import need
from tests.support.rig.waiting import wait_for

if TYPE_CHECKING:
    from types import TracebackType

STOCK = """\
user www-data;
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;

events {{
	worker_connections 768;
}}

http {{
{extra_paths}
	sendfile on;
	tcp_nopush on;
	types_hash_max_size 2048;
	include /etc/nginx/mime.types;
	default_type application/octet-stream;

	ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
	ssl_prefer_server_ciphers on;

	access_log {folder}/access.log;

	gzip on;

	include {folder}/conf.d/*.conf;
	include {folder}/sites-enabled/*;
}}
"""
DEFAULT_SITE = """\
server {
	listen 80 default_server;
	listen [::]:80 default_server;
	root /var/www/html;
	index index.html index.htm index.nginx-debian.html;
	server_name _;
	location / {
		try_files $uri $uri/ =404;
	}
}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
COMPLAINT = re.compile(r"\[(warn|error|crit|alert|emerg)\]")
EARLY_LOG = (1, 19, 5)
"""The first nginx whose log for the time before its configuration can be chosen (`-e`)."""


class Nginx:
    """An nginx over a folder of its own, in front of whatever is in `conf_d` and `sites_enabled`.

    The folder must be one that www-data may enter. As a context manager it is started at the
    beginning and gone at the end.
    """

    def __init__(
        self,
        folder: Path,
        *,
        place: Place = HOST,
        default_site: bool = False,
        program: str | None = None,
    ) -> None:
        self.program = program or need("nginx")
        self.folder = folder
        self.place = place
        self.conf_d = folder / "conf.d"
        self.sites_enabled = folder / "sites-enabled"
        self.config = folder / "nginx.conf"
        self.error_log = folder / "error.log"
        self.access_log = folder / "access.log"
        for each in (self.conf_d, self.sites_enabled):
            each.mkdir(parents=True, exist_ok=True)
        self.config.write_text(STOCK.format(folder=folder, extra_paths=self._temporary()))
        if default_site:
            (self.sites_enabled / "default").write_text(DEFAULT_SITE)
        argv = self._argv("-g", "daemon off;")
        self.child = Child(argv, log=folder / "out.log", place=place, stop_wait=2)

    def _temporary(self) -> str:
        names = [f"{name}_temp_path" for name in TEMPORARY]
        return "\n".join(f"\t{name} {self.folder}/{name};" for name in names)

    def _argv(self, *words: str) -> list[str]:
        own = ["-p", str(self.folder), "-c", str(self.config)]
        if _version(self.program) >= EARLY_LOG:
            own += ["-e", str(self.error_log)]
        return [self.program, *own, *words]

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        argv = self.place.argv(self._argv(*words))
        return subprocess.run(
            argv,
            env=PLAIN_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def add(self, name: str, text: str) -> Path:
        """Write a file into conf.d (an old one is replaced); it counts after start or reload."""
        file = self.conf_d / name
        file.write_text(text)
        return file

    def test(self) -> tuple[bool, str]:
        """`nginx -t`: whether it is accepted without any warning, and what nginx said."""
        done = self._run("-t")
        said = done.stdout + done.stderr
        return done.returncode == 0 and not COMPLAINT.search(said), said

    def start(self, deadline: float = 10.0) -> Nginx:
        """Start it and wait until its workers are up; a bad configuration is an error."""
        try:
            self.child.start().wait_ready(self._workers, deadline)
        except BaseException:
            self.child.stop()
            raise
        return self

    def _workers(self) -> list[int]:
        own = self.child.family()
        return [pid for pid in own if pid != self.child.pid and _is_worker(pid)]

    def reload(self, deadline: float = 10.0) -> tuple[bool, str]:
        """Reload and wait until only new workers accept; whether it worked, and what nginx said."""
        before = set(self._workers())
        mark = len(self.errors())
        done = self._run("-s", "reload")
        if done.returncode != 0:
            return False, done.stderr

        def outcome() -> bool:
            now = set(self._workers())
            return bool(now and not now & before) or "[emerg]" in self.errors()[mark:]

        wait_for(outcome, deadline, "nginx to reload")
        said = done.stderr + self.errors()[mark:]
        return not COMPLAINT.search(said), said

    def errors(self) -> str:
        """The whole error log."""
        return self.error_log.read_text(errors="replace") if self.error_log.exists() else ""

    def complaints(self) -> list[str]:
        """The lines of the error log from warnings upwards."""
        return [line for line in self.errors().splitlines() if COMPLAINT.search(line)]

    def stop(self) -> None:
        """Stop it at once, connections and all."""
        self.child.stop()

    def __enter__(self) -> Nginx:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@lru_cache
def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr
    return tuple(int(part) for part in re.findall(r"\d+", said.partition("nginx/")[2])[:3])


def _is_worker(pid: int) -> bool:
    """Whether it has a worker's title, which a loader's own words may stand before."""
    try:
        return b"nginx: worker process\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
