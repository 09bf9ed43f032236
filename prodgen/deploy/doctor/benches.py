"""Checks of what two benches of one machine may both want: ports, and the names of processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from prodgen.deploy.doctor.finding import Finding, bad
from prodgen.deploy.doctor.host import listener
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.monitor.status import config_files
from prodgen.deploy.system import procfs
from prodgen.deploy.system.other_benches import bench_of, folders_in, is_same, namesakes
from prodgen.host.door import read_named
from prodgen.plan.core.model import Plan, Role


def check_ports(plan: Plan, processes: Sequence[Process]) -> Iterator[Finding]:
    """No other bench of this machine listens where this one does."""
    own = {one.pid for one in processes if one.pid}
    own |= {pid for master in set(own) for pid in procfs.descendants(master)}
    for service in plan.services:
        address = service.address.value if service.address else None
        if address is None or address.path or service.role.value in (Role.CACHE, Role.QUEUE):
            continue
        pid = listener(address.port)
        other = bench_of(Path(procfs.folder(pid))) if pid and pid not in own else None
        if other and not is_same(other, plan):
            yield bad(
                "PG977",
                "benches",
                f"the bench {other} listens on port {address.port}, as this one should",
                "give each its own ports: bench set-config -g -p webserver_port …",
            )


def check_name(plan: Plan, processes: Sequence[Process]) -> Iterator[Finding]:
    """No other bench of this machine has its name, and with it its programs or units."""
    for other in namesakes(plan, _folders(plan, processes)):
        name = plan.bench_name.value
        yield bad(
            "PG978",
            "benches",
            f"the bench {other} is called {name} too: what {plan.manager.value.value} runs under "
            "that name is the other's, and `prodgen restart` restarts it",
            "set another `bench_name` in the prodgen.yaml of one of them",
        )


def _folders(plan: Plan, processes: Sequence[Process]) -> Iterator[Path]:
    """Where the processes of this name run, and where their installed files have them run."""
    for one in processes:
        if one.pid and one.role not in (Role.CACHE, Role.QUEUE):
            yield Path(procfs.folder(one.pid) or "/")
    for file in {file for one in processes for file in config_files(plan, one)}:
        try:
            text = read_named(Path(file)).decode("utf-8", "replace")
        except OSError:
            continue
        yield from folders_in(text)
