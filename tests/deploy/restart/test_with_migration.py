"""A restart with migrations between: what was stopped comes back unless a migration has begun."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import State
from prodgen.deploy.restart import web as restart_web
from prodgen.deploy.restart import with_migration
from prodgen.deploy.restart.with_migration import GO_ON, Limits, migrated
from prodgen.deploy.system import procfs
from prodgen.plan.core.model import Role
from prodgen.review.changes.site_config_edit import FILE
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import FakeManager, processes_of
from tests.support.fakes.recorder import SITES, Recorder, make_session, services
from tests.support.owner import OWNER, give, is_owners
from tests.support.plans import fixture_plan
from tests.support.systemd_plans import sourced

SCHEDULER = "g:frappe-bench-frappe-schedule-0"


class Run:
    """A restart with migrations, of a bench without Redis; each step notes how things are."""

    def __init__(self, folder: Path, case: str) -> None:
        self.folder = folder
        for site in SITES:
            (folder / "sites" / site).mkdir(parents=True)
            (folder / "sites" / site / "site_config.json").write_text("{}")
        (folder / FILE).write_text("{}")
        give(folder)
        roles = services(Role.WEB, Role.WORKER, Role.SCHEDULER)
        self.manager = FakeManager(processes_of(roles))
        plan = fixture_plan(case)._replace(user=sourced(OWNER.name))
        self.session, self.said = make_session(self.manager, bench=folder, plan=plan)
        self.steps: list[tuple[str, bool, int]] = []
        """What was done, whether maintenance mode was on, and how many processes ran."""
        self.web_returns = self.migrates = True
        self.calm = True

    @property
    def maintenance(self) -> bool:
        return bool(json.loads((self.folder / FILE).read_text()).get("maintenance_mode"))

    def running(self) -> int:
        return sum(one.state is State.UP for one in self.manager.found.values())

    def note(self, what: str) -> None:
        self.steps.append((what, self.maintenance, self.running()))

    def restart_web(self, *_: object) -> bool:
        self.note("web")
        return self.web_returns

    def migrate_all(self, *_: object) -> bool:
        self.note("migrate")
        return self.migrates

    @contextlib.contextmanager
    def drained(self, *_: object) -> Iterator[bool]:
        yield self.calm

    def go(self) -> bool:
        """Whether the sites are migrated."""
        processes = self.manager.look()
        with migrated(self.session, processes, Limits(drain=60, migrate=60), lock=0) as done:
            self.note("restart")
        return done


@pytest.fixture
def make(
    request: pytest.FixtureRequest,
    ground: Path,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """A run in which everything goes well; the parameter is the case of Frappe."""
    made = Run(ground, getattr(request, "param", "frappe-15"))
    monkeypatch.setattr(restart_web, "restart_web", made.restart_web)
    monkeypatch.setattr(with_migration, "migrate_all", made.migrate_all)
    monkeypatch.setattr(with_migration, "drained", made.drained)
    monkeypatch.setattr(procfs, "stat", lambda _: None)
    return made


WEB = 2
ALL = 7
"""Processes: two of the web, four workers and the scheduler."""


def notes(said: Recorder) -> list[str]:
    return [text for text in said.texts("note") if text]


def test_workers_and_scheduler_are_stopped_and_maintenance_is_on(make: Run) -> None:
    assert make.go()
    assert make.steps == [("migrate", True, WEB), ("restart", True, WEB)]
    assert not make.maintenance
    assert is_owners(make.folder / FILE)


@pytest.mark.parametrize("make", ["frappe-16"], indirect=True)
def test_a_frappe_that_keeps_its_config_restarts_its_web_before(make: Run) -> None:
    assert make.go()
    assert make.steps == [("web", True, WEB), ("migrate", True, WEB), ("restart", False, WEB)]


@pytest.mark.parametrize("make", ["frappe-16"], indirect=True)
def test_a_web_that_does_not_return_ends_it_before_any_migration(make: Run) -> None:
    make.web_returns = False
    assert not make.go()
    assert [what for what, _, _ in make.steps] == ["web", "restart"]
    assert not make.maintenance
    assert GO_ON in notes(make.said)


def test_a_failed_migration_leaves_them_stopped_and_says_how_to_go_on(make: Run) -> None:
    make.migrates = False
    assert not make.go()
    assert make.running() == WEB
    assert GO_ON in notes(make.said)
    assert not make.maintenance


def test_an_interrupted_migration_leaves_them_stopped_too(
    make: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(with_migration, "migrate_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make.go()
    assert make.running() == WEB
    assert GO_ON in notes(make.said)
    assert not make.maintenance


def test_who_does_not_come_to_rest_is_not_stopped(make: Run) -> None:
    make.calm = False
    assert not make.go()
    assert make.steps == [("restart", False, ALL)]
    assert make.manager.calls == []


def test_what_cannot_be_stopped_has_the_rest_started_again(make: Run, clock: FakeClock) -> None:
    def stop(name: str) -> None:
        state = State.STOPPING if name == SCHEDULER else State.DOWN
        make.manager.put(name, state=state)
        clock.after(45, lambda: make.manager.put(SCHEDULER, state=State.DOWN))

    make.manager.on_stop = stop
    assert not make.go()
    assert make.session.problems == [
        "frappe-bench-frappe-schedule-0 did not stop; nothing was migrated"
    ]
    assert make.running() == ALL
    assert not make.maintenance


@pytest.mark.parametrize("error", [KeyboardInterrupt, DeployError])
def test_what_was_stopped_is_started_again_where_the_stop_is_interrupted(
    make: Run, error: type[BaseException]
) -> None:
    def stop(name: str) -> None:
        make.manager.put(name, state=State.DOWN)
        if name == SCHEDULER:
            raise error("PG909", "no")

    make.manager.on_stop = stop
    with pytest.raises(error):
        make.go()
    assert make.running() == ALL
    assert "nothing was migrated; what was stopped is started again" in notes(make.said)


def test_the_scheduler_comes_back_where_maintenance_mode_cannot_be_set(make: Run) -> None:
    """No migration can begin, so nothing may stay stopped."""
    (make.folder / FILE).unlink()
    (make.folder / FILE).mkdir()
    with pytest.raises(DeployError, match="maintenance_mode cannot be set"):
        make.go()
    assert SCHEDULER in make.manager.told("start")
    assert make.running() == ALL
    assert "migrate" not in [what for what, _, _ in make.steps]


def test_a_web_restart_that_fails_badly_brings_them_back(
    make: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise DeployError("PG904", "supervisord does not run")

    monkeypatch.setattr(with_migration, "_show", broken)
    with pytest.raises(DeployError):
        make.go()
    assert make.running() == ALL
    assert not make.maintenance


def test_a_pool_of_workers_is_stopped_as_workers_are(make: Run) -> None:
    """20 jobs of a pool ran during a migration that said that none does."""
    [scheduler] = services(Role.SCHEDULER)
    pool = scheduler._replace(
        name=sourced("frappe-bench-frappe-pool"),
        role=sourced(Role.OTHER),
        finishes_jobs=sourced(True),
    )
    make.manager.found |= {one.name: one for one in processes_of([pool])}
    assert make.go()
    assert make.steps[0] == ("migrate", True, WEB)
