"""Right after `prodgen apply` has changed the manager of a bench, `prodgen restart` works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.live.applying import Host, host

Figure = Callable[[str], None]


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("supervisor", quick=True) as machine:
        machine.apply()
        yield machine


@pytest.mark.matrix_cases("systemd")
@pytest.mark.parametrize("manager", ["systemd", "supervisor"])
def test_a_restart_after_a_change_of_manager(run: Host, manager: str, figure: Figure) -> None:
    run.set(manager=manager)
    run.apply()
    before, began = run.pids(), time.monotonic()
    run.bench.enqueue("short", 2, manager)
    ended = run.prodgen("restart")
    assert ended.code == 0, ended
    after = run.pids()
    figure(f"{manager}: {len(after)} processes restarted in {time.monotonic() - began:.0f} s")
    assert before.keys() == after.keys()
    kept = {name for name in before if before[name] == after[name]}
    assert kept == {name for name in before if "-redis-" in name}
    assert run.prodgen("status").code == 0
    assert run.bench.counts("start")[manager] == run.bench.counts()[manager] == 1
