"""The units of a bench in any folder, on a real systemd: what is planned is what runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from prodgen.plan.core.model import Role, Service
from prodgen.targets.core.restart_delay import with_restart_delay
from prodgen.targets.systemd.service import SCHEDULER_WAIT
from prodgen.targets.systemd.units import running_units
from tests.support.rig.machine import Machine
from tests.support.rig.waiting import wait_for
from tests.support.systemd_plans import make_plan, units_of, with_options

pytestmark = [pytest.mark.live, pytest.mark.pitfall("2b"), pytest.mark.pitfall("2c")]

FOLDERS = [
    "a b", "50%", "%h %i", "$HOME ${USER}", "it's", 'say "hi"', "a;b ; c", "#a #b", "größe 日本",
    "back\\slash", "trailing\\", "a,b=c:d", "-x (y) {z}",
]  # fmt: skip
PROCFILE = """\
schedule: bench schedule
worker: bench worker
bot: ./run 'it'"'"'s' "50%" '$HOME' ';' '' 'a\\b'
"""
DUMP = """\
#!/usr/bin/python3
import json, os, sys, time
found = {"argv": sys.argv, "folder": os.getcwd(), "env": dict(os.environ)}
name = os.path.join(os.environ["LOGS"], os.environ["INVOCATION_ID"])
with open(name + ".new", "w") as file:
    json.dump(found, file)
os.rename(name + ".new", name)
time.sleep(1000)
"""
ROLES = (Role.SCHEDULER, Role.WORKER, Role.OTHER)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as booted:
        booted.add_user("frappe", 1001, "/home/frappe")
        yield booted


@pytest.mark.parametrize(
    ("name", "level"), [("50% it's", "standard"), *((name, "strict") for name in FOLDERS)]
)
def test_every_process_gets_what_is_planned(machine: Machine, name: str, level: str) -> None:
    bench = PurePosixPath("/home/frappe", name, "bench")
    plan = with_options(make_plan(str(bench), procfile=PROCFILE), hardening=level)
    logs = ("LOGS", str(bench / "logs"))
    plan = plan._replace(services=tuple(_with(one, logs) for one in plan.services))
    for file in ("sites/x", "logs/x", "config/x"):
        machine.put(str(bench / file), "")
    for program in ("env/bin/python", "run"):
        machine.put(str(bench / program), DUMP, mode=0o755)
    machine.run(["chown", "-R", "frappe:", str(bench.parent)])
    for file, text in units_of(plan).items():
        machine.put(f"/run/systemd/system/{file}", text)
    machine.run(["systemctl", "daemon-reload"])
    for service in plan.with_role(*ROLES):
        [unit, *_] = running_units(service)
        machine.run(["systemctl", "start", unit])
        try:
            _compare(machine, service, unit, bench)
        finally:
            machine.run(["systemctl", "stop", unit], check=False)


def _with(service: Service, variable: tuple[str, str]) -> Service:
    pairs = tuple(sorted((*service.environment.value, variable)))
    return service._replace(environment=service.environment.derive(pairs, "a test"))


def _compare(machine: Machine, service: Service, unit: str, bench: PurePosixPath) -> None:
    said = machine.run(["systemctl", "show", "-p", "InvocationID", "--value", unit]).stdout
    file = machine.real(Path(bench / "logs" / said.strip()))
    wait_for(file.exists, 10, f"{unit} to run")
    found = json.loads(file.read_text())
    argv = list(with_restart_delay(service, SCHEDULER_WAIT))
    assert found["argv"][1:] == argv[1:]
    assert found["folder"] == str(service.directory.value)
    assert found["env"].items() >= dict(service.environment.value).items()
