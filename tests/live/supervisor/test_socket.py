"""The web tier on a unix socket that Supervisor holds, behind nginx."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.supervisor.test_web import ask, before_nginx, clients
from tests.support.live.restarting import prodgen
from tests.support.live.supervised import Figure, Supervised, commands_of, supervised
from tests.support.rig import procs
from tests.support.rig.client import fetch
from tests.support.rig.netns import Network
from tests.support.rig.waiting import wait_for

SETTINGS = "web: {bind: 'unix:/run/NAME-web.sock', socket_group: www-data}\n"
REQUESTS = 3000


@contextmanager
def on_a_socket(ground: Path, net: Network, **more: Any) -> Iterator[tuple[Supervised, Path]]:
    """A bench behind nginx, and the path of its web's socket."""
    settings = more.pop("settings", SETTINGS)
    with before_nginx(ground, net, settings=settings, up=False, **more) as run:
        path = Path(f"/run/{run.name}-web.sock")
        try:
            wait_for(lambda: ask(run, "/api/method/ping").status == 200, 30, "an answer")
            run.wait_running()
            yield run, path
        finally:
            path.unlink(missing_ok=True)


@pytest.mark.matrix_cases("pypi")
@pytest.mark.parametrize(
    ("origin", "stack"), [("debian", "frappe15"), ("pypi", "frappe16"), ("pypi", "newest")]
)
def test_no_request_fails_over_rolling_restarts(
    ground: Path, net: Network, origin: str, stack: str, figure: Figure
) -> None:
    with on_a_socket(ground, net, commands=commands_of(origin), stack=stack) as (run, path):
        with clients(run) as load:
            for version in ("2", "3"):
                run.bench.set_version(version)
                run.roll()
            wait_for(lambda: load.answered() >= REQUESTS, 60, "enough requests")
        figure(f"2 rolling restarts, {load.result}")
        assert load.result.failed == 0
        assert set(load.result.versions) >= {"1", "3"}
        assert (path.group(), stat.S_IMODE(path.stat().st_mode)) == ("www-data", 0o660)


def test_prodgen_restart_sees_which_instance_answers(ground: Path, net: Network) -> None:
    """A broken deploy stops at the first instance, though the other one still answers."""
    text = SETTINGS.replace("{bind", "{preload: false, bind")
    with on_a_socket(ground, net, settings=text) as (run, _):
        before = run.pids("web")
        assert prodgen(run, "restart", "web").code == 0
        after = run.pids("web")
        assert not set(before.values()) & set(after.values())
        app = run.bench.file("apps/frappe/frappe/app.py")
        app.write_text("raise RuntimeError('a bad deploy')\n" + app.read_text())
        assert prodgen(run, "restart", "web").code == 4
        assert len(set(after.values()) & set(run.pids("web").values())) == 1
        assert ask(run, "/api/method/ping").status == 200


def test_the_socket_is_there_again_when_both_instances_restart(ground: Path, net: Network) -> None:
    with on_a_socket(ground, net) as (run, _):
        run.supervisor.call("stopProcessGroup", run.group("web"))
        assert ask(run, "/api/method/ping").status == 502
        run.supervisor.call("startProcessGroup", run.group("web"), False)
        wait_for(lambda: ask(run, "/api/method/ping").status == 200, 30, "an answer")


@pytest.mark.matrix
def test_by_its_own_option_gunicorn_removes_the_socket(ground: Path, net: Network) -> None:
    """Why the socket is handed over as systemd would: one instance's end cuts off the other."""

    def by_option(text: str) -> str:
        head, _, rest = text.partition("command=/bin/sh -c 'exec /usr/bin/env LISTEN_PID")
        _, _, argv = rest.partition("0</dev/null' ")
        program, _, more = argv.partition(" ")
        return f"{head}command={program} --bind fd://0 {more}"

    # The folder of the socket must let the bench's user remove it, which /run does not.
    def elsewhere(text: str) -> str:
        return by_option(text).replace("unix:///run/", f"unix://{ground}/open/")

    (ground / "open").mkdir()
    (ground / "open").chmod(0o777)
    with before_nginx(ground, net, settings=SETTINGS, up=False, edit=elsewhere) as run:
        run.wait_running()
        path = ground / "open" / f"{run.name}-web.sock"
        first = min(run.processes("web"))
        wait_for(path.exists, 10, "the socket")
        run.supervisor.call("stopProcess", first)
        assert not path.exists()


def test_realtime_comes_back_on_its_own_socket(ground: Path) -> None:
    """Node leaves its socket file behind, and could not listen there again."""
    config = {"socketio_uds": "config/realtime.sock"}
    with supervised(ground, config=config, up=False, frappe_version="15.72.4") as run:
        run.wait_running()
        path = run.bench.file("config/realtime.sock")

        def answers() -> bool:
            query = "/socket.io/?EIO=4&transport=polling"
            headers = {"X-Frappe-Site-Name": "one.test"}
            return fetch(str(path), query, host="one.test", headers=headers).status == 200

        wait_for(answers, 15, "realtime to answer")
        assert stat.S_IMODE(path.stat().st_mode) == 0o777
        name, pid = next((name, pid) for name, pid in run.pids().items() if "socketio" in name)
        procs.kill_all([pid])
        wait_for(lambda: run.pids()[name] not in (0, pid), 15, "a new process")
        wait_for(answers, 15, "realtime to answer again")
