"""`logging: {mode: journal}` under Supervisor: its lines reach the journal of a real journald."""

from __future__ import annotations

from prodgen.inputs.core.source import Source
from prodgen.targets.supervisor.render import render_supervisor
from tests.support.plans import bench_files, make_plan
from tests.support.rig.machine import Machine
from tests.support.rig.supervisord import STOCK
from tests.support.rig.tools import need
from tests.support.rig.waiting import wait_for

PROCFILE = "clock: sh -c 'echo spoken; echo warned >&2; exec sleep 1000'\n"
FOLDER = "/run/supervised"


def test_lines_reach_the_journal_and_the_files(machine: Machine) -> None:
    files = bench_files(PROCFILE)._replace(
        settings=Source("prodgen.yaml", "user: nobody\nlogging: {mode: journal}\n")
    )
    [artifact], found = render_supervisor(make_plan(files))
    assert not found
    machine.put("/home/frappe/frappe-bench/keep", "")
    machine.put("/var/log/frappe-bench/keep", "")
    machine.put(f"{FOLDER}/conf.d/bench.conf", artifact.text)
    machine.put(f"{FOLDER}/log/keep", "")
    machine.put(f"{FOLDER}/supervisord.conf", STOCK.format(folder=FOLDER))
    machine.run([need("supervisord"), "-c", f"{FOLDER}/supervisord.conf"])

    def said() -> str:
        return machine.run(["journalctl", "--output=cat", "--since=-60s"]).stdout

    wait_for(lambda: "spoken" in said() and "warned" in said(), 15, "both lines in the journal")
    logs = "/var/log/frappe-bench/clock"
    assert machine.run(["cat", f"{logs}.log"]).stdout == "spoken\n"
    assert machine.run(["cat", f"{logs}.error.log"]).stdout == "warned\n"
    assert [line for line in said().splitlines() if line.startswith("frappe-bench-clock")]
