"""Finding the programs a live test needs, and what happens when one is missing."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

EXTRA_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def find(name: str) -> str | None:
    """The full path of a program, also from the folders that only root has on its PATH."""
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), *EXTRA_FOLDERS]
    return shutil.which(name, path=os.pathsep.join(folders))


def in_ci() -> bool:
    """Whether this run must prove everything: `CI` is set to something other than no."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def missing(reason: str) -> NoReturn:
    """End the test: a failure where `CI` is set, elsewhere a skip, both with the reason."""
    if in_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def cannot(reason: str) -> NoReturn:
    """Skip the test, in CI too: the machine itself is not able to do this, nothing is missing."""
    pytest.skip(reason)


def need(*names: str) -> str:
    """The full path of the first program; all of them must be installed, else the test ends."""
    paths = {name: find(name) for name in names}
    absent = [name for name, path in paths.items() if path is None]
    if absent:
        missing(f"not installed: {', '.join(absent)}")
    return str(paths[names[0]])


def need_terminal() -> None:
    """End the test unless pseudo-terminals can be had (pts(4)): a bare chroot has none."""
    if not os.access("/dev/ptmx", os.R_OK | os.W_OK):
        cannot("no /dev/ptmx, so no terminal can be opened")


def need_root(purpose: str) -> None:
    """End the test unless it runs as root."""
    if os.geteuid() != 0:
        missing(f"{purpose} needs root")
