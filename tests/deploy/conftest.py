"""Fixtures of what deploys: a clock that nobody waits for, and children that end with the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prodgen.deploy import (
    activate_supervisor,
    activate_systemd,
    drain,
    farewell,
    health,
    leaving,
    migration,
    restart_web,
    restart_workers,
    stage,
    standstill,
    suspension,
)
from tests.support.children import Children, children
from tests.support.clock import FakeClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The time that everything under prodgen/deploy goes by which waits for something."""
    made = FakeClock()
    made.replace_time(
        monkeypatch,
        activate_supervisor,
        activate_systemd,
        drain,
        farewell,
        health,
        leaving,
        migration,
        restart_web,
        restart_workers,
        stage,
        standstill,
        suspension,
    )
    return made


@pytest.fixture
def kids() -> Iterator[Children]:
    """Real processes, which all end with the test."""
    with children() as made:
        yield made
