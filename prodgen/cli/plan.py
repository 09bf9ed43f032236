"""`prodgen plan`: what will run, as a table to read or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

import click

from prodgen.cli.exits import Exit
from prodgen.cli.messages import printable
from prodgen.cli.options import (
    Selection,
    bench_option,
    format_option,
    locked_option,
    report_options,
)
from prodgen.cli.pipeline import plan_bench
from prodgen.cli.report import has_failed
from prodgen.plan.memory import idle_megabytes
from prodgen.plan.model import Plan, Role, Service
from prodgen.plan.wire import plan_to_json

LINE_WIDTH = 80
WORDS = {
    Role.SCHEDULER: "Frappe's scheduler",
    Role.CACHE: "Redis for the cache",
    Role.QUEUE: "Redis for the queues",
}


@click.command("plan")
@bench_option
@format_option("A table, or JSON with the origin of every value.")
@locked_option
@report_options
def command(
    *, bench: Selection, form: str, locked: bool, strict: bool, quiet: bool, color: str
) -> int:
    """Show what will run: processes, stop times, ports, memory."""
    outcome = plan_bench(bench, locked=locked, programs=("nginx", "systemd"))
    if has_failed(outcome, strict=strict, quiet=quiet, color=color) or outcome.plan is None:
        return Exit.ERROR
    if form == "json":
        click.echo(json.dumps(plan_to_json(outcome.plan), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(table(outcome.plan)))
    return 0


def table(plan: Plan) -> Iterator[str]:
    """The plan in lines of at most 80 columns."""
    yield f"{plan.bench_name.value}: {plan.manager.value.value}, user {plan.user.value}"
    yield f"{printable(str(plan.bench.value))}"
    yield ""
    prefix = f"{plan.bench_name.value}-"
    stems = [service.name.value.removeprefix(prefix) for service in plan.services]
    width = max([len("SERVICE"), *(len(stem) for stem in stems)])
    room = LINE_WIDTH - width - len("   N      STOP   PORT    MB")
    yield f"{'SERVICE':<{width}}   N  {'RUNS':<{room}}    STOP   PORT    MB"
    for stem, service in zip(stems, plan.services, strict=True):
        stop = f"{service.stop.value.seconds} s"
        memory = idle_megabytes(service)
        yield (
            f"{stem:<{width}} {service.instances.value:>3}  {_runs(plan, service, room):<{room}} "
            f"{stop:>7} {_port(service):>6} {memory if memory is not None else '':>5}"
        ).rstrip()
    known = [memory for service in plan.services if (memory := idle_megabytes(service))]
    yield ""
    yield f"Memory    about {sum(known)} MB with little to do, for Frappe alone; apps add to it"
    yield from _sites(plan)
    for left_out in plan.left_out:
        yield f"Left out  {left_out.name}: {printable(left_out.reason)}"


def _runs(plan: Plan, service: Service, room: int) -> str:
    """A few words for what the service runs, cut where there is no room."""
    if service.gunicorn:
        count = service.gunicorn.workers.value
        text = f"Gunicorn, {count} worker{'s' if count > 1 else ''} each"
    elif service.queues.value:
        text = ", ".join(queue.name for queue in service.queues.value)
    elif service.role.value in WORDS:
        text = WORDS[service.role.value]
    else:
        bench = f"{plan.bench.value}/"
        program, *rest = service.argv.value
        words = [PurePosixPath(program).name, *(word.removeprefix(bench) for word in rest)]
        text = " ".join(words).removeprefix("env ").removeprefix("sh -c ")
    text = printable(text)
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _port(service: Service) -> str:
    if service.address is None:
        return ""
    return str(service.address.value.port or "socket")


def _sites(plan: Plan) -> Iterator[str]:
    if not plan.sites:
        yield "Sites     none yet"
    for index, site in enumerate(plan.sites):
        names = ", ".join(name.name.value for name in site.names)
        secure = sum(name.certificate is not None for name in site.names)
        how = "HTTPS" if secure == len(site.names) else "HTTP and HTTPS" if secure else "HTTP"
        port = f" on port {site.port.value}" if site.port.value != 80 else ""
        yield f"{'Sites' if not index else '':<9} {names}: {how}{port}"
