"""A run by the clock ends between two tests, and fails only by what has failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.plans import ROOT

pytestmark = pytest.mark.process
TEXT = """\
import pytest

@pytest.mark.parametrize("number", range(4))
def test_it(number):
    assert number != {fails}
"""


def run(folder: Path, seconds: float, fails: int = -1) -> tuple[int, str]:
    """The exit code and the output of a run of four tests."""
    folder.joinpath("test_x.py").write_text(TEXT.format(fails=fails))
    folder.joinpath("conftest.py").write_text("from tests.conftest import *\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not live",
         f"--stop-after={seconds}", f"--rootdir={folder}", "-c", "/dev/null", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return done.returncode, done.stdout


def test_what_is_left_out_is_listed_and_no_failure(tmp_path: Path) -> None:
    code, out = run(tmp_path, 0)
    assert code == 0, out
    assert "left out, since 0 s are over" in out
    assert "test_x.py: 3 tests" in out
    assert "1 passed" in out.splitlines()[-1], "pytest's own summary is last"


def test_a_failure_is_one(tmp_path: Path) -> None:
    code, out = run(tmp_path, 0, fails=0)
    assert code == 1, out
    assert "1 failed" in out.splitlines()[-1]


def test_a_run_that_ends_in_time_leaves_nothing_out(tmp_path: Path) -> None:
    code, out = run(tmp_path, 60)
    assert code == 0
    assert "left out" not in out
    assert "4 passed" in out
