"""What scanners and TLS clients find in the output."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prodgen.plan.core.model import Plan
from tests.support import nginx_fixture
from tests.support.nginx_fixture import site, texts
from tests.support.nginx_stand import FORGED, Stand, certificate, stand
from tests.support.rig.tools import missing, need

pytestmark = pytest.mark.live

WRAPPER = """\
events {{}}
http {{
    server_tokens off;
    include /etc/nginx/mime.types;
    include {folder}/conf.d/*.conf;
    server {{
        listen 80 default_server;
        listen [::]:80 default_server;
        server_name _;
        return 444;
    }}
    server {{
        listen 443 ssl default_server;
        listen [::]:443 ssl default_server;
        server_name _;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
        ssl_reject_handshake on;
        add_header Strict-Transport-Security max-age=1 always;
        return 444;
    }}
}}
"""
OLD = ["--tlsv1.0", "--tls-max", "1.1"]
PAIR = ("/etc/ssl/one.pem", "/etc/ssl/one.key")
SCANNED: dict[str, Plan] = {
    "plain": nginx_fixture.plan(site("one.test")),
    "secured": nginx_fixture.plan(
        site("one.test"), site("two.test", "two.test", "*.shop.test", certificate=PAIR)
    ),
    "all": nginx_fixture.plan(
        site("one.test", certificate=PAIR),
        site("two.test", port=8081),
        trusted_proxies=("10.0.0.0/8",),
        login_rate=10,
        api_rate=5,
        json_logs=True,
        gzip_static=True,
        hsts="preload",
        tls="modern",
        certificates="map",
    ),
    "new": nginx_fixture.plan(
        site("one.test", certificate=PAIR), versions={"nginx": "1.26.3"}, http3=True
    ),
}


@pytest.mark.parametrize("name", SCANNED)
def test_gixy_finds_nothing(tmp_path: Path, name: str) -> None:
    gixy = shutil.which("gixy", path=str(Path(sys.executable).parent)) or shutil.which("gixy")
    if gixy is None:
        missing("not installed: gixy-ng")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/bench.conf").write_text(texts(SCANNED[name])[0])
    config = tmp_path / "nginx.conf"
    config.write_text(WRAPPER.format(folder=tmp_path))
    done = subprocess.run([gixy, "-f", "json", str(config)], capture_output=True, text=True)
    found: Any = json.loads(done.stdout)
    assert found == [], [(one["severity"], one["summary"], one["reason"]) for one in found]


@pytest.fixture(scope="module")
def bench() -> Iterator[Stand]:
    """The servers behind nginx."""
    with stand() as made:
        yield made


def _curl(bench: Stand, *options: str) -> str:
    """The protocols that curl agrees on with the server, or its error."""
    write = "%{http_version} %{http_code}"
    ask = [need("curl"), "-sk", "-o", "/dev/null", "-w", write, *options]
    done = bench.net.run([*ask, "--resolve", "one.test:443:127.0.0.1", "https://one.test/"])
    return done.stdout if done.returncode == 0 else f"error {done.returncode}"


@pytest.mark.pitfall("22")
@pytest.mark.parametrize(
    ("tls", "options", "outcome"),
    [
        ("intermediate", ["--tls-max", "1.2"], "2 200"),
        ("intermediate", ["--tlsv1.3"], "2 200"),
        ("intermediate", ["--http1.1"], "1.1 200"),
        ("intermediate", [*OLD, "--ciphers", "ALL@SECLEVEL=0"], "error 35"),
        ("intermediate", ["--tls-max", "1.2", "--ciphers", "AES128-SHA"], "error 35"),
        ("modern", ["--tls-max", "1.2"], "error 35"),
        ("modern", ["--tlsv1.3"], "2 200"),
    ],
)
def test_protocols(bench: Stand, tls: str, options: list[str], outcome: str) -> None:
    pair = certificate(bench.folder, "one.test")
    with bench.serve(bench.plan(site("one.test", certificate=pair), tls=tls)):
        assert _curl(bench, *options) == outcome


def test_http2_can_be_left_out(bench: Stand) -> None:
    pair = certificate(bench.folder, "one.test")
    with bench.serve(bench.plan(site("one.test", certificate=pair), http2=False)):
        assert _curl(bench) == "1.1 200"


@pytest.mark.pitfall("5")
def test_one_s_own_additions(bench: Stand) -> None:
    """The include points of all three levels, moved into the test's folder."""
    own = bench.folder / "own"
    for name, text in {
        "http.d/a.conf": "map $host $mine { default yes; }\n",
        "server.d/a.conf": 'location = /mine { return 200 "$mine\\n"; }\n',
        "location.d/a.conf": "proxy_set_header X-Mine $mine;\n",
    }.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(text)
    with bench.serve(bench.plan(site("one.test"))) as nginx:
        text = (nginx.conf_d / "frappe-bench.conf").read_text()
        nginx.add("frappe-bench.conf", text.replace("/etc/nginx/frappe-bench", str(own)))
        ok, said = nginx.reload()
        assert ok, said
        assert bench.ask("/mine").text == "yes\n"
        seen = bench.whoami(headers=FORGED)
        assert (seen["site"], seen["request_ip"]) == ("one.test", "127.0.0.1")
        assert seen["headers"]["x-mine"] == "yes"
