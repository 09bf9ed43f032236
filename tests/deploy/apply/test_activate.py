"""What runs is told of new files: who leaves first, who changes, and nginx at the end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from prodgen.deploy.apply import activate
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import ProcessManager
from prodgen.deploy.restart import changed_services
from prodgen.deploy.restart.rolling import RestartOptions, Result
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.events import Report
from prodgen.host.programs import Done
from prodgen.plan.core.model import Manager, Role
from prodgen.targets.core.effects import Action, Effect
from tests.support.fakes.fake_manager import FakeManager, processes_of
from tests.support.fakes.recorder import PLAN, Recorder, joined, services

SUPERVISOR = Effect("supervisor", "frappe-bench-workers:x", Action.RESTART)
SYSTEMD = Effect("systemd", "frappe-bench-x.service", Action.STOP)
NGINX = Effect("nginx", "server", Action.RELOAD)
GONE = SUPERVISOR._replace(action=Action.STOP)


def none_asked() -> ProcessManager:
    raise AssertionError("no manager is asked for where the rooms are fakes")


class Run:
    """One activation, whose managers only note what they are told."""

    def __init__(self, folder: Path) -> None:
        self.steps: list[str] = []
        self.answers: dict[str, int] = {}
        """The exit codes of commands, by how they begin; 0 where none is said."""
        self.pid_file = folder / "nginx.pid"
        self.said = Recorder()
        self.rooms: dict[Manager, SimpleNamespace] = {}

    def command(self, argv: Sequence[str], **_: object) -> Done:
        text = " ".join(argv)
        self.steps.append(text)
        code = next((code for start, code in self.answers.items() if text.startswith(start)), 0)
        return Done(tuple(argv), code, "", "it does not want to" if code else "")

    def go(self, *effects: Effect, kept: frozenset[str] = frozenset()) -> Activation:
        work = Activation(BenchContext(PLAN), effects, self.said, none_asked, kept=kept)
        activate.activate(work)
        return work


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A host where nginx runs under systemd."""
    made = Run(tmp_path)

    def room(name: str) -> SimpleNamespace:
        return SimpleNamespace(
            stop=lambda _: made.steps.append(f"{name} stops"),
            change=lambda _: made.steps.append(f"{name} changes"),
        )

    made.rooms = {one: room(one.value) for one in Manager}
    monkeypatch.setattr(activate, "backend_of", made.rooms.__getitem__)
    monkeypatch.setattr(activate, "run", made.command)
    monkeypatch.setattr(activate, "NGINX_PID", made.pid_file)
    return made


ASKS = "systemctl is-active --quiet nginx.service"
RELOADS = "systemctl reload nginx.service"


def test_who_leaves_goes_before_who_comes_and_nginx_is_last(run: Run) -> None:
    run.go(NGINX, SUPERVISOR, SYSTEMD, kept=frozenset({"x"}))
    assert run.steps == ["systemd stops", "supervisor changes", ASKS, RELOADS]
    assert run.said.kinds() == ["reloaded"]


def test_a_bench_that_is_removed_only_stops(run: Run) -> None:
    run.go(GONE)
    assert run.steps == ["supervisor stops"]


def test_a_part_that_is_removed_is_a_change(run: Run) -> None:
    run.go(GONE, kept=frozenset({"frappe-bench-web:x"}))
    assert run.steps == ["supervisor changes"]


def test_nothing_is_told_to_whom_nothing_concerns(run: Run) -> None:
    run.go(NGINX)
    assert run.steps == [ASKS, RELOADS]


def test_nginx_without_systemd_is_reloaded_by_itself(run: Run) -> None:
    run.answers["systemctl is-active"] = 3
    run.pid_file.write_text(str(os.getpid()))
    run.go(NGINX)
    assert run.steps == [ASKS, "nginx -s reload"]


@pytest.mark.parametrize("text", ["", "4000000", "no number"])
def test_an_nginx_that_does_not_run_is_told_of(run: Run, text: str) -> None:
    run.answers["systemctl is-active"] = 3
    run.pid_file.write_text(text)
    work = run.go(NGINX)
    assert run.steps == [ASKS]
    assert "nginx does not run" in joined(run.said.texts("note"))
    assert work.problems == ()


def test_a_reload_that_fails_is_a_problem(run: Run) -> None:
    run.answers[RELOADS] = 1
    assert run.go(NGINX).problems == ("nginx did not reload: it does not want to",)


def effects_on(*names: str) -> list[Effect]:
    """Effects on the processes of these services."""
    groups = {"redis": "redis", "worker": "workers", "web": "web"}
    return [
        Effect(
            "supervisor",
            f"frappe-bench-{next(group for word, group in groups.items() if word in name)}:{name}",
            Action.RESTART,
            program=f"program:{name}",
        )
        for name in names
    ]


def test_redis_is_restarted_by_its_manager_and_the_rest_in_the_safe_order(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[tuple[str, ...], int | None]] = []

    def restart(
        context: BenchContext,
        manager: object,
        report: Report,
        options: RestartOptions,
        lock: int | None,
    ) -> Result:
        asked.append((options.parts, lock))
        return Result(("a worker did not come back",), touched=True)

    monkeypatch.setattr(changed_services, "restart", restart)
    manager = FakeManager(processes_of(services(Role.QUEUE, Role.WORKER)))
    names = ["frappe-bench-redis-queue", "frappe-bench-frappe-short-worker"]
    work = Activation(BenchContext(PLAN), (), run.said, lambda: manager, lock=7)
    changed_services.restart_changed(work, effects_on(*names), work.manager())
    assert manager.told("restart") == ["g:frappe-bench-redis-queue-0"]
    assert asked == [((names[1],), 7)]
    assert work.problems == ("a worker did not come back",)


def test_a_manager_that_cannot_be_reached_ends_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Activation) -> None:
        raise DeployError("PG904", "supervisord does not run")

    monkeypatch.setattr(run.rooms[Manager.SUPERVISOR], "change", refuse)
    with pytest.raises(DeployError):
        run.go(SUPERVISOR, NGINX)
    assert run.steps == [], "nginx keeps the config that fits what runs"
