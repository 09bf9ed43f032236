"""Where things run: this host, a network namespace on it, or a booted machine."""

from __future__ import annotations

import ctypes
import os
import pwd
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

CLONE_NEWNET = 0x40000000
CONNECT_TIMEOUT = 10.0

Address = tuple[str, int] | str


class Place(Protocol):
    """What the rest of the rig needs to know of the world its processes live in."""

    def real(self, path: Path) -> Path:
        """Where this process finds the file that is at `path` over there."""

    def argv(self, argv: Sequence[str], user: str | None = None) -> list[str]:
        """The command that runs `argv` over there, from here."""

    def owner(self, user: str) -> tuple[int, int]:
        """The user's uid and gid over there."""

    def enter_network(self) -> None:
        """Put the current thread (never the main one) into the network over there."""


class Host:
    """This machine as it is."""

    def real(self, path: Path) -> Path:
        """The path itself."""
        return path

    def argv(self, argv: Sequence[str], user: str | None = None) -> list[str]:
        """The command itself, or under `setpriv` as another user."""
        return as_user(argv, user, self.owner(user)[1]) if user else list(argv)

    def owner(self, user: str) -> tuple[int, int]:
        """The uid and gid of a user of this machine."""
        entry = pwd.getpwnam(user)
        return entry.pw_uid, entry.pw_gid

    def enter_network(self) -> None:
        """Nothing to do: the thread is there."""


HOST = Host()


def as_user(argv: Sequence[str], user: str, gid: int) -> list[str]:
    """The command run with that user's rights and groups and nothing of root's."""
    who = [f"--reuid={user}", f"--regid={gid}", "--init-groups", "--inh-caps=-all"]
    return ["setpriv", *who, "--", *argv]


def inside(root: Path, path: Path) -> Path:
    """Where `path` of a system under `root` really lies, its links followed as that system does."""
    found = root
    left = [part for part in reversed(path.parts) if part != "/"]
    for _ in range(1000):
        if not left:
            return found
        part = left.pop()
        if part == "..":
            found = found if found == root else found.parent
            continue
        step = found / part
        if step.is_symlink():
            target = step.readlink()
            found = root if target.is_absolute() else found
            left += [name for name in reversed(target.parts) if name != "/"]
        else:
            found = step
    msg = f"too many links in {path}"
    raise OSError(msg)


def join_network(namespace: Path) -> None:
    """Move the current thread into a network namespace; the other threads stay where they are."""
    if threading.current_thread() is threading.main_thread():
        msg = "the main thread must stay in its own network"
        raise RuntimeError(msg)
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(namespace, os.O_RDONLY)
    try:
        if libc.setns(handle, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"setns: {os.strerror(code)}", str(namespace))
    finally:
        os.close(handle)


def open_socket(place: Place, address: Address, timeout: float = CONNECT_TIMEOUT) -> socket.socket:
    """A connection to an address over there: `(host, port)`, or the path of a unix socket.

    A socket keeps the network it was made in, so a short-lived thread makes it over there.
    """
    if isinstance(address, str):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(timeout)
        try:
            client.connect(str(place.real(Path(address))))
        except OSError:
            client.close()
            raise
        return client
    if isinstance(place, Host):
        return socket.create_connection(address, timeout)
    outcome: list[socket.socket | Exception] = []

    def connect() -> None:
        try:
            place.enter_network()
            outcome.append(socket.create_connection(address, timeout))
        except Exception as error:
            outcome.append(error)

    helper = threading.Thread(target=connect, daemon=True)
    helper.start()
    helper.join()
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
