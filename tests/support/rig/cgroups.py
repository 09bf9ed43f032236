"""Cgroup folders for machines: made, emptied, and removed also after a test run that died."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from tests.support.rig import procs

PREFIX = "prodgen-rig."
CONTROLLERS = ("cpu", "memory", "pids", "io")


def mount_point() -> Path | None:
    """Where cgroup2 is mounted on this host, if it is."""
    for line in Path("/proc/mounts").read_text().splitlines():
        words = line.split()
        if words[2] == "cgroup2":
            return Path(words[1])
    return None


def make(top: Path, name: str) -> Path:
    """A new cgroup, with the controllers that the host is willing to share."""
    for controller in CONTROLLERS:
        with contextlib.suppress(OSError):
            (top / "cgroup.subtree_control").write_text(f"+{controller}")
    folder = top / f"{PREFIX}{procs.mark(name)}"
    folder.mkdir()
    return folder


def controllers(folder: Path) -> set[str]:
    """The controllers that really work in a cgroup (none where cgroup v1 holds them)."""
    return set((folder / "cgroup.controllers").read_text().split())


def remove(folder: Path, deadline: float = 6.0, *, keep: bool = False) -> None:
    """Remove a cgroup and all below it (`keep`: only those below), once its processes are gone."""
    end = time.monotonic() + deadline
    while True:
        below = [each for each in folder.rglob("*") if each.is_dir()]
        for each in sorted(below, reverse=True):
            with contextlib.suppress(OSError):
                each.rmdir()
        if not keep:
            with contextlib.suppress(OSError):
                folder.rmdir()
        left = folder.is_dir() and (not keep or any(each.is_dir() for each in folder.iterdir()))
        if not left:
            return
        if time.monotonic() > end:
            msg = f"the cgroup {folder} is still in use"
            raise RuntimeError(msg)
        time.sleep(0.02)


def sweep() -> None:
    """Remove the cgroups of test runs that are gone."""
    top = mount_point()
    for folder in top.glob(f"{PREFIX}*") if top else ():
        if procs.is_orphan(folder.name.removeprefix(PREFIX)):
            with contextlib.suppress(RuntimeError):
                remove(folder, 1.0)
