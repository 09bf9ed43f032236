"""The wait for what stops: as long as it may take, and no look more than that."""

from __future__ import annotations

import pytest

from prodgen.deploy.managers.core import wait
from prodgen.deploy.managers.core.base import TimedOut
from prodgen.deploy.managers.core.wait import await_stopped
from tests.support.fakes.clock import FakeClock


@pytest.fixture
def own_clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    made = FakeClock()
    made.replace_time(monkeypatch, wait)
    return made


def test_it_ends_as_soon_as_nothing_is_left(own_clock: FakeClock) -> None:
    answers = iter([["web", "worker"], ["worker"], []])
    await_stopped(lambda: next(answers), 10, 0.5)
    assert own_clock.passed == 1.0


def test_what_is_left_in_the_end_is_named(own_clock: FakeClock) -> None:
    with pytest.raises(TimedOut, match=r"^web, worker did not stop within 10 s$"):
        await_stopped(lambda: ["web", "worker"], 10, 0.5)
    assert own_clock.passed == 10.5
