"""What this machine lacks for the live tests, so that a run can say it at its start.

Each test still looks for itself (tests/support/rig/tools.py); a machine of a test that cannot be
made is skipped with its reason.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.rig import cgroups
from tests.support.rig.tools import find

NAMESPACES = ("unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "true")
SERVERS = ("nginx", "supervisord", "redis-server", "node", "openssl", "ip", "unshare", "nsenter")


def lacks() -> Iterator[str]:
    """A line for each thing that is not here, with what comes of it."""
    if not Path("/proc/self/stat").exists():
        yield "no /proc: no test of processes can work; mount it (mount -t proc proc /proc)"
        return
    if os.geteuid() != 0:
        yield "not root: tests of servers and machines are skipped (where CI is set, they fail)"
        return
    absent = [name for name in SERVERS if find(name) is None]
    if absent:
        yield f"not installed: {', '.join(absent)}; tests/install-packages installs it"
    if cgroups.mount_point() is None:
        yield "no cgroup2 is mounted: tests that boot systemd are skipped"
    elif not os.access(cgroups.mount_point() or "/", os.W_OK):
        yield "cgroup2 is read-only: tests that boot systemd are skipped"
    if find("unshare") and _fails(NAMESPACES):
        yield "no namespaces may be made: tests that boot systemd or need a network are skipped"
    if not Path("/dev/ptmx").exists():
        yield "no /dev/ptmx: tests of the terminal are skipped; mount devpts at /dev/pts"
    if not os.access("/dev/shm", os.W_OK):
        yield "no /dev/shm, where Gunicorn has its heartbeat files: mount a tmpfs there"


def _fails(argv: tuple[str, ...]) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, timeout=30, check=False).returncode != 0
    except (OSError, subprocess.TimeoutExpired):
        return True
