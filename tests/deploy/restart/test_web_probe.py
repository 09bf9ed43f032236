"""Who takes a connection, where several processes accept on one socket."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from prodgen.deploy.restart import web_probe
from prodgen.deploy.system import sock_diag
from prodgen.plan.core.model import Address
from tests.support.rig.tools import cannot

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(params=["port", "path"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[socket.socket, Address]:
    """A socket that listens, and where."""
    if request.param == "port":
        made = socket.create_server(("127.0.0.1", 0))
        return made, Address("127.0.0.1", made.getsockname()[1])
    if not sock_diag.is_available():
        cannot("this kernel does not tell who accepts on a unix socket")
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(tmp_path / "web.sock"))
    made.listen()
    return made, Address(path=str(tmp_path / "web.sock"))


def serve_one(listener: socket.socket) -> None:
    """Answer one request."""
    link, _ = listener.accept()
    with link:
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            more = link.recv(4096)
            assert more, "it ended too soon"
            data += more
        link.sendall(REPLY)


@pytest.mark.parametrize("is_known", [True, False])
def test_the_process_that_answers_is_told(
    listener: tuple[socket.socket, Address], *, is_known: bool
) -> None:
    server, address = listener
    with server:
        thread = threading.Thread(target=serve_one, args=[server], daemon=True)
        thread.start()
        among = [1, os.getpid()] if is_known else [1]
        answer = web_probe.ask(address, "one.test", among=among)
        thread.join(10)
    assert answer.status == 200
    assert answer.pid == (os.getpid() if is_known else 0)


def test_nobody_has_accepted_yet(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "web.sock"))
        server.listen()
        client.connect(str(tmp_path / "web.sock"))
        assert sock_diag.peer_inode(client) == 0
