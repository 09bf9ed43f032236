"""The stand-in's web application under a real Gunicorn."""

from __future__ import annotations

import hashlib
import http.client
from typing import TYPE_CHECKING

import pytest

from tests.support.rig.bench import Bench, make_bench
from tests.support.rig.client import Answer, fetch
from tests.support.rig.load import Load
from tests.support.rig.tools import need_root

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.rig.process import Child

pytestmark = pytest.mark.matrix


def web(bench: Bench) -> Child:
    """Gunicorn over the bench."""
    return bench.child("web", bench.web_argv())


def ask(bench: Bench, path: str, host: str = "one.test", **more: object) -> Answer:
    """One request to the bench's web server."""
    return fetch(("127.0.0.1", bench.web_port), path, host=host, **more)  # type: ignore[arg-type]


def test_the_application_answers_as_frappe_does(ground: Path) -> None:
    bench = make_bench(ground / "frappe-bench", sites={"one.test": {}, "two.test": {}})
    with web(bench) as child:
        child.wait_ready(bench.web_answers)
        assert ask(bench, "/api/method/ping").json() == {"message": "pong"}
        assert ask(bench, "/api/method/ping", host="no.test").status == 404
        named = {"X-Frappe-Site-Name": "two.test"}
        assert ask(bench, "/api/method/whoami", headers=named).json()["site"] == "two.test"
        body = b"x" * 40_000
        echo = ask(bench, "/api/method/echo", method="POST", body=body).json()
        assert (echo["length"], echo["sha256"]) == (40_000, hashlib.sha256(body).hexdigest())
        assert ask(bench, "/api/method/status?code=418").status == 418
        assert ask(bench, "/private/files/secret.txt").text == "private <p>one.test</p>\n"
        accel = {"X-Use-X-Accel-Redirect": "True"}
        path = "/private/files/gr%C3%B6%C3%9Fe.txt"
        handed = ask(bench, path, headers=accel).headers["x-accel-redirect"]
        assert handed == f"/protected{path}"
        bench.set_config(maintenance_mode=1)
        assert ask(bench, "/api/method/ping").status == 503


def test_new_code_shows_after_a_restart_only(ground: Path) -> None:
    bench = make_bench(ground / "frappe-bench", frappe_version="16.4.1")
    with web(bench) as child:
        child.wait_ready(bench.web_answers)
        bench.set_version("2")
        assert ask(bench, "/api/method/version").json()["message"] == "1"
    with web(bench) as child:
        child.wait_ready(bench.web_answers)
        facts = ask(bench, "/api/method/version").json()
        assert (facts["message"], facts["frappe"]) == ("2", "16.4.1")


def test_a_service_user_runs_it_and_unwritable_logs_stop_it(ground: Path) -> None:
    need_root("another user")
    bench = make_bench(ground / "frappe bench", user="www-data")
    with web(bench) as child:
        child.wait_ready(bench.web_answers)
        facts = ask(bench, "/api/method/whoami").json()
        assert facts["user"] == "www-data"
        assert facts["cwd"] == str(bench.sites_path)
        assert facts["request_ip"] == "127.0.0.1"
        bench.file("sites/one.test/logs/database.log").chmod(0o444)
        with pytest.raises(http.client.RemoteDisconnected):
            ask(bench, "/api/method/ping")
    bench.file("logs/database.log").chmod(0o444)
    with web(bench) as child, pytest.raises(AssertionError, match="Permission denied"):
        child.wait_ready(bench.web_answers)


@pytest.mark.parametrize("keep_alive", [False, True])
def test_the_load_counts_what_fails(ground: Path, *, keep_alive: bool) -> None:
    bench = make_bench(ground / "frappe-bench")
    target = ("127.0.0.1", bench.web_port)
    with web(bench) as child:
        child.wait_ready(bench.web_answers)
        result = (
            Load(target, "one.test", clients=4, requests=80, keep_alive=keep_alive).start().wait()
        )
        assert (result.ok, result.failed) == (80, 0), str(result)
    assert Load(target, "one.test", clients=2, requests=4).start().wait().failed == 4
