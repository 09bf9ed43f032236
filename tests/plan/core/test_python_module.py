"""How the bench's Python runs a module: nothing comes from the folder it runs in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from prodgen.plan.core.python_module import (
    frappe_command,
    has_safe_path,
    module_run,
    run_module,
)
from prodgen.provenance import Sourced, default

PYTHONS = ("3.8", "3.10", "3.11", "3.12", "3.13", "3.14")


def versions(**given: str) -> dict[str, Sourced[str]]:
    return {name: default(version, "given") for name, version in given.items()}


@pytest.mark.parametrize(
    ("given", "has_it"),
    [
        ({}, False),
        ({"python": "3.10"}, False),
        ({"python": "3.11"}, True),
        ({"python": "3.14"}, True),
        ({"frappe": "15.72.4"}, False),
        ({"frappe": "16.0.0"}, True),
        ({"frappe": "17.0.0-dev"}, True),
        ({"frappe": "16.0.0", "python": "3.10"}, False),
        ({"frappe": "13.58.21", "python": "3.12"}, True),
    ],
)
def test_the_version_of_python_decides_and_else_that_of_frappe(
    given: dict[str, str], has_it: bool
) -> None:
    assert has_safe_path(versions(**given)) is has_it


@pytest.mark.parametrize("python", ["3.10", "3.11"])
def test_a_command_line_tells_which_module_it_runs(python: str) -> None:
    argv = (*run_module("/env/bin/python", "frappe.x", versions(python=python)), "frappe", "a")
    assert module_run(argv) == ("frappe.x", ("frappe", "a"))


@pytest.mark.parametrize(
    "argv",
    [
        ("python",),
        ("python", "-m", "frappe.x"),
        ("python", "-c", "import sys"),
        ("python", "-c", "import sys; del sys.path[0]; evil()"),
    ],
)
def test_no_other_command_line_is_taken_for_one(argv: tuple[str, ...]) -> None:
    assert module_run(argv) is None


def test_frappe_s_commands_are_those_of_its_helper() -> None:
    assert frappe_command("/env/bin/python", versions(python="3.11")) == (
        *("/env/bin/python", "-P", "-m", "frappe.utils.bench_helper", "frappe"),
    )


APP = """\
import os, subprocess, sys
print(sys.argv[1:], os.path.basename(sys.argv[0]), __name__, flush=True)
subprocess.run([sys.executable, "tools/tool.py"], check=True)
subprocess.run([sys.executable, "-c", "import beside; print(beside.NAME)"], check=True, cwd="tools")
"""


@pytest.mark.process
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("version", PYTHONS)
def test_nothing_is_imported_from_the_folder_it_runs_in(
    version: str, known: bool, tmp_path: Path
) -> None:
    """While what a job starts goes on to find the modules beside it."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    app, sites = tmp_path / "app", tmp_path / "sites"
    write(app / "frappe/__init__.py", "")
    write(app / "frappe/x.py", APP)
    for name in ("frappe/__init__.py", "runpy.py", "subprocess.py", "sitecustomize.py"):
        write(sites / name, "print('hostile')\n")
    write(sites / "tools/beside.py", "NAME = 'beside'\n")
    write(sites / "tools/tool.py", "import beside; print(beside.NAME)\n")
    argv = run_module(python, "frappe.x", versions(python=version) if known else {})
    done = subprocess.run(
        [*argv, "frappe", "worker"],
        cwd=sites,
        env={"PYTHONPATH": str(app), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "['frappe', 'worker'] x.py __main__"
    assert done.stdout.splitlines()[1:] == ["beside", "beside"]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def interpreter(version: str) -> str | None:
    """A Python of this version that starts, as a path."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    return str(of_pyenv[-1]) if of_pyenv else shutil.which(f"python{version}")
