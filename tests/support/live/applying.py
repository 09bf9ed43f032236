"""`prodgen diff` and `apply` on a host of their own: systemd as PID 1, Supervisor and nginx."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.live.restarting import COMMAND, ENVIRONMENT, Ended
from tests.support.live.systemd_bench import CONFIG, HOME, NAME, PATH, PORTS, USER
from tests.support.plans import ROOT
from tests.support.rig.bench import Bench, make_bench
from tests.support.rig.load import Load
from tests.support.rig.machine import Machine

STATE = Path("/var/lib/prodgen", NAME)
SITE = "one.test"
COMMON = "sites/common_site_config.json"
PLACES = ("/etc/supervisor/conf.d", "/etc/nginx/conf.d", "/etc/prodgen", "/etc/systemd/system")
OURS = re.compile(r"frappe[^/]*$|/frappe-bench/|/\.prodgen[^/]*$")
SUPERVISORCTL = ("supervisorctl", "-c", "/etc/supervisor/supervisord.conf")


@dataclass
class Host:
    """A machine with a bench that nobody has set up yet."""

    machine: Machine
    bench: Bench
    settings: dict[str, Any]
    counted: int = 0
    """The calls of an apply that change files, once they have been counted."""
    quick: bool = False
    """Whether Supervisor's own wait for a start is short (tests/support/live/settling.py)."""
    applied: str = ""
    former: str = ""
    """common_site_config.json as the last apply left it, and as the one before it did."""

    def set(self, **settings: Any) -> None:
        """Change prodgen.yaml; None takes a key away."""
        self.settings |= settings
        kept = {key: value for key, value in self.settings.items() if value is not None}
        self.bench.file("prodgen.yaml").write_text(json.dumps({"version": 1, **kept}))

    def configure(self, **keys: Any) -> None:
        """Change common_site_config.json."""
        path = self.bench.file("sites/common_site_config.json")
        new = path.with_suffix(".new")
        new.write_text(json.dumps({**json.loads(path.read_text()), **keys}, indent=1))
        os.chown(new, path.stat().st_uid, path.stat().st_gid)
        new.replace(path)  # the application reads it at each request

    @property
    def command(self) -> Sequence[str]:
        """prodgen."""
        return (sys.executable, "-m", "tests.support.live.settling") if self.quick else COMMAND

    def prodgen(self, *words: str, timeout: float = 180) -> Ended:
        """Run prodgen as root, on this bench."""
        return self._run([*self.command, *words, "-C", str(PATH)], timeout)

    def prodgen_alone(self, *words: str) -> Ended:
        """Run prodgen as root, on no bench."""
        return self._run([*self.command, *words], 60)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start prodgen as root, on this bench, and come back at once."""
        argv = self.machine.argv([*_plain([*self.command, *words, "-C", str(PATH)])])
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)

    def apply(self, *words: str) -> Ended:
        """`prodgen apply --yes`, which has to end well."""
        ended = self.prodgen("apply", "--yes", *words)
        assert ended.code == 0, ended
        text = self.bench.read(COMMON)
        before = self.former if "--rollback" in words else text
        if before != self.applied:
            self.applied, self.former = before, self.applied
        return ended

    def restore(self) -> None:
        """Take back what was changed in common_site_config.json and not applied."""
        if self.bench.read(COMMON) != self.applied:
            self.bench.file(COMMON).write_text(self.applied)
        self.apply()

    def die_at(self, number: int) -> Ended:
        """`prodgen apply --yes` that is killed at its call of this number which changes files."""
        return self._apply_with(f"with faults.at_call({number}, faults.die):\n    main()\n")

    def die_before_activation(self, *words: str) -> Ended:
        """`prodgen apply --yes` that is killed when its files are new and nobody knows it."""
        return self._apply_with("apply._activate = lambda *_: faults.die()\nmain()\n", *words)

    def calls(self) -> int:
        """How many calls that change files an apply of the bench as it is now makes."""
        counting = "with faults.at_call(0, lambda: None) as seen:\n    main()\nprint(seen.count)\n"
        return int(self._apply_with(counting).out.split()[-1])

    def _apply_with(self, body: str, *words: str) -> Ended:
        """`prodgen apply --yes`, called by a script of its own."""
        head = (
            "import sys\nfrom tests.support import faults\nfrom prodgen.cli.main import main\n"
            "from prodgen.deploy.apply import apply\n"
            f"{'import tests.support.live.settling' if self.quick else ''}\n"
            f"sys.argv = {['prodgen', 'apply', '--yes', *words, '-C', str(PATH)]!r}\n"
        )
        return self._run([sys.executable, "-c", head + body], 180)

    def _run(self, argv: Sequence[str], timeout: float) -> Ended:
        done = self.machine.run(_plain(argv), check=False, timeout=timeout)
        return Ended(done.returncode, done.stdout, done.stderr)

    def shell(self, command: str, *, check: bool = True) -> str:
        """What a command prints."""
        return self.machine.run(["sh", "-c", command], check=check, timeout=120).stdout

    def status(self) -> Mapping[str, Any]:
        """`prodgen status --format json`."""
        return dict(json.loads(self.prodgen("status", "--format", "json").out))

    def pids(self) -> dict[str, int]:
        """The main process of every service that runs, by either manager."""
        found = {}
        listed = self.shell(f"systemctl list-units --plain --no-legend '{NAME}-*.service'")
        for line in listed.splitlines():
            unit, _, active, *_ = line.split()
            if active == "active":
                pid = self.shell(f"systemctl show -P MainPID {shlex.quote(unit)}").strip()
                found[unit.removesuffix(".service")] = int(pid)
        running = self.shell(f"{shlex.join(SUPERVISORCTL)} status 2>/dev/null", check=False)
        for line in running.splitlines():
            name, state, *rest = line.split()
            if state == "RUNNING":
                found[name.partition(":")[2]] = int(rest[1].rstrip(","))
        return {name: pid for name, pid in found.items() if pid}

    def installed(self) -> dict[str, str]:
        """Digests of everything of ours in the places where prodgen installs."""
        found = {}
        for place in PLACES:
            top = self.machine.real(Path(place))
            for file in top.rglob("*"):  # no find(1): an overlay's lower root may change meanwhile
                path = f"{place}/{file.relative_to(top)}"
                if OURS.search(path) and file.is_file() and not file.is_symlink():
                    found[path] = hashlib.sha256(file.read_bytes()).hexdigest()
        return found

    def load(self, clients: int = 8, pause: float = 0) -> Load:
        """Clients that send GET and POST in turn, through nginx."""
        return Load(("127.0.0.1", 80), SITE, clients=clients, place=self.machine, pause=pause)


def _plain(argv: Sequence[str]) -> list[str]:
    """The command in an environment of its own, and in the checkout."""
    variables = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
    return ["env", "-i", "-C", str(ROOT), *variables, *argv]


@contextmanager
def host(
    manager: str, *, supervisor: bool = True, quick: bool = False, **config: Any
) -> Iterator[Host]:
    """A machine with nginx and Supervisor up, and a bench with nothing installed."""
    with Machine(keep_units=["nginx", "supervisor"]) as machine:
        machine.add_user(USER, 1001, HOME)
        bench = make_bench(
            PATH,
            user=USER,
            place=machine,
            ports=PORTS,
            config={**CONFIG, **config},
            frappe_version="15.72.4",
        )
        machine.run(["systemctl", "start", "nginx", *(["supervisor"] if supervisor else [])])
        made = Host(machine, bench, {}, quick=quick)
        made.set(manager=manager, user=USER)
        yield made
