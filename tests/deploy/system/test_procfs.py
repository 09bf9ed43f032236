"""What /proc says of processes."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from prodgen.deploy.system.procfs import started_at

TICK = 1 / os.sysconf("SC_CLK_TCK")


@pytest.mark.process
def test_the_start_of_a_process_is_known_to_a_part_of_a_second() -> None:
    """Else it would seem older than a file that was written just before, and out of date."""
    before = time.time()
    with subprocess.Popen(["sleep", "60"]) as child:
        after = time.time()
        found = started_at(child.pid)
        child.kill()
    assert found == pytest.approx((before + after) / 2, abs=(after - before) / 2 + 2 * TICK)


@pytest.mark.process
def test_a_process_that_is_gone_has_no_start() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert started_at(child.pid) is None
