"""`prodgen logs`: all logs of the bench in one stream, each line with the name of its process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.app.terminal.color import style, wants_color
from prodgen.app.terminal.text import printable, with_colors
from prodgen.cli.commands.restart import refuse
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import bench_option, report_options, supervisor_option
from prodgen.cli.core.report import has_failed, show_danger
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.monitor.logs import read_logs

TONES = ("cyan", "magenta", "green", "red")


@click.command("logs")
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@bench_option
@click.option("-f", "--follow", is_flag=True, help="Print new lines as they come, until Ctrl-C.")
@click.option(
    "-n",
    "--tail",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="The last N lines of each file; of all together if logs are in the journal.",
)
@supervisor_option
@report_options
def command(
    *,
    services: tuple[str, ...],
    bench: Selection,
    follow: bool,
    tail: int,
    supervisor_config: Path | None,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Show the logs of the bench, from files or from the journal.

    SERVICE is a part (web, workers, redis-queue), a pool (long), or a
    service; default: all of them.
    """
    from prodgen.deploy.managers.registry import backend_of

    planned = plan_bench(bench, locked=False, programs=("systemd",))
    failed = has_failed(planned, strict=strict, quiet=quiet or not strict, color=color)
    if failed or planned.plan is None:
        return Exit.ERROR
    if not strict and not quiet:
        show_danger(planned, color=color)
    try:
        backend = backend_of(planned.plan.manager.value)
        processes = backend.connect(planned.plan, supervisor_config).look()
        chosen = _chosen(processes, services, planned.plan.bench_name.value)
        name = f"{planned.plan.bench_name.value}-"
        width = max((len(one.short.removeprefix(name)) for one in chosen), default=0)
        tones = {one.short: TONES[index % len(TONES)] for index, one in enumerate(chosen)}
        colored = wants_color(color, sys.stdout)
        for line in read_logs(backend, planned.plan, chosen, tail, follow=follow):
            head = f"{printable(line.process).removeprefix(name):<{width}} | "
            if colored:
                head = style(head, tones.get(line.process))
            click.echo(f"{head}{with_colors(line.text)}", color=True)
            if follow:
                sys.stdout.flush()
    except DeployError as refused:
        return refuse(planned, refused, "text", color)
    return Exit.DONE


def _chosen(processes: Sequence[Process], services: Sequence[str], bench: str) -> list[Process]:
    """Processes of the named services, Redis included. Raises DeployError for an unknown name."""
    from prodgen.deploy.restart.selection import names_of

    if not services:
        return list(processes)
    found = []
    for word in services:
        named = [one for one in processes if word in names_of(one, bench)]
        if not named:
            known = ", ".join(dict.fromkeys(one.service.name.value for one in processes))
            raise DeployError(
                "PG913", f"there is nothing called `{word}` in this bench", f"there are {known}"
            )
        found += [one for one in named if one not in found]
    return found
