"""Fixtures of what deploys: a clock that nobody waits for, and children that end with the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prodgen.deploy.apply import health
from prodgen.deploy.jobs import drain, graceful_stop, stop_before_removal, suspension
from prodgen.deploy.managers.core import wait
from prodgen.deploy.restart import bench_migrate, pause_workers
from prodgen.deploy.restart import web as restart_web
from prodgen.deploy.restart import workers as restart_workers
from prodgen.deploy.session import session
from tests.support.fakes.children import Children, children
from tests.support.fakes.clock import FakeClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The time that everything under prodgen/deploy goes by which waits for something."""
    made = FakeClock()
    made.replace_time(
        monkeypatch,
        wait,
        drain,
        graceful_stop,
        health,
        stop_before_removal,
        bench_migrate,
        restart_web,
        restart_workers,
        session,
        pause_workers,
        suspension,
    )
    return made


@pytest.fixture
def kids() -> Iterator[Children]:
    """Real processes, which all end with the test."""
    with children() as made:
        yield made
