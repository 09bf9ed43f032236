"""`prodgen status`: the bench in one table."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.app.running_bench import context_from
from prodgen.app.terminal.text import printable
from prodgen.cli.commands.restart import refuse
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.live_events import busy_line, span
from prodgen.cli.core.options import bench_option, format_option, report_options, supervisor_option
from prodgen.cli.core.report import has_failed, show_danger
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.monitor.status import Row, Status, look

FORMAT_VERSION = 1
INTERVAL = 2.0
CLEAR = "\x1b[H\x1b[2J"


@click.command("status")
@bench_option
@click.option("-w", "--watch", is_flag=True, help="Refresh every two seconds, until Ctrl-C.")
@supervisor_option
@format_option("A table, or JSON.")
@report_options
def command(
    *,
    bench: Selection,
    watch: bool,
    supervisor_config: Path | None,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Show how the bench is doing: processes, queues, running jobs.

    The exit code is 4 where a service is not up.
    """
    from prodgen.deploy.managers.registry import manager_of

    planned = plan_bench(bench, locked=False, programs=("systemd",))
    failed = has_failed(planned, strict=strict, quiet=quiet or not strict, color=color)
    if failed or planned.plan is None:
        return Exit.ERROR
    if not strict and not quiet:
        show_danger(planned, color=color)
    try:
        manager = manager_of(planned.plan, supervisor_config)
        subject = context_from(planned)
        name = planned.plan.bench_name.value
        while True:
            found = look(subject, manager)
            lines = (printable(line) for line in table(found, name))
            text = as_json(found, name) if form == "json" else "\n".join(lines)
            click.echo(f"{CLEAR if watch and form == 'text' else ''}{text}")
            if not watch:
                break
            time.sleep(INTERVAL)
    except DeployError as refused:
        return refuse(planned, refused, "text", color)
    return Exit.DONE if all(row.is_well for row in found.rows) else Exit.UNHEALTHY


def table(found: Status, bench: str, now: float | None = None) -> Iterator[str]:
    """The status in lines."""
    now = time.time() if now is None else now
    stems = [row.name.removeprefix(f"{bench}-") for row in found.rows]
    width = max([len("SERVICE"), *(len(stem) for stem in stems)])
    yield f"{'SERVICE':<{width}}  {'STATE':<12}    N  {'SINCE':<12}     MB  CONFIG"
    for stem, row in zip(stems, found.rows, strict=True):
        since = span(now - row.since) if row.since else ""
        yield (
            f"{stem:<{width}}  {row.word:<12} {len(row.processes):>4}  {since:<12} "
            f"{row.memory / 1024**2:>6.0f}  {_config(row)}"
        ).rstrip()
    if found.queues is not None:
        yield ""
        waiting = ", ".join(f"{name} {count}" for name, count in found.queues.items())
        yield f"Waiting   {waiting}"
    for index, one in enumerate(found.jobs):
        yield f"{'' if index else 'At work':<9} {busy_line(one, now)}"
    for index, orphan in enumerate(found.orphans):
        head = "" if index else "Orphans"
        age = f", for {span(now - orphan.since)}" if orphan.since else ""
        yield f"{head:<9} process {orphan.pid} of {orphan.queues or 'a worker'} has no worker{age}"
    for index, note in enumerate(found.notes):
        yield f"{'' if index else 'Note':<9} {printable(note)}"


def _config(row: Row) -> str:
    words = [f"older than {row.stale}" if row.stale else "as installed" if row.up else ""]
    if row.last_exit:
        words.append(f"last {row.last_exit}")
    return printable(", ".join(word for word in words if word))


def as_json(found: Status, bench: str) -> str:
    """The status as one object; times in seconds since the epoch, memory in bytes."""
    made = {
        "format_version": FORMAT_VERSION,
        "bench": bench,
        "healthy": all(row.is_well for row in found.rows),
        "services": [_service(row) for row in found.rows],
        "queues": found.queues,
        "jobs": [one.as_json() for one in found.jobs],
        "orphans": [
            {"pid": one.pid, "queues": one.queues, "since": one.since} for one in found.orphans
        ],
        "notes": list(found.notes),
    }
    return json.dumps(made, indent=2, ensure_ascii=False)


def _service(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "role": row.role.value,
        "up": row.up,
        "instances": len(row.processes),
        "since": row.since,
        "memory": row.memory,
        "newer_config": row.stale,
        "processes": [
            {
                "name": one.name,
                "state": one.state.value,
                "word": one.word,
                "pid": one.pid,
                "last_exit": one.last_exit,
            }
            for one in row.processes
        ],
    }
