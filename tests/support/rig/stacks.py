"""The packages of a bench's env, installed once and copied from then on.

They lie in `$PRODGEN_RIG_CACHE`, else in `.rig/` under the checkout (which ignores itself for git).
`python -m tests.support.rig.stacks [NAME ...]` makes them beforehand; a test makes what it misses.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[3]
SYSTEM_PYTHON = Path("/usr/bin/python3")
OLDEST_PYTHON = (3, 10)
STACKS: dict[str, tuple[str, ...]] = {
    "frappe13": (
        "gunicorn==20.1.0",
        "setuptools<80",
        "rq==1.15.1",
        "redis==4.5.5",
        "async-timeout",
    ),
    "frappe15": ("gunicorn==23.0.0", "rq==1.15.1", "redis==4.5.5", "async-timeout"),
    "frappe16": ("gunicorn==23.0.0", "rq==2.6.1", "redis==7.1.0", "async-timeout"),
    "newest": ("gunicorn", "rq", "redis", "async-timeout"),
    "supervisor43": ("supervisor==4.3.0",),
    "prodgen": (
        "click>=8.2",
        "Jinja2>=3.1.2",
        "jsonschema>=4.18",
        "PyYAML>=6.0",
        "redis>=4.5",
        "async-timeout",
    ),
}


def cache_folder() -> Path:
    """Where stacks are kept; made, and hidden from git, on first use."""
    folder = Path(os.environ.get("PRODGEN_RIG_CACHE") or CHECKOUT / ".rig").resolve()
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("*\n")
    return folder


@lru_cache
def python_version(python: Path) -> tuple[int, int]:
    """The version of an interpreter, (0, 0) where it does not run."""
    script = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", script], capture_output=True, text=True, timeout=30, check=False
        )
    except OSError:
        return 0, 0
    words = done.stdout.split()
    return (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)


@lru_cache
def bench_python() -> Path:
    """The interpreter of every bench: the system's, which each user may run, else this one's."""
    if python_version(SYSTEM_PYTHON) >= OLDEST_PYTHON:
        return SYSTEM_PYTHON
    return Path(os.path.realpath(sys.executable))


@lru_cache
def pip() -> tuple[str, ...]:
    """A pip that works: this environment's, else that of the bench's interpreter."""
    for python in (Path(sys.executable), bench_python()):
        command = (str(python), "-m", "pip")
        if (
            subprocess.run([*command, "--version"], capture_output=True, check=False).returncode
            == 0
        ):
            return command
    msg = "no pip: install one, or make the stacks elsewhere and copy them"
    raise RuntimeError(msg)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time builds in this folder."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def stack(name: str) -> Path:
    """The site-packages folder of a stack, installed on first use."""
    version = python_version(bench_python())
    wanted = STACKS[name]
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:8]
    folder = cache_folder() / f"{name}-py{version[0]}{version[1]}-{digest}"
    if not folder.is_dir():
        with locked(folder.parent):
            if not folder.is_dir():
                install(wanted, folder, version)
    return folder


def install(packages: tuple[str, ...], folder: Path, version: tuple[int, int]) -> None:
    """Install wheels into a new folder, compiled; it appears complete or not at all."""
    draft = folder.with_name(folder.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    how = ["--quiet", "--no-compile", "--only-binary=:all:", "--target", str(draft)]
    target = ["--python-version", f"{version[0]}.{version[1]}"]
    command = [*pip(), "install", *how, *target, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        msg = f"{' '.join(command)}\n{done.stderr}"
        raise RuntimeError(msg)
    subprocess.run([bench_python(), "-m", "compileall", "-q", draft], check=False)
    draft.rename(folder)


def main(names: list[str]) -> int:
    """Make the named stacks, all when none is named."""
    unknown = set(names) - set(STACKS)
    if unknown:
        sys.stderr.write(f"no stack {', '.join(sorted(unknown))}; there are {', '.join(STACKS)}\n")
        return 64
    for name in names or STACKS:
        sys.stdout.write(f"{name}: {stack(name)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
