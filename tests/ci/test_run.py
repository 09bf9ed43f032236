"""`.ci/run`: the short run first, then the matrices that a change asks for, and never too long."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.plans import ROOT

MAKE = '#!/bin/sh\necho "make $*"\n{make}\n'
PYTHON = '#!/bin/sh\necho "python $*"\n{python}\n'


class Checkout:
    """A checkout in which `make` and Python only say how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (".ci/run", "tests/__init__.py", "tests/parts.py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        for name in ("live/adopt/test_adopt.py", "live/apply/test_apply.py"):
            self.write(f"tests/{name}", "# pytest.mark.matrix\n")
        self.stub("bin/make", MAKE.format(make="exit 0"))
        self.stub(".venv/bin/python", PYTHON.format(python="exit 0"))
        self.git("init", "--quiet")
        self.git("add", ".")
        self.commit()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def stub(self, name: str, text: str) -> None:
        self.write(name, text)
        (self.folder / name).chmod(0o755)

    def git(self, *words: str) -> None:
        own = ("-c", "user.name=a", "-c", "user.email=a@b.test")
        subprocess.run(["git", *own, *words], cwd=self.folder, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("commit", "--quiet", "--message=x", "--allow-empty")

    def change(self, name: str) -> None:
        """A commit that changes this file."""
        self.write(name, "changed\n")
        self.git("add", name)
        self.commit()

    def run(self) -> tuple[int, list[str]]:
        """The exit code, and the lines on standard output."""
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            [self.folder / ".ci/run"],
            env={"PATH": path, "HOME": str(self.folder)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """One in which everything passes."""
    return Checkout(tmp_path)


TEST = "make --no-print-directory test"


def test_a_change_of_the_docs_needs_no_matrix(checkout: Checkout) -> None:
    checkout.change("README.md")
    assert checkout.run() == (0, [TEST])


def test_the_matrices_of_what_has_changed_come_after(checkout: Checkout) -> None:
    checkout.change("prodgen/deploy/apply/takeover.py")
    code, lines = checkout.run()
    assert code == 0
    assert lines[0] == TEST
    [pytest_line] = lines[1:]
    assert pytest_line.startswith("python -m pytest -m live and matrix --stop-after=")
    assert pytest_line.endswith("tests/live/adopt/test_adopt.py tests/live/apply/test_apply.py")
    assert 3200 < int(pytest_line.split("--stop-after=")[1].split()[0]) <= 3300


@pytest.mark.parametrize("name", ["bin/make", ".venv/bin/python"])
def test_a_failure_is_one(checkout: Checkout, name: str) -> None:
    checkout.change("prodgen/deploy/apply/takeover.py")
    checkout.stub(name, '#!/bin/sh\necho "$*"\nexit 2\n')
    code, lines = checkout.run()
    assert code == 2
    assert len(lines) == (1 if name == "bin/make" else 2)


def test_where_no_time_is_left_that_is_said(checkout: Checkout) -> None:
    checkout.change("prodgen/deploy/apply/takeover.py")
    script = checkout.folder / ".ci/run"
    script.write_text(script.read_text().replace("limit=3300", "limit=100"))
    code, lines = checkout.run()
    assert code == 0
    assert lines[0] == TEST
    assert lines[1].startswith("left out, since ")
    assert lines[1].endswith("the matrices of apply adopt")
