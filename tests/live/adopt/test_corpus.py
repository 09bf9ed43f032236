"""`prodgen adopt` of the benches of the field: real nginx and supervisord load what comes of it.

Each `config/nginx.conf` and `config/supervisor.conf` is put where `bench setup production` would,
and where nginx takes theirs, it answers afterwards as it did before.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from prodgen.review.adopt.nginx.directives import leaves, names_of
from prodgen.targets.nginx.parse import Directive, parse
from tests.support.corpus import FOLDER, needs_corpus
from tests.support.live.adopting import PLACES, Adopter, put_tls_files
from tests.support.rig.client import fetch
from tests.support.rig.machine import Machine
from tests.support.rig.waiting import wait_for

pytestmark = needs_corpus
Figure = Callable[[str], None]
BENCHES = [
    path
    for path in (sorted(Path(FOLDER, "benches").iterdir()) if FOLDER else ())
    if (path / "config/nginx.conf").exists() or (path / "config/supervisor.conf").exists()
]
LOG_FORMAT = "log_format main '$remote_addr [$time_local] \"$request\" $status';\n"
"""In Red Hat's nginx.conf, and not in Debian's; bench takes it for granted."""


class Host(NamedTuple):
    """A machine with nginx and Supervisor, and prodgen at hand."""

    machine: Machine
    adopter: Adopter

    def shell(self, command: str, *, check: bool = True) -> str:
        """What a command prints."""
        return self.machine.run(["sh", "-c", command], check=check).stdout

    def nginx_takes_it(self) -> subprocess.CompletedProcess[str]:
        """`nginx -t`."""
        return self.machine.run(["nginx", "-t", "-q"], check=False)

    def reload(self) -> None:
        """nginx reads its config anew, and only new workers are left."""
        before = self._workers()
        self.shell("nginx -s reload")
        wait_for(lambda: (now := self._workers()) and not now & before, 20, "nginx")

    def _workers(self) -> set[str]:
        return set(self.shell("pgrep -P $(cat /run/nginx.pid)", check=False).split())


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Machine(keep_units=["nginx", "supervisor"]) as machine:
        machine.run(["systemctl", "start", "nginx", "supervisor"])
        asked = ["supervisorctl", "pid"]
        wait_for(lambda: machine.run(asked, check=False).returncode == 0, 20, "supervisord")
        with Adopter(machine) as adopter:
            yield Host(machine, adopter)


def text_of(bench: Path, name: str) -> str:
    """A file of the bench; empty where it has none."""
    path = bench / name
    return path.read_text(errors="replace") if path.exists() else ""


def folder_of(bench: Path) -> Path:
    """Where the bench lay, as its config says."""
    text = "".join(text_of(bench, f"config/{name}.conf") for name in ("nginx", "supervisor"))
    found = re.search(r"(?m)(?:root (\S+)/sites/?;|command=(\S+)/env/bin/)", text)
    return Path(found[1] or found[2]) if found else Path("/home/frappe/frappe-bench")


def servers_of(bench: Path) -> list[Directive]:
    """The servers of its nginx.conf."""
    return [one for one in parse(text_of(bench, "config/nginx.conf")) if one.words == ("server",)]


def words_of(server: Directive, *head: str) -> list[str]:
    """What stands behind these words."""
    size = len(head)
    return [one.words[size] for one in leaves(server) if one.words[:size] == head]


@contextmanager
def installed(host: Host, bench: Path) -> Iterator[Path]:
    """The bench where it was, with its config as `bench setup production` leaves it."""
    folder, machine = folder_of(bench), host.machine
    found = re.search(r'"frappe_user":\s*"(.+?)"', text_of(bench, "sites/common_site_config.json"))
    user = found[1] if found else "frappe"
    shutil.copytree(bench, machine.real(folder))
    for server in servers_of(bench):
        for site in words_of(server, "proxy_set_header", "X-Frappe-Site-Name"):
            # A repository often leaves its sites out.
            config = folder / "sites" / site / "site_config.json"
            if "$" not in site and not machine.real(config).exists():
                machine.put(config, "{}")
        put_tls_files(machine, server)
    add = f"getent passwd {user} >/dev/null || useradd --create-home {user}"
    host.shell(f"{add}; mkdir -p {folder}/logs; chmod -R u+w {folder}; chown -R {user} {folder}")
    for name, place in PLACES.items():
        if text_of(bench, f"config/{name}.conf"):
            host.shell(f"ln -s {folder}/config/{name}.conf {place}/{folder.name}.conf")
    try:
        yield folder
    finally:
        places = " ".join(f"{place}/*" for place in PLACES.values())
        host.shell(
            f"rm -rf {folder} {places} /etc/nginx/{folder.name} /etc/prodgen /var/lib/prodgen"
        )


class Application(BaseHTTPRequestHandler):
    """What answers behind nginx: it says which site it was asked for."""

    def do_GET(self) -> None:
        """Any request."""
        told = json.dumps({key: self.headers[key] for key in ("X-Frappe-Site-Name", "Host")})
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told.encode())

    do_POST = do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def answering(machine: Machine, ports: set[int]) -> Iterator[None]:
    """An application at these ports of the machine."""
    servers: list[ThreadingHTTPServer] = []

    def listen() -> None:
        machine.enter_network()
        servers.extend(ThreadingHTTPServer(("127.0.0.1", port), Application) for port in ports)

    opening = threading.Thread(target=listen)
    opening.start()
    opening.join()
    threads = [threading.Thread(target=one.serve_forever, args=(0.01,)) for one in servers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def heard(host: Host, name: str, port: int) -> list[object]:
    """What a browser of another origin gets from the application, for each method."""
    found: list[object] = []
    for method in ("GET", "POST", "OPTIONS"):
        answer = fetch(
            ("127.0.0.1", port),
            "/api/method/ping",
            method=method,
            host=name,
            headers={"Origin": "https://elsewhere.test"},
            place=host.machine,
        )
        foreign = {key: one for key, one in answer.headers.items() if key.startswith("access-")}
        found += [answer.status, answer.status == 200 and answer.json(), foreign]
    return found


def served(bench: Path) -> dict[str, int]:
    """The names that the application answers to without TLS, and where."""
    found: dict[str, int] = {}
    for server in servers_of(bench):
        listens = [one.words[1:] for one in server.inner or () if one.words[0] == "listen"]
        plain = [one[0].rpartition(":")[2] for one in listens if "ssl" not in one]
        if plain and words_of(server, "proxy_pass"):
            found |= dict.fromkeys(names_of(server), int(plain[0]))
    return found


@pytest.mark.matrix
@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.name.partition("__")[0])
def test_it_loads_or_is_refused(host: Host, bench: Path, figure: Figure) -> None:
    with installed(host, bench) as folder:
        if 'unknown log format "main"' in host.nginx_takes_it().stderr:
            assert_refused(host, folder, 'unknown log format "main"')
            host.machine.put("/etc/nginx/conf.d/aa.conf", LOG_FORMAT)
        if not text_of(bench, "Procfile"):
            assert_refused(host, folder, "no Procfile")
            return
        before = answers(host, served(bench))
        ended = host.adopter.adopt(folder)
        assert ended.code == 0, ended.err
        assert_taken(host, folder)
        listed = re.findall(
            r'sites/(\S+)/site_config.json: "nginx_port"', " ".join(ended.err.split())
        )
        elsewhere = dict.fromkeys((name.lower() for name in listed), 80)
        after = answers(host, {**served(bench), **elsewhere}) if before else {}
        assert after == before
        figure(f"{len(before)} names answer as before")


def test_the_files_of_another_bench_are_left_alone(host: Host) -> None:
    """Both may be written for the same ports: all but one of a machine's benches are stale."""
    whole = (one for one in BENCHES if all(text_of(one, f"config/{name}.conf") for name in PLACES))
    first, second = list({folder_of(one).name: one for one in whole}.values())[:2]
    with installed(host, first) as other, installed(host, second) as folder:
        ended = host.adopter.adopt(folder)
        assert ended.code == 0, ended.err
        links = host.shell("find /etc/nginx/conf.d /etc/supervisor/conf.d -type l").split()
        assert links == [f"{PLACES[name]}/{other.name}.conf" for name in ("nginx", "supervisor")]
        assert host.nginx_takes_it().returncode == 0


def test_a_user_who_is_not_there_is_told(host: Host) -> None:
    with installed(host, BENCHES[0]) as folder:
        host.machine.put(folder / "prodgen.yaml", "version: 1\nuser: nobody-of-ours\n")
        assert_refused(host, folder, "there is no user nobody-of-ours")


def answers(host: Host, names: Mapping[str, int]) -> dict[str, list[object]]:
    """What each name gets at its port; nobody is asked where nginx does not take the files."""
    if not names or host.nginx_takes_it().returncode != 0:
        return {}
    host.reload()
    text = host.shell("cat /etc/nginx/conf.d/*", check=False)
    ports = {int(one) for one in re.findall(r"server\s+127\.0\.0\.1:(\d+)", text)}
    with answering(host.machine, ports):
        return {name: heard(host, name, port) for name, port in names.items()}


def assert_refused(host: Host, folder: Path, why: str) -> None:
    """Adopt says why not, and nothing is changed."""
    there = "find /etc/nginx /etc/supervisor /etc/prodgen ! -type d -exec ls -l {} +"
    before = host.shell(there, check=False)
    ended = host.adopter.adopt(folder)
    assert ended.code == 1, ended.err
    assert why in ended.err
    assert host.shell(there, check=False) == before


def assert_taken(host: Host, folder: Path) -> None:
    """Both programs load what is there now, and theirs is gone."""
    assert host.nginx_takes_it().returncode == 0
    read = host.shell("supervisorctl reread")
    assert f"{folder.name}-web: available" in read, read
    links = host.shell("find /etc/nginx/conf.d /etc/supervisor/conf.d -type l")
    assert not links
