"""The marks of tests do what CONTRIBUTING.md says, and a run needs no terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.markers import TESTS, is_unwanted
from tests.support.plans import ROOT

FAST = "not live and not process and not slow"


@pytest.mark.parametrize(
    ("folder", "expression", "unwanted"),
    [
        ("live", "not live", True),
        ("live", FAST, True),
        ("cli", FAST, True),
        ("cli", "not live", False),
        ("live", "live and not matrix", False),
        ("plan", FAST, False),
        ("live", "", False),
    ],
)
def test_folders_that_need_not_be_read(folder: str, expression: str, *, unwanted: bool) -> None:
    assert is_unwanted(TESTS / folder, expression) is unwanted
    assert not is_unwanted(TESTS / "plan" / folder, expression)


def run(folder: Path, text: str, *words: str, shell: str = "") -> tuple[int, str]:
    """The exit code and the output of pytest on a file with this text."""
    folder.joinpath("test_x.py").write_text(text)
    folder.joinpath("conftest.py").write_text("from tests.conftest import *\n")
    folder.joinpath("pytest.ini").write_text("[pytest]\nmarkers =\n  process\n  matrix\n")
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *words, str(folder)]
    done = subprocess.run(
        ["sh", "-c", f'{shell}\nexec "$@"', "sh", *argv],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.returncode, done.stdout


STARTS = (
    "import subprocess\nimport pytest\n\n{mark}\ndef test_it():\n    subprocess.run(['true'])\n"
)


@pytest.mark.process
@pytest.mark.parametrize(("mark", "code"), [("", 1), ("@pytest.mark.process", 0)])
def test_a_process_needs_its_mark(tmp_path: Path, mark: str, code: int) -> None:
    found, out = run(tmp_path, STARTS.format(mark=mark))
    assert found == code, out
    assert ("it starts a process" in out) is (code == 1)


CASES = """\
import pytest

@pytest.mark.matrix_cases("b", "c-2")
@pytest.mark.parametrize("number", ["1", "2"])
@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_it(name, number):
    pass
"""


@pytest.mark.process
def test_some_cases_are_for_the_matrix(tmp_path: Path) -> None:
    code, out = run(tmp_path, CASES, "-m", "not matrix", "-vv")
    assert code == 0, out
    assert "3 passed, 3 deselected" in out
    assert all(f"[{case}]" in out for case in ("a-1", "a-2", "c-1"))


HEARS = """\
import signal, subprocess, sys
import pytest

CODE = "import signal; print([signal.getsignal(n) for n in (1, 2)])"

@pytest.mark.process
def test_it():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert "SIG_DFL" in done.stdout and "default_int_handler" in done.stdout, done.stdout
"""


@pytest.mark.process
def test_children_hear_signals_under_nohup_too(tmp_path: Path) -> None:
    """`nohup make test &` leaves SIGHUP and SIGINT ignored (POSIX, Shell Command Language)."""
    code, out = run(tmp_path, HEARS, shell="trap '' HUP INT QUIT")
    assert code == 0, out
