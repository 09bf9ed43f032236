"""Free TCP ports that stay free until a server of the test takes them."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 10_240
EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")

_handed_out: set[int] = set()


def ephemeral_start() -> int:
    """The first port that the kernel gives to outgoing connections."""
    try:
        return int(EPHEMERAL_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now, on loopback and on all interfaces."""
    for address in ("127.0.0.1", ""):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_ports(count: int) -> list[int]:
    """Distinct free ports below the ephemeral range, each given out once in this process."""
    chosen: list[int] = []
    candidates = range(LOWEST, max(ephemeral_start(), LOWEST + 10_000))
    for port in random.SystemRandom().sample(candidates, len(candidates)):
        if len(chosen) == count:
            return chosen
        if port not in _handed_out and is_free(port):
            _handed_out.add(port)
            chosen.append(port)
    if len(chosen) < count:
        msg = f"only {len(chosen)} of {count} ports are free"
        raise RuntimeError(msg)
    return chosen


def free_port() -> int:
    """One free port, as `free_ports` gives them."""
    return free_ports(1)[0]
