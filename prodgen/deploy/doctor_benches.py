"""Checks of what two benches of one machine may both want: ports, and the names of processes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prodgen.deploy import procfs
from prodgen.deploy.doctor_host import listener
from prodgen.deploy.finding import Finding, bad
from prodgen.deploy.managed import Process
from prodgen.deploy.status import config_files
from prodgen.plan.model import Plan, Role

MARK = "sites/common_site_config.json"
FOLDER_LINE = r"^(?:directory|WorkingDirectory)=(.+)$"
"""Where a process runs, in Supervisor's words and in systemd's."""


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
        if other and not _is_same(other, plan):
            yield bad(
                "benches",
                f"the bench {other} listens on port {address.port}, as this one should",
                "give each its own ports: bench set-config -g -p webserver_port …",
            )


def check_name(plan: Plan, processes: Sequence[Process]) -> Iterator[Finding]:
    """No other bench of this machine has its name, and with it its programs or units."""
    for other in namesakes(plan, _folders(plan, processes)):
        name = plan.bench_name.value
        yield bad(
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
            text = Path(file).read_text("utf-8", "replace")
        except OSError:
            continue
        yield from folders_in(text)


def folders_in(text: str) -> Iterator[Path]:
    """Where the processes run that a file of a manager's describes."""
    return (Path(row.strip()) for row in re.findall(FOLDER_LINE, text, re.MULTILINE))


def namesakes(plan: Plan, folders: Iterable[Path]) -> list[Path]:
    """The other benches that these folders of this bench's processes are in."""
    found = (bench_of(folder) for folder in folders)
    return sorted({one for one in found if one and not _is_same(one, plan)})


def bench_of(folder: Path) -> Path | None:
    """The bench that a folder is in; None where it is in none."""
    return next((one for one in (folder, *folder.parents) if (one / MARK).is_file()), None)


def _is_same(other: Path, plan: Plan) -> bool:
    return os.path.realpath(other) == os.path.realpath(plan.bench.value)
