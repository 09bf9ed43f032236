"""A real systemd as PID 1 that leaves no trace."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.rig import procs
from tests.support.rig.bench import make_bench
from tests.support.rig.client import fetch
from tests.support.rig.load import Load
from tests.support.rig.machine import Machine
from tests.support.rig.stacks import CHECKOUT, bench_python
from tests.support.rig.waiting import wait_for

UNIT = """\
[Service]
User=frappe
WorkingDirectory=/home/frappe/frappe-bench/sites
ExecStart=/home/frappe/frappe-bench/env/bin/gunicorn -b 127.0.0.1:8000 frappe.app:application
Restart=always
[Install]
WantedBy=multi-user.target
"""


def test_a_machine_keeps_its_disk_and_leaves_no_trace() -> None:
    machine = Machine()
    with machine:
        assert machine.state_word == "running", machine.run(["systemctl", "--failed"]).stdout
        assert machine.boot_seconds < 10
        masked = machine.run(["systemctl", "is-enabled", "nginx"], check=False).stdout
        assert masked.strip() in ("masked", "masked-runtime", "")
        machine.put("/etc/rig/state", "kept\n", mode=0o600)
        machine.power_cut()
        assert not machine.running()
        assert machine.real(Path("/etc/rig/state")).read_text() == "kept\n"
        machine.boot()
        assert machine.run(["cat", "/etc/rig/state"]).stdout == "kept\n"
        family = [machine.keeper.pid, machine.pid, *procs.descendants(machine.pid)]
        assert family
        assert machine.cgroup.is_dir()
        assert str(machine.folder) not in Path("/proc/mounts").read_text()
    assert not machine.cgroup.exists()
    assert not machine.folder.exists()
    assert [pid for pid in family if procs.alive(pid)] == []
    assert not Path("/etc/rig").exists()


def test_a_bench_runs_in_a_machine_and_after_a_reboot(machine: Machine) -> None:
    machine.add_user("frappe", 1001, "/home/frappe")
    path = Path("/home/frappe/frappe-bench")
    bench = make_bench(path, user="frappe", place=machine, ports=[8000, 9000, 13000, 11000])
    machine.put("/etc/systemd/system/web.service", UNIT)
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "enable", "--now", "web"])
    address = ("127.0.0.1", 8000)

    def whoami() -> dict[str, object]:
        found: dict[str, object] = fetch(
            address, "/api/method/whoami", host="one.test", place=machine
        ).json()
        return found

    assert wait_for(whoami, 10, "the web server")["user"] == "frappe"
    with bench.child("redis", bench.redis_argv("queue")) as redis:
        redis.wait_port(bench.queue_port)
        bench.enqueue(token="inside")
        assert bench.run("worker", "--burst").returncode == 0
        assert bench.counts() == {"inside": 1}
    machine.reboot()
    wait_for(whoami, 10, "the web server after a reboot")
    with Load(address, "one.test", place=machine, clients=2) as load:
        wait_for(lambda: load.answered() >= 20, 20, "twenty answers")
    assert load.result.failed == 0, str(load.result)
    words = [
        str(bench_python()),
        "-m",
        "tests.support.rig.load",
        "--port",
        "8000",
        "--host",
        "one.test",
    ]
    done = machine.run([*words, "--requests", "20", "--clients", "2"], cwd=CHECKOUT)
    assert json.loads(done.stdout)["ok"] == 20
