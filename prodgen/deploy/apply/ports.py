"""Addresses that the new config listens on, and that somebody else has."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import PurePosixPath

from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.system import procfs
from prodgen.diagnostics import Diagnostic, error
from prodgen.plan.core.model import Address, Manager, Plan
from prodgen.review.core.parse import merged
from prodgen.review.core.source_lines import place_of
from prodgen.targets.core.file_set import FileSet

MANAGERS = tuple(backend_of(one).daemon for one in Manager)
HOLDING = tuple(one.value for one in Manager)
IN_USE = (errno.EADDRINUSE, errno.EADDRNOTAVAIL)
LONGEST = 80
"""Characters of a command line in a message."""


def clashes(plan: Plan, old: FileSet, new: FileSet) -> Iterator[Diagnostic]:
    """What of the plan's addresses cannot be listened on; what the bench has itself is fine."""
    for service in plan.services:
        given = service.listen or service.address
        if given is None or given.value.path or service.instances.value == 0:
            continue
        reason = _reason(given.value)
        if reason and not _is_own(plan, given.value.port, old):
            yield error(
                "PG835",
                f"{service.name.value} cannot listen on {given.value}: {reason}"
                f"{_by(given.value.port)}",
                place_of(given.origin),
                f"choose another port, or end it: ss -ltnp 'sport = :{given.value.port}'",
            )
    for port in sorted(_ports(new) - _ports(old)):
        pids = _holders(port)
        if pids and not any(_name(pid) == "nginx" for pid in pids):
            yield error(
                "PG835",
                f"nginx cannot listen on port {port}: it is in use{_by(port)}",
                None,
                f"end it, or choose another port: ss -ltnp 'sport = :{port}'",
            )


def _reason(address: Address) -> str:
    """Why the kernel does not let anybody listen there now; empty where it does."""
    try:
        found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as failure:
        return (failure.strerror or "").lower() if failure.errno in IN_USE else ""
    return ""


def _holders(port: int) -> list[int]:
    """The processes that listen on a port, as far as we may see them."""
    inodes = {one.inode for one in procfs.connections() if one.local == port and not one.remote}
    return [one.pid for one in procfs.everyone() if inodes & procfs.sockets(one.pid)]


def _by(port: int) -> str:
    held = next(iter(_holders(port)), None)
    return f" by process {held}, {' '.join(procfs.words(held))[:LONGEST]}" if held else ""


def _is_own(plan: Plan, port: int, old: FileSet) -> bool:
    """Whether a process that a manager runs for this bench has the port, or the manager itself."""
    written = any(f":{port}" in one.text for one in old.values() if one.target in HOLDING)
    pids = _holders(port)
    if not pids and os.geteuid() != 0:
        return True  # nobody whom we may see: only root can tell
    return any(
        written if _name(pid) in MANAGERS else _belongs(_first(pid), plan.bench.value)
        for pid in pids
    )


def _first(pid: int) -> int:
    """The ancestor that a manager has started; the process itself where that is unknown."""
    while (one := procfs.stat(pid)) and one.parent and _name(one.parent) not in MANAGERS:
        pid = one.parent
    return pid


def _belongs(pid: int, bench: PurePosixPath) -> bool:
    """Whether it works in the bench's folder, or was told of it."""
    folder = procfs.folder(pid)
    own = PurePosixPath(folder)
    return bench in (own, *own.parents) or any(f"{bench}/" in word for word in procfs.words(pid))


def _name(pid: int) -> str:
    found = procfs.stat(pid)
    return found.name if found else ""


def _ports(side: FileSet) -> set[int]:
    """The TCP ports that nginx listens on."""
    values = (
        value.split()
        for block in merged(side, "nginx").values()
        for value in block.get("listen", ())
    )
    found = (words[0].rpartition(":")[2] for words in values if "quic" not in words)
    return {int(port) for port in found if port.isdigit()}
