"""The web tier restarts behind nginx on a real systemd, and nobody notices."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.restarting import roll
from tests.support.live.systemd_bench import (
    NAME,
    SITE,
    SOCKET,
    TARGET,
    Figure,
    Run,
    booted,
    with_gunicorn,
)
from tests.support.rig import bench_files as files
from tests.support.rig.client import Answer
from tests.support.rig.load import Load
from tests.support.rig.waiting import wait_for

REQUESTS = 5000
CLIENTS = 16
PAUSE = 0.02
"""Seconds between two requests of a client; without it they leave no CPU to what restarts."""
APP = "apps/frappe/frappe/app.py"
SOUND = (files.STANDIN / "frappe/app.py").read_text()
BROKEN = "raise RuntimeError('a bad deploy')\n"


@pytest.fixture(scope="module")
def machine_run() -> Iterator[Run]:
    with booted(nginx=True, config={"gunicorn_workers": 4}) as run:
        yield run


@pytest.fixture
def run(machine_run: Run) -> Run:
    """Each test begins with the usual settings and everything up."""
    machine_run.bench.file(APP).write_text(SOUND)
    machine_run.install()
    machine_run.start()
    return machine_run


def clients(run: Run, count: int = CLIENTS, **more: Any) -> Load:
    """Clients that send GET and POST in turn, through nginx."""
    own = {"clients": count, "pause": PAUSE, **more}
    return Load(("127.0.0.1", 80), SITE, place=run.machine, **own)


def answer_more(load: Load, count: int) -> None:
    """Wait until the clients have had so many more answers."""
    enough = load.answered() + count
    wait_for(lambda: load.answered() >= enough, 60, f"{count} more answers")


def is_closed(run: Run) -> bool:
    """Whether nobody listens."""
    return run.systemctl("is-active", SOCKET, check=False).strip() == "inactive"


@pytest.mark.matrix_cases("False")
@pytest.mark.parametrize("preload", [True, False])
def test_no_request_fails_over_rolling_restarts(run: Run, *, preload: bool, figure: Figure) -> None:
    run.bench.set_version("1")
    run.install(lambda plan: with_gunicorn(plan, preload=preload))
    roll(run)
    with clients(run) as load:
        answer_more(load, 200)
        for version in ("2", "3", "4"):
            run.bench.set_version(version)
            roll(run)
        wait_for(lambda: load.answered() >= REQUESTS, 120, "enough requests")
    figure(f"3 rolling restarts, preload {preload}, {load.result}")
    assert load.result.failed == 0
    assert set(load.result.versions) >= {"1", "4"}
    assert run.ask("/api/method/version", 80).json()["message"] == "4"


def test_no_request_fails_while_everything_restarts(run: Run, figure: Figure) -> None:
    with clients(run) as load:
        answer_more(load, 200)
        run.systemctl("restart", *run.units_of(Role.WEB))
        answer_more(load, 200)
        run.systemctl("restart", f"{NAME}-web.target")
        answer_more(load, 200)
        run.systemctl("restart", TARGET)
        answer_more(load, 200)
    figure(f"both at once, the tier, the whole bench, {load.result}")
    assert load.result.failed == 0


@pytest.mark.matrix_cases("-web.target")
@pytest.mark.parametrize("target", [TARGET, f"{NAME}-web.target"])
def test_a_stop_under_load_stops(run: Run, target: str) -> None:
    """No request starts again what is being stopped, and the port is closed."""
    with clients(run, 8) as load:
        answer_more(load, 100)
        run.systemctl("stop", target)
        wait_for(lambda: is_closed(run), 20, "the socket to be closed")
        assert {run.states()[unit].active for unit in run.units_of(Role.WEB)} == {"inactive"}
    assert run.systemctl("list-units", "--failed", "--no-legend") == ""


def test_a_slow_request_is_answered_by_the_instance_that_stops(run: Run) -> None:
    answers: list[Answer] = []
    asked = lambda: answers.append(run.ask("/api/method/sleep?seconds=3", 80))  # noqa: E731
    askers = [threading.Thread(target=asked) for _ in range(3)]
    for each in askers:
        each.start()
    wait_for(lambda: json.loads(run.ask("/api/method/whoami").body), 5, "a free worker")
    roll(run)
    for each in askers:
        each.join(30)
    assert [answer.status for answer in answers] == [200] * 3


@pytest.mark.matrix_cases("False")
@pytest.mark.parametrize("preload", [True, False])
def test_a_broken_application_never_counts_as_started(
    run: Run, *, preload: bool, figure: Figure
) -> None:
    run.install(lambda plan: with_gunicorn(plan, preload=preload))
    roll(run)
    app = run.bench.file(APP)
    first, second = run.units_of(Role.WEB)
    before = run.pids()[second]
    with clients(run, 4) as load:
        answer_more(load, 50)
        app.write_text(BROKEN)
        done = run.machine.run(["systemctl", "restart", first], check=False)
        assert done.returncode != 0
        wait_for(lambda: run.states()[first].restarts >= 1, 20, "another try")
        assert run.states()[first].active != "active"
        assert run.pids()[second] == before
        answer_more(load, 50)
        app.write_text(SOUND)
        wait_for(lambda: run.states()[first].active == "active", 30, "the mended application")
    figure(f"a broken deploy, preload {preload}, {load.result}")
    assert load.result.failed == 0
    run.await_all("active")


def test_a_request_waits_while_nothing_can_answer(run: Run, figure: Figure) -> None:
    """Both instances are in a crash loop: the socket keeps what arrives until one is up."""
    run.install()
    roll(run)
    app = run.bench.file(APP)
    app.write_text(BROKEN)
    run.machine.run(["systemctl", "restart", *run.units_of(Role.WEB)], check=False)
    answers: list[Answer] = []
    asked = lambda: answers.append(run.ask(port=80, timeout=60))  # noqa: E731
    asker = threading.Thread(target=asked)
    asker.start()
    wait_for(lambda: min(run.states()[each].restarts for each in run.units_of(Role.WEB)) >= 2,
             30, "two tries of each")  # fmt: skip
    assert answers == []
    app.write_text(SOUND)
    asker.join(60)
    assert [answer.status for answer in answers] == [200]
    figure("a request that arrived while both instances were down was answered")


@pytest.mark.matrix
def test_the_ordinary_layout_refuses_requests(run: Run, figure: Figure) -> None:
    """One Gunicorn that opens its own port, as bench has it: what the socket is for."""

    def ordinary(name: str, text: str) -> str:
        if name != f"{NAME}-frappe-web@.service":
            return text
        own = [line for line in text.splitlines(True) if "web.socket" not in line]
        return "".join(own).replace(" --config ", " -b 127.0.0.1:8000 --config ")

    run.systemctl("stop", f"{NAME}-web.target")
    wait_for(lambda: is_closed(run), 20, "the socket to be closed")
    run.install(edit=ordinary)
    web = run.units_of(Role.WEB)[0]
    run.systemctl("start", web)
    with clients(run, 4) as load:
        answer_more(load, 50)
        run.systemctl("restart", web)
        answer_more(load, 50)
    figure(f"one restart of bench's layout, {load.result}")
    run.systemctl("stop", web)
    assert load.result.failed > 0
