"""`prodgen adopt` up to where programs are told: a program that adopts one bench for each line.

It is run inside a machine. Each line of its standard input is the folder of a bench; the answer is
one line of JSON. All of adopt is as the command has it, the trial by nginx and supervisord and the
replacing of files too; only what runs is left alone, since these benches have no application.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from prodgen.targets.nginx.parse import Directive
from tests.support.live.applying import Host
from tests.support.live.restarting import COMMAND, ENVIRONMENT
from tests.support.live.systemd_bench import NAME, PATH, USER
from tests.support.plans import ROOT
from tests.support.rig.machine import Machine
from tests.support.rig.waiting import wait_for

PLACES = {"supervisor": Path("/etc/supervisor/conf.d"), "nginx": Path("/etc/nginx/conf.d")}
PROCESSES = {f"{NAME}-{name}" for name in ("frappe-web", "redis-cache", "redis-queue")}
BENCH = f"""#!/bin/sh
# What the bench command turns itself into.
case $1 in socketio) exec /usr/bin/node {PATH}/apps/frappe/socketio.js;; esac
cd {PATH}/sites && exec {PATH}/env/bin/python -m frappe.utils.bench_helper frappe "$@"
"""
PAIR = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9"
PRIMES = "openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048"


class Adopted(NamedTuple):
    """How one adopt ended."""

    code: int
    err: str


class Adopter:
    """The program, running in a machine while the block lasts."""

    def __init__(self, machine: Machine) -> None:
        variables = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
        own = [COMMAND[0], "-m", "tests.support.live.adopting"]
        argv = machine.argv(["env", "-i", "-C", str(ROOT), *variables, *own])
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True)

    def adopt(self, folder: Path) -> Adopted:
        """`prodgen adopt --yes --leave-out` of the bench there."""
        asked, said = self.process.stdin, self.process.stdout
        assert asked
        assert said
        asked.write(f"{folder}\n")
        asked.flush()
        return Adopted(*json.loads(said.readline()))

    def __enter__(self) -> Adopter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.communicate(timeout=20)


def set_up(made: Host, nginx: str, supervisor: str) -> None:
    """What `bench setup production` does: two files in the bench, and links to them."""
    made.machine.put("/usr/local/bin/bench", BENCH, mode=0o755)
    made.shell(f"install -d -o {USER} {PATH}/config {PATH}/logs")
    for name, text in (("nginx", nginx), ("supervisor", supervisor)):
        path = made.machine.put(PATH / f"config/{name}.conf", text, owner=USER)
        made.shell(f"ln -sf {path} {PLACES[name]}/{NAME}.conf")
    made.shell("systemctl restart supervisor nginx")
    wait_for(lambda: set(made.pids()) >= PROCESSES and made.bench.web_answers(), 60, "the bench")


def put_tls_files(machine: Machine, server: Directive) -> None:
    """The certificate that a server of theirs names, and the files that certbot adds to it."""
    at = {one.words[0]: one.words[1] for one in server.inner or () if len(one.words) == 2}
    commands = []
    if "ssl_certificate" in at:
        files = f"-out {at['ssl_certificate']} -keyout {at['ssl_certificate_key']}"
        name = f"-subj /CN={at.get('server_name', 'one.test')}"
        commands += [f"mkdir -p {Path(at['ssl_certificate']).parent}", f"{PAIR} {name} {files}"]
    if "ssl_dhparam" in at:
        commands.append(f"{PRIMES} -out {at['ssl_dhparam']}")
    if "options-ssl" in at.get("include", ""):
        commands.append(f"echo 'ssl_protocols TLSv1.2 TLSv1.3;' > {at['include']}")
    machine.run(["sh", "-ec", "\n".join(commands)])


def _adopt(folder: str) -> Adopted:
    """Adopts the bench at `folder`."""
    from prodgen.cli.main import main

    said = io.StringIO()
    sys.argv = ["prodgen", "adopt", "--yes", "--leave-out", "-C", folder]
    with redirect_stderr(said), redirect_stdout(said):
        code = main()
    return Adopted(int(code), said.getvalue())


def _leave_what_runs() -> None:
    """Takes out of an apply what tells programs of their new files, and waits for them."""
    from prodgen.deploy.apply import apply

    def nothing(*_: object) -> None: ...

    for name in ("activate", "look_after"):
        setattr(apply, name, nothing)


if __name__ == "__main__":
    _leave_what_runs()
    answers = sys.stdout
    for line in sys.stdin:
        answers.write(f"{json.dumps(_adopt(line.strip()))}\n")
        answers.flush()
