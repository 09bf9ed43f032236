"""What /proc says of processes: who descends from whom, since when, with which sockets."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
SOCKET = re.compile(r"socket:\[(\d+)\]")
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
RSS = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
UIDS = r"(?m)^Uid:\s+\d+\s+(\d+)"
"""The second is the effective one."""
GONE = frozenset("ZX")
"""States of a process that only waits for its parent to notice its end."""


class Stat(NamedTuple):
    """One process; `started` is in clock ticks since boot."""

    pid: int
    name: str
    state: str
    parent: int
    started: int


class Connection(NamedTuple):
    """One TCP socket: the ports of both ends; an inode of 0 is not accepted yet."""

    local: int
    remote: int
    inode: int


def parse_stat(text: str) -> Stat:
    """`/proc/PID/stat`, whose second field may hold blanks and brackets."""
    head, _, rest = text.rpartition(")")
    pid, _, name = head.partition(" (")
    fields = rest.split()
    return Stat(int(pid), name, fields[0], int(fields[1]), int(fields[19]))


def parse_tcp(text: str) -> list[Connection]:
    """`/proc/net/tcp` or `tcp6`."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return [Connection(_port(row[1]), _port(row[2]), int(row[9])) for row in rows if len(row) > 9]


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def stat(pid: int) -> Stat | None:
    """The process, or None where it has ended."""
    text = _text(f"{pid}/stat")
    found = parse_stat(text) if text else None
    return None if found is None or found.state in GONE else found


def owner(pid: int) -> int | None:
    """The uid that a process acts with; None where it has ended.

    By its status: the owner of its folder in /proc is root where it cannot be dumped (proc(5)).
    """
    found = re.search(UIDS, _text(f"{pid}/status") or "")
    return int(found[1]) if found else None


def everyone() -> list[Stat]:
    """All processes that have not ended."""
    pids = (int(name) for name in os.listdir(PROC) if name.isdigit())  # noqa: PTH208
    return [found for pid in pids if (found := stat(pid))]


def descendants(pid: int, among: Iterable[Stat] | None = None) -> list[int]:
    """The children of a process, their children and so on."""
    children: dict[int, list[int]] = {}
    for one in everyone() if among is None else among:
        children.setdefault(one.parent, []).append(one.pid)
    found = list(children.get(pid, ()))
    for child in found:
        found += children.get(child, ())
    return found


def started_at(pid: int) -> float | None:
    """When it was started, in seconds since the epoch."""
    found = stat(pid)
    if found is None:
        return None
    # Not `btime` of /proc/stat, which leaves out the part of a second: a process would seem older
    # than a file that was written before it.
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + found.started / os.sysconf("SC_CLK_TCK")


def words(pid: int) -> list[str]:
    """The command line; empty where it has ended or has none."""
    return _text(f"{pid}/cmdline").split("\0")[:-1]


def environment(pid: int) -> dict[str, str]:
    """The environment it was started with; empty where we may not see it."""
    pairs = (item.partition("=") for item in _text(f"{pid}/environ").split("\0") if "=" in item)
    return {key: value for key, _, value in pairs}


def folder(pid: int) -> str:
    """Its current folder; empty where we may not see it."""
    try:
        return str((PROC / str(pid) / "cwd").readlink())
    except OSError:
        return ""


def memory(pids: Iterable[int]) -> int:
    """Bytes of all of them, shared ones counted once where we may see so."""
    total = 0
    for pid in pids:
        found = PSS.search(_text(f"{pid}/smaps_rollup")) or RSS.search(_text(f"{pid}/status"))
        total += int(found[1]) * 1024 if found else 0
    return total


def sockets(pid: int) -> set[int]:
    """The inodes of its sockets; empty where we may not see them."""
    found = set()
    try:
        with os.scandir(PROC / str(pid) / "fd") as entries:
            for entry in entries:
                link = SOCKET.match(os.readlink(entry.path))  # noqa: PTH115 - many of them
                if link:
                    found.add(int(link[1]))
    except OSError:
        pass
    return found


def shows_files(pid: int) -> bool:
    """Whether we may see what a process has open: not of one in a user namespace (ptrace(2))."""
    try:
        (PROC / str(pid) / "fd" / "0").stat()
    except OSError as failure:
        return failure.errno not in (errno.EACCES, errno.EPERM)
    return True


def connections(pid: int | None = None) -> list[Connection]:
    """The TCP sockets of the network that a process (default: this one) is in."""
    place = str(pid) if pid else "self"
    return [one for name in ("tcp", "tcp6") for one in parse_tcp(_text(f"{place}/net/{name}"))]


def local_ports(pid: int) -> set[int]:
    """The local ports of its TCP connections."""
    own = sockets(pid)
    return {one.local for one in connections(pid) if one.inode in own}


def _text(name: str) -> str:
    try:
        return (PROC / name).read_text("utf-8", "replace")
    except OSError:
        return ""
