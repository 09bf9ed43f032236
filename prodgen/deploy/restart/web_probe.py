"""Whether the web tier answers, site by site, and which process it is that does.

Two instances share one socket, so an answer alone does not show that the new one works. The
request is held back before its last line until the kernel says who has accepted it (proc(5),
`net/tcp` and `fd`; sock_diag(7) for a unix socket), and then finished.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

from prodgen.deploy.system import procfs, sock_diag
from prodgen.plan.core.model import Address

PATH = "/api/method/ping"
TIMEOUT = 10.0
MAINTENANCE = 503
"""Frappe's own answer in maintenance mode: the application is there."""
ACCEPT_POLL = 0.002


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or a reason why none did; and who answered, where known."""

    status: int = 0
    reason: str = ""
    pid: int = 0

    @property
    def is_good(self) -> bool:
        """Whether the application is up, be it in maintenance."""
        return self.status in (200, MAINTENANCE)

    def __str__(self) -> str:
        return f"HTTP {self.status}" if self.status else self.reason


def head_of(path: str, host: str) -> bytes:
    """A request but for the empty line that ends it."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"X-Frappe-Site-Name: {host}",
        "User-Agent: prodgen",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def status_of(reply: bytes) -> int:
    """The status of an HTTP answer; 0 where it is none."""
    words = reply.split(b"\r\n", 1)[0].split(b" ")
    is_http = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
    return int(words[1]) if is_http else 0


def ask(
    address: Address,
    host: str,
    *,
    path: str = PATH,
    among: Iterable[int] = (),
    timeout: float = TIMEOUT,
) -> Answer:
    """The answer to one request; `among` are processes, of which the one that takes it is told."""
    end = time.monotonic() + timeout
    try:
        with _connect(address, timeout) as link:
            link.sendall(head_of(path, host))
            pid = _taker(link, list(among), end) if among and _is_seen(address) else 0
            link.sendall(b"\r\n")
            link.settimeout(max(0.1, end - time.monotonic()))
            reply = link.recv(4096)
    except OSError as failure:
        return Answer(reason=(failure.strerror or str(failure) or "no answer").lower())
    status = status_of(reply)
    return Answer(status, "" if status else "no HTTP answer", pid)


def _connect(address: Address, timeout: float) -> socket.socket:
    if address.path:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(timeout)
        try:
            link.connect(address.path)
        except OSError:
            link.close()
            raise
        return link
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(address.host, address.host)  # noqa: S104
    return socket.create_connection((host, address.port), timeout)


def _is_seen(address: Address) -> bool:
    """Whether the kernel says who accepts a connection to it."""
    return not address.path or sock_diag.is_available()


def _taker(link: socket.socket, among: list[int], end: float) -> int:
    """The process that has accepted the connection; 0 where that cannot be seen."""
    while time.monotonic() < end:
        inode = _accepted(link)
        if inode:
            return next((pid for pid in among if inode in procfs.sockets(pid)), 0)
        time.sleep(ACCEPT_POLL)
    return 0


def _accepted(link: socket.socket) -> int:
    """The inode of the socket at the other end; 0 before somebody has accepted it."""
    if link.family is socket.AF_UNIX:
        return sock_diag.peer_inode(link)
    local, remote = link.getsockname()[1], link.getpeername()[1]
    ends = ((one.local, one.remote, one.inode) for one in procfs.connections())
    return next((inode for here, there, inode in ends if (here, there) == (remote, local)), 0)
