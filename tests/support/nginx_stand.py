"""A bench with its web and realtime servers in a private network, to put nginx before."""

from __future__ import annotations

import http.client
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from prodgen.plan.core.model import Plan, Site
from prodgen.targets.nginx.render import render_nginx
from tests.support import nginx_fixture
from tests.support.rig.bench import Bench, make_bench
from tests.support.rig.client import Answer, fetch, trusting_anyone
from tests.support.rig.netns import Network, network
from tests.support.rig.nginx import Nginx
from tests.support.rig.place import open_socket
from tests.support.rig.process import Child
from tests.support.rig.tools import need

SITES = ("one.test", "two.test")
UPLOADS = {
    "page.html": "<script>1</script>",
    "image.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "data.XML": "<a/>",
    "feed.rss": "<rss/>",
    "my-xml-export.csv": "a,b\n",
    "plain.txt": "hello\n",
    "line\nbreak.html": "<p>",
}
MORE_ASSETS = {
    "crm/frontend/assets/index-AbC12_xY.js": "1\n",
    "frappe/module.mjs": "export default 1\n",
    ".git/config": "secret\n",
}
SECURITY = {
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin, strict-origin-when-cross-origin",
}
FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-IP": "6.6.6.6",
    "X-Frappe-Site-Name": "two.test",
    "X-Request-ID": "chosen",
    "X-Frappe-Request-Id": "chosen",
    "X-Use-X-Accel-Redirect": "",
    "Forwarded": "for=6.6.6.6;proto=https;host=evil.test",
    "Proxy": "http://evil.test",
    "REMOTE_ADDR": "6.6.6.6",
    "SCRIPT_NAME": "/evil",
}
"""What a client may claim, and nobody should believe."""
PORTS = (8000, 9000, 13000, 11000)


class Answered(Protocol):
    """An answer of any client of the tests."""

    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass
class Stand:
    """The running bench, and nginx before it."""

    folder: Path
    net: Network
    bench: Bench
    web: Child
    nginx: Nginx | None = None

    def plan(self, *sites: Site, **options: Any) -> Plan:
        """A plan for this bench that keeps everything in the stand's folder."""
        chosen = {
            "bench": str(self.bench.path),
            "acme_webroot": str(self.folder / "acme"),
            "access_log": str(self.folder / "bench.access.log"),
            **options,
        }
        return nginx_fixture.plan(*sites, **chosen)

    @contextmanager
    def serve(self, plan: Plan, **options: Any) -> Iterator[Nginx]:
        """A running nginx with the plan's files; it must load without any warning."""
        artifacts, findings = render_nginx(plan)
        assert artifacts, findings
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o755)
        nginx = Nginx(folder, place=self.net, **options)
        for artifact in artifacts:
            nginx.add(artifact.destination.name, artifact.text)
        ok, said = nginx.test()
        assert ok, said
        with nginx:
            yield nginx
        shutil.rmtree(folder)

    def ask(
        self,
        path: str = "/",
        host: str = "one.test",
        *,
        port: int = 80,
        address: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        **more: Any,
    ) -> Answer:
        """One request through nginx."""
        secure = tls or (trusting_anyone() if port in (443, 8443) else None)
        return fetch((address, port), path, host=host, place=self.net, tls=secure, **more)

    def whoami(self, host: str = "one.test", **more: Any) -> Any:
        """What the application sees of a request."""
        return self.ask("/api/method/whoami", host, **more).json()

    def raw(self, data: bytes, port: int = 80) -> bytes:
        """Everything that comes back for these bytes; empty where nginx only closes."""
        with open_socket(self.net, ("127.0.0.1", port), 5) as link:
            link.sendall(data)
            answer = b""
            try:
                while piece := link.recv(65536):
                    answer += piece
            except (TimeoutError, ConnectionResetError):
                pass
            return answer

    def is_refused(self, host: str, path: str = "/", **more: Any) -> bool:
        """Whether nginx closes the connection without an answer."""
        try:
            self.ask(path, host, **more)
        except (http.client.RemoteDisconnected, ConnectionResetError, ssl.SSLError):
            return True
        return False


def has_security_headers(answer: Answered) -> None:
    """Fails unless each security header is there exactly once."""
    for name, value in SECURITY.items():
        assert answer.headers.get(name) == value, name


def certificate(folder: Path, *names: str) -> tuple[str, str]:
    """A self-signed certificate for these names, and its key."""
    stem = names[0].replace("*", "_")
    chain, key = folder / f"{stem}.pem", folder / f"{stem}.key"
    argv = [need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    argv += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "9", "-subj", f"/CN={names[0]}"]
    argv += ["-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
    subprocess.run(
        [*argv, "-out", str(chain), "-keyout", str(key)], check=True, capture_output=True
    )
    return str(chain), str(key)


@contextmanager
def stand(name: str = "frappe-bench") -> Iterator[Stand]:
    """A bench in a folder of this name, with Gunicorn and the realtime server running."""
    need("nginx", "node", "redis-server")
    folder = Path(tempfile.mkdtemp(prefix="prodgen-nginx-"))
    folder.chmod(0o755)
    try:
        with network() as net, ExitStack() as servers:
            bench = make_bench(folder / name, sites=SITES, place=net, ports=PORTS)
            _add_files(bench, folder)
            web = bench.child("web", bench.web_argv())
            redis = bench.child("redis", bench.redis_argv("queue"))
            node = bench.child("socketio", bench.socketio_argv())
            servers.enter_context(web)
            servers.enter_context(redis)
            redis.wait_port(bench.queue_port)
            servers.enter_context(node)
            web.wait_port(bench.web_port)
            node.wait_log("Realtime service listening")
            yield Stand(folder, net, bench, web)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add_files(bench: Bench, folder: Path) -> None:
    for site in SITES:
        files = bench.file(f"sites/{site}/public/files")
        for name, text in UPLOADS.items():
            (files / name).write_text(text)
        (files / ".hidden").write_text("secret\n")
        bench.file(f"sites/{site}/private/files/evil.svg").write_text(UPLOADS["image.svg"])
    _write(bench.file("sites/assets"), MORE_ASSETS)
    _write(folder / "acme/.well-known/acme-challenge", {"token": "answer\n"})


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
