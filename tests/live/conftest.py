"""Fixtures of the live tests: a folder that other users may enter, a network, a machine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.rig import cgroups, procs
from tests.support.rig.machine import Machine
from tests.support.rig.netns import Network, network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "live: needs real servers (nginx, Supervisor, systemd, ...)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as live."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session", autouse=True)
def nothing_left() -> Iterator[None]:
    """Ends what a killed run has left, and fails if this one leaves a process or a cgroup."""
    procs.sweep()
    cgroups.sweep()
    yield
    own = procs.mark("")
    left = [
        procs.command(each.pid)
        for each in procs.everyone()
        if procs.environment(each.pid).get(procs.MARK, "").startswith(own)
    ]
    top = cgroups.mount_point()
    folders = list(top.glob(f"{cgroups.PREFIX}{own}*")) if top else []
    assert (left, folders) == ([], []), "left behind"


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder with a short path that every user may enter, gone after the test."""
    folder = Path(tempfile.mkdtemp(prefix="prodgen-rig-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says what a test has measured: the run prints it at its end."""
    return lambda text: request.node.user_properties.append(("figure", text))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the figures of all tests."""
    reports = [one for found in terminalreporter.stats.values() for one in found]
    lines = [
        f"{one.nodeid.removeprefix('tests/live/')}: {text}"
        for one in reports
        if getattr(one, "when", "") == "call"
        for name, text in one.user_properties
        if name == "figure"
    ]
    if lines:
        terminalreporter.section("figures")
        terminalreporter.write("\n".join([*sorted(lines), ""]))


@pytest.fixture
def net() -> Iterator[Network]:
    """A private network, where every port is free."""
    with network() as found:
        yield found


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A booted machine, closed after the test."""
    with Machine() as booted:
        yield booted
