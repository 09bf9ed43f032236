"""Where a page is played: a machine with a bench, nginx and a process manager, and a terminal."""

from __future__ import annotations

import re
import shlex
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect

from tests.docs import by_bench
from tests.support.plans import ROOT
from tests.support.rig import stacks
from tests.support.rig.bench import Bench, make_bench
from tests.support.rig.machine import Machine
from tests.support.rig.tools import need_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
USER, HOME = "frappe", Path("/home/frappe")
BENCH = HOME / "frappe-bench"
SITES = ("erp.example.com", "hr.example.com")
PORTS = (8000, 9000, 13000, 11000)
SECOND, SECOND_SITE = HOME / "crm-bench", "crm.example.com"
INSTALLED = Path("/usr/local/lib/prodgen")
COLUMNS = 80
SCRIPT = """\
import sys
from prodgen.cli.main import main
from prodgen.targets.supervisor import render as supervisor
supervisor.SETTLED_SECONDS = 1  # Supervisor's wait for a start: nothing of it is on a page
sys.exit(main())
"""
QUESTION = re.compile(r"(\[y/N\]|\[Y/n\]): ?$")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "LANG": "C.UTF-8",
    "TERM": "xterm",
    "NO_COLOR": "1",
    "SYSTEMD_PAGER": "",
    "HOME": str(HOME),
    "USER": USER,
    "LOGNAME": USER,
    "SHELL": "/bin/bash",
    "XDG_RUNTIME_DIR": "/run/user/1001",
}


@dataclass
class Stage:
    """A machine, and where the user's shell is."""

    machine: Machine
    bench: Bench
    folder: str = str(BENCH)

    def type(self, command: str, answer: str = "", timeout: float = 180) -> tuple[int, str]:
        """The exit code of a command in a terminal of the bench's user, and what that shows."""
        kept = "/tmp/.folder"
        script = f"cd {shlex.quote(self.folder)}\n{command}\ncode=$?\npwd >{kept}\nexit $code\n"
        variables = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
        argv = self.machine.argv(["env", "-i", *variables, "bash", "-c", script], USER)
        need_terminal()
        terminal = pexpect.spawn(
            argv[0], argv[1:], encoding="utf-8", dimensions=(50, COLUMNS), timeout=timeout
        )
        shown = ""
        while terminal.expect([QUESTION, pexpect.EOF]) == 0:
            shown += str(terminal.before) + str(terminal.after)
            terminal.sendline(answer)
        shown += str(terminal.before)
        terminal.close()
        self.folder = self.machine.real(Path(kept)).read_text().strip()
        code = terminal.exitstatus
        return (128 + int(terminal.signalstatus or 0) if code is None else code), as_seen(shown)

    def run(self, command: str) -> None:
        """What root does in the bench's folder; it must end well."""
        self.machine.run(["bash", "-ec", command], cwd=BENCH, timeout=180)

    def write(self, path: str, text: str) -> None:
        """A file that the user writes, or root where the path is absolute and not at home."""
        place = Path(self.folder) / path
        owner = USER if place.is_relative_to(HOME) else None
        self.machine.put(place, text, owner=owner)

    def read(self, path: str) -> str:
        """The text of a file."""
        return self.machine.real(Path(self.folder) / path).read_text()


def as_seen(raw: str) -> str:
    """What stays on a screen of what a program writes to a terminal."""
    lines: list[str] = []
    for line in raw.replace("\r\n", "\n").split("\n"):
        for _ in range(line.count("\x1b[1A\x1b[2K")):  # prodgen draws the lines of a wait anew
            lines.pop()
        lines.append(CONTROL.sub("", line).rstrip())
    text = "\n".join(lines)
    return text if not text or text.endswith("\n") else f"{text}\n"


@contextmanager
def stage(kind: str) -> Iterator[Stage]:
    """A machine with the bench of `bench init`, two sites in it, and nothing set up yet.

    After the manager `kind` may say: a version of Frappe; `two-benches`; `certbot`, a stand-in for
    it; `set-up-by-bench`, as `bench setup production` leaves it.
    """
    manager, *wishes = kind.split()
    if manager not in ("supervisor", "systemd"):
        msg = f"no such stage: {kind}"
        raise ValueError(msg)
    with Machine(keep_units=["nginx", "supervisor"]) as machine:
        machine.add_user(USER, 1001, HOME)
        bench = make_bench(
            BENCH,
            user=USER,
            place=machine,
            ports=PORTS,
            sites=SITES,
            frappe_version=next((wish for wish in wishes if wish[0].isdigit()), "15.72.4"),
        )
        if "two-benches" in wishes:
            ports = [port + 1 for port in PORTS]
            make_bench(SECOND, user=USER, place=machine, ports=ports, sites=[SECOND_SITE])
        install(machine)
        if "certbot" in wishes:
            machine.put("/usr/local/bin/certbot", (HERE / "certbot").read_text(), 0o755)
        machine.run(["systemctl", "start", "nginx"])
        if manager == "supervisor":
            machine.run(["systemctl", "start", "supervisor"])
        if "set-up-by-bench" in wishes:
            by_bench.set_up(machine, bench)
        yield Stage(machine, bench)


def install(machine: Machine) -> None:
    """prodgen in an environment of its own, the user's right to `sudo`, and the sites' names."""
    python = stacks.bench_python()
    major, minor = stacks.python_version(python)
    packages = machine.real(INSTALLED / f"lib/python{major}.{minor}/site-packages")
    shutil.copytree(stacks.stack("prodgen"), packages)
    shutil.copytree(ROOT / "prodgen", packages / "prodgen")
    shutil.copytree(ROOT / "templates", packages / "prodgen/templates")
    machine.put(INSTALLED / "pyvenv.cfg", f"home = {python.parent}\n")
    machine.put(INSTALLED / "bin/prodgen", f"#!{INSTALLED}/bin/python\n{SCRIPT}", 0o755)
    machine.real(INSTALLED / "bin/python").symlink_to(python)
    machine.run(["ln", "-sfT", INSTALLED / "bin/prodgen", "/usr/local/bin/prodgen"])
    machine.put("/etc/sudoers.d/frappe", f"{USER} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    names = ("localhost", machine.run(["hostname"]).stdout.strip(), *SITES, SECOND_SITE)
    machine.put("/etc/hosts", "".join(f"127.0.0.1 {name}\n" for name in names))
