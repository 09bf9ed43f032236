"""`prodgen apply` that was killed: whoever ends it does what it wanted, keys of the bench too."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.live.applying import Host, host

FLAG = "restart_supervisor_on_update"


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("supervisor", quick=True) as machine:
        yield machine


def keys(run: Host) -> dict[str, object]:
    """The bench's common_site_config.json."""
    return dict(json.loads(run.bench.read("sites/common_site_config.json")))


def end(run: Host) -> None:
    """The next run, which ends the killed one; then it has nobody who says yes to more."""
    ended = run.prodgen("apply")
    assert "an apply that was interrupted is brought to its end" in ended.err, ended


@pytest.mark.matrix
def test_a_killed_rollback_is_ended_with_the_keys_that_it_wants(run: Host) -> None:
    before = keys(run)
    run.die_before_activation()
    assert keys(run) == before
    end(run)
    production = keys(run)
    assert production[FLAG] is True
    run.die_before_activation("--rollback")
    assert keys(run) == production
    end(run)
    assert keys(run) == before
    assert run.installed() == {}
    run.apply()
    assert keys(run) == production


def test_a_power_cut_ends_a_rollback_with_its_keys_too(run: Host) -> None:
    """The guard does, before anything of the bench starts."""
    run.apply()
    production = keys(run)
    assert production[FLAG] is True
    run.die_before_activation("--rollback")
    run.machine.power_cut()
    run.machine.boot()
    assert keys(run)[FLAG] is False
    assert run.installed() == {}
    run.apply()
    assert keys(run) == production
