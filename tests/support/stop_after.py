"""A run that ends by the clock, between two tests, and lists what it has left out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest


class StopAfter:
    """Begins no test once its seconds are over. What has failed by then still fails the run."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end = time.monotonic() + seconds
        self.left: list[pytest.Item] = []
        self.stopped = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.left = list(session.items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        result = yield
        self.left.remove(item)
        if self.left and time.monotonic() > self.end:
            self.stopped = True
            item.session.shouldstop = f"{self.seconds:.0f} s are over"
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.stopped:
            session.exitstatus = int(session.testsfailed > 0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.stopped:
            files = Counter(item.nodeid.partition("::")[0] for item in self.left)
            terminalreporter.section(f"left out, since {self.seconds:.0f} s are over")
            for name, count in files.items():
                terminalreporter.line(f"{name}: {count} tests")
