"""The stand-in's realtime server on a real node."""

from __future__ import annotations

import base64
import json
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.rig.bench import Bench, make_bench
from tests.support.rig.client import fetch
from tests.support.rig.place import open_socket
from tests.support.rig.tools import need

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.rig.process import Child

pytestmark = pytest.mark.matrix

POLLING = "/socket.io/?EIO=4&transport=polling"


@contextmanager
def realtime(bench: Bench) -> Iterator[tuple[Child, Child]]:
    """Redis and node, both up."""
    need("node", "redis-server")
    with bench.child("redis", bench.redis_argv("queue")) as redis:
        redis.wait_port(bench.queue_port)
        with bench.child("socketio", bench.socketio_argv()) as node:
            yield redis, node.wait_log("Realtime service listening")


def upgrade(bench: Bench, origin: str) -> tuple[bytes, socket.socket]:
    """The head of the answer to a WebSocket handshake, and the connection."""
    link = open_socket(bench.place, ("127.0.0.1", bench.socketio_port))
    key = base64.b64encode(b"0123456789abcdef").decode()
    head = (
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: one.test\r\n"
        f"Origin: {origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    link.sendall(head.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += link.recv(1)
    return answer, link


def test_polling_and_websocket_check_the_origin(ground: Path) -> None:
    bench = make_bench(ground / "frappe-bench")
    with realtime(bench):
        address = ("127.0.0.1", bench.socketio_port)
        named = {"X-Frappe-Site-Name": "one.test", "Origin": "https://one.test:8443"}
        found = fetch(address, POLLING, host="one.test", headers=named)
        assert found.status == 200
        assert json.loads(found.text[1:])["site"] == "one.test"
        foreign = {"Origin": "https://attacker.test"}
        refused = fetch(address, POLLING, host="one.test", headers=foreign)
        assert (refused.status, refused.text) == (400, "Invalid origin")
        head, link = upgrade(bench, "https://attacker.test")
        assert b" 400 " in head
        link.close()
        head, link = upgrade(bench, "https://one.test")
        assert b" 101 " in head
        link.sendall(b"\x81\x85\0\0\0\0hello")
        data = b""
        while not data.endswith(b"\x81\x05hello"):
            data += link.recv(100)
        bench.redis("PUBLISH", "events", "news")
        while not data.endswith(b"\x81\x04news"):
            data += link.recv(100)
        link.close()


def test_node_ends_with_redis_and_leaves_its_socket_behind(ground: Path) -> None:
    bench = make_bench(ground / "frappe-bench")
    with realtime(bench) as (redis, node):
        redis.stop()
        assert node.wait(5) == 1
    bench.set_config(socketio_uds=str(ground / "rt.sock"))
    with realtime(bench) as (redis, node):
        assert fetch(str(ground / "rt.sock"), POLLING, host="one.test").status == 200
        node.send(signal.SIGTERM)
        assert node.wait(5) == -signal.SIGTERM
        with bench.child("again", bench.socketio_argv()) as again:
            assert again.wait(5) == 1
            assert "EADDRINUSE" in again.tail()


def test_the_development_version_can_do_it_in_python(ground: Path) -> None:
    config = {"socketio_backend": "python"}
    bench = make_bench(ground / "new", frappe_version="17.0.0-dev", config=config)
    argv = [str(bench.python), "-m", "frappe.realtime.server"]
    with bench.child("python", argv, cwd=bench.path) as child:
        child.wait_port(bench.socketio_port)
        found = fetch(("127.0.0.1", bench.socketio_port), POLLING, host="one.test")
        assert found.text.startswith("0{")
    old = make_bench(ground / "old")
    assert not old.file("apps/frappe/frappe/realtime").exists()
