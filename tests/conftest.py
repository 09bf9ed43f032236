"""What every test may ask for, and the marks that tests have."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import markers
from tests.support.rig.host_check import lacks
from tests.support.stop_after import StopAfter

settings.register_profile(
    "prodgen", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("quick", settings.get_profile("prodgen"), max_examples=10)
settings.load_profile("prodgen")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")
    parser.addoption(
        "--stop-after",
        type=float,
        metavar="SECONDS",
        help="begin no further test then; what is left out is listed, and is no failure",
    )


def pytest_configure(config: pytest.Config) -> None:
    seconds = config.getoption("stop_after")
    if seconds is not None:
        config.pluginmanager.register(StopAfter(seconds), "stop-after")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        # `nohup` and `&` leave them ignored, which children inherit. With a handler of ours this
        # run still goes on, and children begin with the default.
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What this machine cannot do, in a line each, where live tests may run."""
    if "not live" in str(config.getoption("markexpr")):
        return []
    return [f"this machine: {line}" for line in lacks()]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Whole folders whose tests are not wanted are not even read: most of a fast run was that."""
    return markers.is_unwanted(collection_path, str(config.getoption("markexpr"))) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        markers.mark(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test without a mark starts no process, so that `make check` stays fast."""
    with markers.no_process(wanted=markers.is_fast(item)):
        return (yield)


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder in /tmp that every user may enter, gone after the test."""
    folder = Path(tempfile.mkdtemp(prefix="prodgen-ground-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
