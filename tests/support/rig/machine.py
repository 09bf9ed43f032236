"""A machine of a test: a real systemd as PID 1, over a throw-away copy of this system.

Two sets of namespaces: a keeper holds the disk (an overlay over the lower root, its changes in
memory) in a mount namespace of its own, so that nothing is ever mounted on the host and all is
gone with the keeper; each boot adds process, network and cgroup namespaces, which a power cut ends.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.rig import cgroups, machine_units, procs, stacks
from tests.support.rig.place import as_user, inside, join_network
from tests.support.rig.process import PLAIN_ENVIRONMENT, Child
from tests.support.rig.tools import cannot, need, need_root

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

HERE = Path(__file__).resolve().parent
HIDDEN = ("/tmp", "/run", "/dev", "/proc", "/sys")
BOOT_DEADLINE = 60.0
_numbers = itertools.count(1)


class MachineError(AssertionError):
    """A command in the machine failed, or the machine did not come up."""


class Machine:
    """A machine that can be booted, cut off, booted again with its disk kept, and closed.

    It is a `Place`: its files, users and loopback network are reached from the test directly.
    """

    def __init__(self, *, lower: Path = Path("/"), keep_units: Sequence[str] = ()) -> None:
        need("unshare", "nsenter", "setpriv", "ip", "mount")
        need_root("a machine")
        self.lower = lower
        self.pid = 0
        self.boot_seconds = 0.0
        self.state_word = "off"
        top = cgroups.mount_point() or cannot("no cgroup2 mount on this machine")
        if not (lower / "lib/systemd/systemd").exists():
            cannot(f"no systemd in {lower}")
        self.folder = Path(tempfile.mkdtemp(prefix="prodgen-rig-machine-"))
        self.console = self.folder / "console.log"
        self.console.touch()
        self.root = self.folder / "state" / "root"
        self._boot: Child | None = None
        self._children: list[Child] = []
        try:
            self.cgroup = cgroups.make(top, str(next(_numbers)))
        except OSError as error:
            shutil.rmtree(self.folder)
            cannot(f"this machine gives out no cgroup: {error}")
        self.keeper = self._start_keeper(machine_units.masked(lower, keep_units))
        self._finalizer = weakref.finalize(
            self, _clean, self.keeper, self.folder, self.cgroup, self._children
        )

    def _start_keeper(self, units: Sequence[str]) -> Child:
        (self.folder / "state").mkdir()
        masks = self.folder / "masks"
        masks.write_text("".join(f"{unit}\n" for unit in units))
        script = f'sh "$0" "$@" < {masks}'
        words = [str(self.folder / "state"), str(self.lower), uuid.uuid4().hex]
        own = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"exec {script}"]
        log = self.folder / "keeper.log"
        keeper = Child([*own, str(HERE / "machine_base.sh"), *words], log=log, stop_wait=0)
        try:
            return keeper.start().wait_log("mounted\n", 10)
        except AssertionError as error:
            _clean(keeper, self.folder, self.cgroup, [])
            cannot(f"no overlay in a mount namespace on this machine: {error}")

    def boot(self) -> Machine:
        """Start it and wait until systemd has settled; `state_word` is running or degraded."""
        if self.running():
            msg = "the machine is running"
            raise RuntimeError(msg)
        began = time.monotonic()
        join = f'echo $$ > {self.cgroup}/cgroup.procs && exec "$0" "$@"'
        enter = ["nsenter", f"--mount=/proc/{self.keeper.pid}/ns/mnt", "--", "sh", "-c", join]
        kinds = ["--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup"]
        fresh = ["unshare", "--fork", "--kill-child", *kinds, "--propagation", "private"]
        script = ["sh", str(HERE / "machine_boot.sh"), str(self.root), str(self.console)]
        log = self.folder / "boot.log"
        self._boot = Child([*enter, *fresh, *script, *self._shown()], log=log, stop_wait=0)
        self._children[:] = [self._boot]
        try:
            self._boot.start().wait_ready(self._find_init, BOOT_DEADLINE)
            self._boot.wait_ready(self.real(Path("/run/systemd/private")).exists, BOOT_DEADLINE)
        except AssertionError as error:
            said = self.console.read_text(errors="replace")[-2000:]
            msg = f"no boot: {error}\n{said}"
            raise MachineError(msg) from None
        argv = ["systemctl", "is-system-running", "--wait"]
        self.state_word = self.run(argv, check=False, timeout=BOOT_DEADLINE).stdout.strip()
        self.boot_seconds = time.monotonic() - began
        return self

    def _shown(self) -> list[str]:
        wanted = [stacks.CHECKOUT, stacks.cache_folder(), Path(sys.prefix), Path(sys.base_prefix)]
        disk = Path("/").stat().st_dev if self.lower == Path("/") else -1
        return [
            str(path)
            for path in dict.fromkeys(wanted)
            if path.stat().st_dev != disk or str(path).startswith(HIDDEN)
        ]

    def _find_init(self) -> bool:
        if self._boot is None:
            return False
        for pid in procs.descendants(self._boot.pid)[:1]:
            found = procs.read(pid)
            self.pid = pid if found and found.name == "systemd" else 0
        return self.pid != 0

    def running(self) -> bool:
        """Whether it is on."""
        return self.pid != 0 and procs.alive(self.pid)

    def power_cut(self) -> None:
        """End everything in it at once; the disk stays as it is."""
        if self.pid:
            procs.kill_all([self.pid])
        if self._boot is not None:
            self._boot.stop()
        self.pid, self._boot, self.state_word = 0, None, "off"
        self._children.clear()
        cgroups.remove(self.cgroup, keep=True)

    def reboot(self) -> Machine:
        """A power cut, and up again with the same disk."""
        self.power_cut()
        return self.boot()

    def close(self) -> None:
        """Remove it with all it had: processes, mounts, cgroup, disk."""
        self.pid, self._boot = 0, None
        self._finalizer()

    def real(self, path: Path) -> Path:
        """Where this host finds a file of the machine, on or off."""
        off = Path(f"/proc/{self.keeper.pid}/root{self.root}")
        return inside(Path(f"/proc/{self.pid}/root") if self.pid else off, path)

    def argv(self, argv: Sequence[str], user: str | None = None) -> list[str]:
        """The command that runs `argv` in the machine, from here."""
        inner = as_user(argv, user, self.owner(user)[1]) if user else list(argv)
        if not self.pid:
            msg = "the machine is off"
            raise MachineError(msg)
        return ["nsenter", "--target", str(self.pid), "--all", "--", *inner]

    def owner(self, user: str) -> tuple[int, int]:
        """The uid and gid of a user of the machine."""
        entry = self._passwd(user)
        return int(entry[2]), int(entry[3])

    def _passwd(self, user: str) -> list[str]:
        for line in self.real(Path("/etc/passwd")).read_text().splitlines():
            if line.startswith(f"{user}:"):
                return line.split(":")
        raise KeyError(user)

    def enter_network(self) -> None:
        """Put the current thread into the machine's network."""
        join_network(Path(f"/proc/{self.pid}/ns/net"))

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        check: bool = True,
        timeout: float = 60.0,
        user: str | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | bytes = b"",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine as root or a user; a failed one is an error unless told."""
        name = user or "root"
        login = {"HOME": self._passwd(name)[5], "USER": name, "LOGNAME": name}
        words = ["env", "-C", str(cwd or "/"), *(str(word) for word in argv)]
        done = subprocess.run(
            self.argv(words, user),
            env={**PLAIN_ENVIRONMENT, **login, **(env or {})},
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if check and done.returncode != 0:
            msg = f"{words[3:]} ended with {done.returncode}\n{out}{err}"
            raise MachineError(msg)
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def put(
        self,
        path: Path | str,
        content: str | bytes,
        mode: int = 0o644,
        owner: str | None = None,
    ) -> Path:
        """Write a file in the machine, on or off, with its folders; returns the path."""
        file = self.real(Path(path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)
        if owner is not None:
            os.chown(file, *self.owner(owner))
        return Path(path)

    def add_user(self, name: str, uid: int, home: Path | str, home_mode: int = 0o755) -> None:
        """A user with a group of the same name and number and a home folder."""
        group = ["groupadd", "--gid", str(uid), name]
        own = ["--uid", str(uid), "--gid", str(uid), "--create-home", "--home-dir", str(home)]
        self.run(group)
        self.run(["useradd", *own, "--shell", "/bin/bash", name])
        self.real(Path(home)).chmod(home_mode)

    def __enter__(self) -> Machine:
        return self if self.running() else self.boot()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _clean(keeper: Child, folder: Path, cgroup: Path, booted: list[Child]) -> None:
    for child in (*booted, keeper):
        child.stop()
    cgroups.remove(cgroup)
    shutil.rmtree(folder, ignore_errors=True)
