"""What a bench's `config/redis_*.conf` says about where that Redis listens (redis.conf)."""

from __future__ import annotations

import re
from typing import NamedTuple

from prodgen.diagnostics import Location
from prodgen.inputs.core.source import Source

STOCK_PORT = 6379
PORT = r"[0-9]{1,5}"


class RedisConf(NamedTuple):
    """The listening places of one Redis server."""

    name: str
    port: int
    """0 where it listens on no TCP port."""
    unix_socket: str
    location: Location
    evicts: str = ""
    """The policy by which it forgets data when its memory is full; empty if it never does."""


def parse_redis_conf(source: Source) -> RedisConf:
    """Port, socket, and the place of the line that says so; the last line wins, as in Redis."""
    port, unix_socket, location = STOCK_PORT, "", source.whole
    policy, limit = "noeviction", "0"
    for line, start in enumerate(source.line_starts, 1):
        words = source.line_text(line).split()
        if len(words) < 2:
            continue
        keyword, value = words[0].lower(), words[1].strip('"')
        if keyword == "port" and re.fullmatch(PORT, value):
            port = int(value)
            location = source.locate(start, len(source.line_text(line)))
        elif keyword == "unixsocket":
            unix_socket = value
        elif keyword == "maxmemory-policy":
            policy = value
        elif keyword == "maxmemory":
            limit = value
    evicts = policy if policy != "noeviction" and limit.strip("0") else ""
    return RedisConf(source.name, port, unix_socket, location, evicts)
