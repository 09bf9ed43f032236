"""A bench that runs as `bench setup production` leaves it, and what somebody has added since."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.plans import ROOT
from tests.support.rig.waiting import wait_for

if TYPE_CHECKING:
    from tests.support.rig.bench import Bench
    from tests.support.rig.machine import Machine

WRITTEN = ROOT / "tests/review/adopt/adopted/by-bench"
"""What bench 5.31 writes, for a bench with one site and a queue of its own."""
OWN_PROGRAM = r"(?ms)^\[program:frappe-bench-frappe-reports-worker\].*?(?=^\[)"
BENCH = """#!/bin/sh
# What the bench command turns itself into.
case $1 in socketio) exec /usr/bin/node {path}/apps/frappe/socketio.js;; esac
cd {path}/sites && exec {path}/env/bin/python -m frappe.utils.bench_helper frappe "$@"
"""
LOCATION = """\
\tlocation = /alive {
\t\treturn 200 "alive\\n";
\t}

\tlocation /assets {"""


def set_up(machine: Machine, bench: Bench) -> None:
    """Two files in the bench, and links to them; nginx's has a location and a limit by hand."""
    flags = {"dns_multitenant": True, "restart_supervisor_on_update": True}
    bench.set_config(**flags, gunicorn_workers=5)
    machine.put("/usr/local/bin/bench", BENCH.format(path=bench.path), 0o755)
    for name, place in (("supervisor", "/etc/supervisor"), ("nginx", "/etc/nginx")):
        text = (WRITTEN / f"{name}.conf").read_text()
        path = machine.put(bench.path / f"config/{name}.conf", _changed(text, bench), 0o644)
        machine.run(["chown", f"{bench.user}:", path])
        machine.run(["ln", "-s", path, f"{place}/conf.d/{bench.path.name}.conf"])
    machine.run(["systemctl", "restart", "supervisor"])
    machine.run(["systemctl", "reload", "nginx"])
    wait_for(bench.web_answers, 60, "the web")
    wait_for(lambda: _is_up(machine), 60, "Supervisor's programs")


def _is_up(machine: Machine) -> bool:
    told = machine.run(["supervisorctl", "status"], check=False).stdout.splitlines()
    return bool(told) and all(" RUNNING " in line for line in told)


def _changed(text: str, bench: Bench) -> str:
    text = re.sub(OWN_PROGRAM, "", text).replace(",frappe-bench-frappe-reports-worker", "")
    text = text.replace("one.test", "\n\t\t".join(bench.sites))
    return text.replace("\tlocation /assets {", LOCATION).replace(
        "max_body_size 50m", "max_body_size 200m"
    )
