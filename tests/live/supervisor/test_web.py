"""The web tier restarts, and nobody notices."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from prodgen.cli.core.exits import Exit
from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from prodgen.targets.nginx.render import TARGET as NGINX
from tests.support.live.restarting import prodgen, roll
from tests.support.live.supervised import Edit, Figure, Supervised, commands_of, settled, supervised
from tests.support.rig import procs
from tests.support.rig.client import Answer, fetch
from tests.support.rig.load import Load
from tests.support.rig.netns import Network
from tests.support.rig.nginx import Nginx
from tests.support.rig.waiting import wait_for

SITE = "one.test"
REQUESTS = 5000
CLIENTS = 16
PAUSE = 0.02
"""Seconds between two requests of a client; without it they leave no CPU to what restarts."""


@contextmanager
def before_nginx(ground: Path, net: Network, **more: Any) -> Iterator[Supervised]:
    """A bench behind nginx, both with prodgen's own configuration, on the real ports."""
    config = {"gunicorn_workers": 4, **more.pop("config", {})}
    with supervised(ground, place=net, config=config, **more) as run:
        [artifact], found = NGINX.render(run.plan())
        assert not found
        nginx = Nginx(ground / "nginx", place=net)
        nginx.add(artifact.path.name, artifact.text)
        try:
            with nginx:
                yield run
        finally:
            for log in Path("/var/log/nginx").glob(f"{run.name}.*"):
                log.unlink()


def clients(run: Supervised, **more: Any) -> Load:
    """Sixteen of them, GET and POST in turn, through nginx."""
    own = {"clients": CLIENTS, "pause": PAUSE, **more}
    return Load(("127.0.0.1", 80), SITE, place=run.bench.place, **own)


def ask(run: Supervised, path: str) -> Answer:
    """One request through nginx."""
    return fetch(("127.0.0.1", 80), path, host=SITE, place=run.bench.place, timeout=30)


def with_gunicorn(plan: Plan, **values: Any) -> Plan:
    """The plan with other settings of Gunicorn."""

    def changed(service: Any) -> Any:
        own = service.gunicorn
        if own is None:
            return service
        new = {name: Sourced(value, getattr(own, name).origin) for name, value in values.items()}
        return service._replace(gunicorn=own._replace(**new))

    return plan._replace(services=tuple(changed(one) for one in plan.services))


CASES = [
    ("debian", "15.72.4", "frappe15", {"preload": True}),
    ("pypi", "16.4.1", "frappe16", {"preload": False}),
    ("pypi", "16.4.1", "newest", {"preload": True}),
    ("debian", "16.4.1", "newest", {"preload": False, "threads": 4, "workers": 1}),
]


@pytest.mark.matrix_cases("newest", "frappe15")
@pytest.mark.parametrize(("origin", "frappe", "stack", "settings"), CASES)
def test_no_request_fails_over_rolling_restarts(
    ground: Path,
    net: Network,
    origin: str,
    frappe: str,
    stack: str,
    settings: dict[str, Any],
    figure: Figure,
) -> None:
    with before_nginx(
        ground,
        net,
        commands=commands_of(origin),
        frappe_version=frappe,
        stack=stack,
        edit=settled,
        change=lambda plan: with_gunicorn(plan, **settings),
    ) as run:
        with clients(run) as load:
            for version in ("2", "3", "4"):
                run.bench.set_version(version)
                roll(run)
            wait_for(lambda: load.answered() >= REQUESTS, 60, "enough requests")
        assert ask(run, "/api/method/version").json()["message"] == "4"
        figure(f"3 rolling restarts, {load.result}")
        assert load.result.failed == 0
        assert load.result.ok >= REQUESTS
        assert set(load.result.versions) >= {"1", "4"}


@pytest.mark.matrix
def test_the_ordinary_layout_fails_requests(ground: Path, net: Network, figure: Figure) -> None:
    """One Gunicorn that opens its own port, as bench has it: what the two masters are for."""

    def ordinary(text: str) -> str:
        text = text.replace("[fcgi-program:", "[program:").replace("numprocs=2", "numprocs=1")
        text = text.replace("fd://0", f"127.0.0.1:{port[0]}")
        return "".join(line for line in text.splitlines(True) if not line.startswith("socket="))

    port: list[int] = []

    def with_port(plan: Plan) -> Plan:
        port[:] = [one.listen.value.port for one in plan.services if one.listen]
        return plan

    with before_nginx(ground, net, change=with_port, edit=ordinary) as run:
        with clients(run) as load:
            for _ in range(3):
                run.restart_group("web")
                wait_for(run.bench.web_answers, 20, "an answer")
            wait_for(lambda: load.answered() >= 1000, 60, "enough requests")
        figure(f"3 restarts of bench's layout, {load.result}")
        assert load.result.failed > 0


@pytest.mark.matrix_cases("False")
@pytest.mark.parametrize("preload", [True, False])
def test_more_workers_and_another_timeout_need_no_new_socket(
    ground: Path, net: Network, *, preload: bool, figure: Figure
) -> None:
    """Both stand in Gunicorn's own file: HUP to each master, and Supervisor has nothing to do."""
    change = lambda plan: with_gunicorn(plan, preload=preload)  # noqa: E731
    with before_nginx(ground, net, change=change) as run:
        run.wait_up()
        before = run.pids()
        run.bench.set_config(gunicorn_workers=6, http_timeout=180)
        with clients(run) as load:
            wait_for(lambda: load.answered() >= 500, 20, "some requests")
            run.install()
            assert run.supervisor.ctl("update").stdout == ""
            run.supervisor.ctl("signal", "HUP", f"{run.group('web')}:*")
            masters = run.pids("web").values()
            three = lambda: {len(procs.descendants(pid)) for pid in masters} == {3}  # noqa: E731
            wait_for(three, 20, "three workers of each")
            enough = load.answered() + 1500
            wait_for(lambda: load.answered() >= enough, 30, "more requests")
        figure(f"4 to 6 workers by HUP, {load.result}")
        assert load.result.failed == 0
        assert run.pids() == before


SLOW = 4


def cut_short(text: str) -> str:
    """D-SV11: Gunicorn gives a request less time than it may take."""
    lines = text.splitlines()
    return "\n".join(
        "graceful_timeout = 1" if line.startswith("graceful_timeout") else line for line in lines
    )


@pytest.mark.matrix_cases("cut_short")
@pytest.mark.pitfall("16")
@pytest.mark.pitfall("D-SV11")
@pytest.mark.parametrize("fault", [None, cut_short])
def test_a_slow_request_survives_the_restart(
    ground: Path, net: Network, fault: Edit | None
) -> None:
    with before_nginx(ground, net, edit_gunicorn=fault) as run:
        answers: list[Answer] = []

        def slow() -> None:
            answers.append(ask(run, f"/api/method/sleep?seconds={SLOW}"))

        askers = [threading.Thread(target=slow) for _ in range(2)]
        for each in askers:
            each.start()
        begun = lambda: json.loads(ask(run, "/api/method/whoami").body)  # noqa: E731
        wait_for(begun, 5, "a free worker")
        roll(run)
        for each in askers:
            each.join(30)
        assert [answer.status for answer in answers] == [502 if fault else 200] * 2


def test_an_instance_that_cannot_load_the_code_leaves_the_other(ground: Path, net: Network) -> None:
    """Without preload Supervisor sees a running master: only an answer of its own tells."""
    change = lambda plan: with_gunicorn(plan, preload=False)  # noqa: E731
    with before_nginx(ground, net, change=change) as run:
        _, second = sorted(run.processes("web"))
        before = run.pids("web")[second]
        app = run.bench.file("apps/frappe/frappe/app.py")
        sound = app.read_text()
        app.write_text("raise RuntimeError('a bad deploy')\n" + sound)
        done = prodgen(run, "restart", "web")
        assert done.code == Exit.UNHEALTHY, done
        assert "left as they were" in done.out + done.err
        assert run.pids("web")[second] == before
        assert ask(run, "/api/method/ping").status == 200
        app.write_text(sound)
        roll(run)


def test_an_instance_that_dies_comes_back(ground: Path, net: Network, figure: Figure) -> None:
    with before_nginx(ground, net) as run:
        with clients(run) as load:
            wait_for(lambda: load.answered() >= 300, 20, "some requests")
            name, master = min(run.pids("web").items())
            procs.kill_all([master])
            wait_for(lambda: run.pids("web")[name] not in (0, master), 20, "a new master")
            enough = load.answered() + 500
            wait_for(lambda: load.answered() >= enough, 20, "more requests")
        figure(f"kill -9 of one master, {load.result}")
        assert load.result.failed <= CLIENTS
