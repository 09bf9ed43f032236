"""Logs: where bench users look, one writer each, bounded, and no line lost."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from prodgen.targets.supervisor.groups import log_links
from tests.support.live.supervised import Edit, Figure, Supervised, supervised
from tests.support.rig.waiting import wait_for

LINES = 40_000
WRITER = """\
import sys
import time
for number in range({lines}):
    print({own}, number, "x" * 60)
    if number % 50 == 0:
        sys.stdout.flush()
sys.stdout.flush()
time.sleep(600)
"""
LOG_BYTES = 1024**2
BACKUPS = 5
NAMES = {
    "web.log",
    "web.error.log",
    "worker.log",
    "worker.error.log",
    "schedule.log",
    "schedule.error.log",
    "node-socketio.log",
    "node-socketio.error.log",
    "redis-cache.log",
    "redis-queue.log",
}
"""Those that bench's own set-up writes into logs/."""


def small_logs(plan: Plan) -> Plan:
    """The plan with logs that are rotated soon."""
    own = plan.supervisor
    size, backups = (
        Sourced(LOG_BYTES, own.log_bytes.origin),
        Sourced(BACKUPS, own.log_backups.origin),
    )
    return plan._replace(supervisor=own._replace(log_bytes=size, log_backups=backups))


def log_files(run: Supervised) -> list[str]:
    """Every file that supervisord writes for a process, as it says itself."""
    keys = ("stdout_logfile", "stderr_logfile")
    return [each[key] for each in run.processes().values() for key in keys]


@pytest.mark.pitfall("D-SV5")
def test_logs_are_found_by_their_names(ground: Path, figure: Figure) -> None:
    with supervised(ground, config={"background_workers": 2}) as run:
        files = log_files(run)
        assert max(Counter(files).values()) == 1, "two processes write one rotated file"
        assert {Path(file).parent for file in files} == {run.logs}
        assert {Path(file).stat().st_uid for file in [*files, str(run.logs)]} == {0}
        plan = run.plan()
        links = log_links(plan)
        for name, target in links.items():
            run.bench.file(f"logs/{name}").symlink_to(target)
        assert set(links) >= NAMES
        assert {str(target) for target in links.values()} == set(files)
        wait_for(lambda: "Listening at" in run.bench.read("logs/web.error.log"), 10, "a line")
        run.bench.enqueue("short", 0, "seen", count=30)
        wait_for(lambda: "Job OK" in run.bench.read("logs/worker.log"), 20, "a job's line")
        options = plan.supervisor
        bound = len(files) * options.log_bytes.value * (options.log_backups.value + 1)
        figure(f"{len(files)} files, none shared; at most {bound / 1024**3:.1f} GB of them all")


def shared(text: str) -> str:
    """D-SV5: the processes write into one file, each with a rotation of its own."""
    return re.sub(r"(stdout_logfile=.*/writer)-\d\.log", r"\1.log", text)


@pytest.mark.matrix_cases("shared")
@pytest.mark.pitfall("D-SV5")
@pytest.mark.pitfall("31")
@pytest.mark.parametrize("fault", [None, shared])
def test_rotation_loses_no_line(ground: Path, fault: Edit | None, figure: Figure) -> None:
    procfile = ""
    for number in (1, 2):
        script = ground / f"writer-{number}.py"
        script.write_text(WRITER.format(own=number, lines=LINES))
        procfile += f"writer-{number}: /usr/bin/python3 {script}\n"
    with supervised(ground, procfile=procfile, change=small_logs, edit=fault, up=False) as run:
        size = sum(len(f"1 {number} ") + 61 for number in range(LINES)) * 2
        if fault is None:
            wait_for(lambda: _total(run.logs) >= size, 60, "all lines")
        else:
            run.wait_running()
        files = sorted(run.logs.glob("writer*.log*"))
        found = Counter(
            line.split()[0] for file in files for line in file.read_text().splitlines() if line
        )
        rotated = sum(file.suffix != ".log" for file in files)
        assert all(file.stat().st_size < LOG_BYTES + 256 * 1024 for file in files)
        assert rotated > 2
        kept = sum(found.values())
        how = " of one file" if fault else ""
        figure(f"{kept} of {2 * LINES} lines kept over {rotated} rotations{how}")
        if fault:
            assert max(Counter(log_files(run)).values()) == 2
        else:
            for writer in ("1", "2"):
                own = [file for file in files if file.name.startswith(f"writer-{writer}.log")]
                text = "".join(file.read_text() for file in sorted(own, key=_age, reverse=True))
                seen = [int(line.split()[1]) for line in text.splitlines()]
                assert seen == list(range(LINES))


def _total(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _age(file: Path) -> int:
    return int(file.suffix[1:]) if file.suffix[1:].isdigit() else 0
