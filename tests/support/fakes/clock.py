"""A clock that stands in for the `time` module of the code under test: nothing waits."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from types import ModuleType

import pytest

LONGEST = 100_000.0
"""Seconds after which a test has to have ended: more is a loop that never does."""


class FakeClock:
    """`sleep` moves the time on, and does what is due by then, in its order."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.now = self.started = start
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 1e9)

    def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        assert end - self.started < LONGEST, "the code under test waits for ever"
        while self._due and self._due[0][0] <= end:
            self.now, _, act = heapq.heappop(self._due)
            act()
        self.now = end

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Has something happen once the time has come."""
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), act))

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return self.now - self.started

    def replace_time(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Has these modules tell the time by this clock."""
        for module in modules:
            monkeypatch.setattr(module, "time", self)
