"""A network of its own, with loopback only, so that a test may listen on 80 and 443."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.support.rig.place import HOST, join_network
from tests.support.rig.process import Child
from tests.support.rig.tools import cannot, need, need_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Network:
    """This machine's files and users behind a private network: a `Place`."""

    def __init__(self, pid: int) -> None:
        self.path = Path(f"/proc/{pid}/ns/net")

    def real(self, path: Path) -> Path:
        """The path itself: only the network is private."""
        return path

    def owner(self, user: str) -> tuple[int, int]:
        """The uid and gid of a user of this machine."""
        return HOST.owner(user)

    def argv(self, argv: Sequence[str], user: str | None = None) -> list[str]:
        """The command that runs `argv` in this network (the pid stays that of the program)."""
        return ["nsenter", f"--net={self.path}", "--", *HOST.argv(argv, user)]

    def enter_network(self) -> None:
        """Put the current thread into this network."""
        join_network(self.path)

    def run(self, argv: Sequence[str], timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run a command in this network to its end; its outcome is not checked."""
        return subprocess.run(
            self.argv(argv), capture_output=True, text=True, timeout=timeout, check=False
        )


@contextmanager
def network() -> Iterator[Network]:
    """A network namespace with lo up; gone, with its listeners, when the last process in it is."""
    need("unshare", "nsenter", "ip")
    need_root("a network namespace")
    script = "ip link set lo up && echo up && exec sleep infinity"
    with TemporaryDirectory(prefix="prodgen-rig-net-") as folder:
        log = Path(folder, "log")
        keeper = Child(["unshare", "--net", "sh", "-c", script], log=log, stop_wait=0)
        with keeper:
            try:
                keeper.wait_log("up\n", 5)
            except AssertionError as error:
                cannot(f"no network namespace on this machine: {error}")
            yield Network(keeper.pid)
