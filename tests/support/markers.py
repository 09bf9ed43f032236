"""Which tests are fast: marks by folder and by fixture, and a guard that keeps the marks true.

`live` starts servers or machines, `process` another program, as most tests of the command line do;
`slow` takes seconds by itself. What has none of these runs in `make check`, and fails where it
starts a process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FOLDERS = {"live": "live", "app": "process", "ci": "process", "cli": "process", "docs": "process"}
"""The mark of every test in a folder of tests/."""
FIXTURES = {"kids": "process", "machine": "live", "net": "live"}
"""The mark of every test that uses a fixture."""
NOT_FAST = ("live", "process", "slow", "matrix")
STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})
"""Audit events of Python's that tell of a new process (docs.python.org/3/library/audit_events)."""


def mark(item: pytest.Item) -> None:
    """Gives a test the marks of its folder and of its fixtures, and some of its cases `matrix`."""
    case = item.name.partition("[")[2]
    for found in item.iter_markers("matrix_cases"):
        if any(word in case for word in found.args):
            item.add_marker("matrix")
    parts = item.path.relative_to(TESTS).parts if TESTS in item.path.parents else ()
    names = {FOLDERS[parts[0]]} if parts and parts[0] in FOLDERS else set()
    names |= {FIXTURES[name] for name in getattr(item, "fixturenames", ()) if name in FIXTURES}
    for name in sorted(names):
        item.add_marker(name)


def is_unwanted(path: Path, expression: str) -> bool:
    """Whether no test of a folder can be wanted by an expression as the Makefile's (`-m`)."""
    unwanted = {name.removeprefix("not ") for name in expression.split(" and ") if "not " in name}
    return path.parent == TESTS and FOLDERS.get(path.name) in unwanted


def is_fast(item: pytest.Item) -> bool:
    """Whether `make check` runs it."""
    return not any(item.get_closest_marker(name) for name in NOT_FAST)


class _Guard:
    """While it is on, a new process is a failure."""

    is_on = False

    def __call__(self, event: str, _: tuple[object, ...]) -> None:
        if self.is_on and event in STARTS:
            self.is_on = False
            pytest.fail("it starts a process: mark it `process` (tests/support/markers.py)")


GUARD = _Guard()
sys.addaudithook(GUARD)


@contextmanager
def no_process(*, wanted: bool) -> Iterator[None]:
    """While it lasts, whatever starts a process fails, if that is wanted."""
    GUARD.is_on = wanted
    try:
        yield
    finally:
        GUARD.is_on = False
