"""Where a Redis listens, by its own conf file."""

from __future__ import annotations

import pytest

from prodgen.inputs.core.source import Source
from prodgen.inputs.redis_conf import parse_redis_conf


@pytest.mark.parametrize(
    ("text", "port", "socket", "place"),
    [
        ("bind 127.0.0.1\nport 13000\n", 13000, "", "r.conf:2:1"),
        ("PORT 13000\r\n", 13000, "", "r.conf:1:1"),
        ('port "13000"', 13000, "", "r.conf:1:1"),
        ("port 1\nport 2", 2, "", "r.conf:2:1"),
        ("port 0\nunixsocket /run/r.sock\nunixsocketperm 770", 0, "/run/r.sock", "r.conf:1:1"),
        ("# port 1\n\nport\nport x\nport " + "9" * 5000, 6379, "", "r.conf"),
        ("", 6379, "", "r.conf"),
    ],
)
def test_conf(text: str, port: int, socket: str, place: str) -> None:
    found = parse_redis_conf(Source("r.conf", text))
    assert (found.port, found.unix_socket, str(found.location)) == (port, socket, place)
