"""`prodgen plan`: what will run, as a table to read or as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.app.terminal.text import printable
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import bench_option, format_option, locked_option, report_options
from prodgen.cli.core.report import has_failed
from prodgen.plan.core.memory import idle_megabytes
from prodgen.plan.core.model import Plan, Service
from prodgen.plan.views.json import plan_to_json
from prodgen.plan.views.labels import stem, what_runs

LINE_WIDTH = 80
HEAD_WIDTH = 10


@click.command("plan")
@bench_option
@format_option(
    "A table, JSON with the origin of every value, or a picture of the stack.",
    ("text", "json", "mermaid", "svg"),
)
@locked_option
@report_options
def command(
    *, bench: Selection, form: str, locked: bool, strict: bool, quiet: bool, color: str
) -> int:
    """Show what will run: processes, stop times, ports, memory."""
    planned = plan_bench(bench, locked=locked, programs=("nginx", "systemd"))
    if has_failed(planned, strict=strict, quiet=quiet, color=color) or planned.plan is None:
        return Exit.ERROR
    if form == "json":
        click.echo(json.dumps(plan_to_json(planned.plan), indent=2, ensure_ascii=False))
    elif form == "text":
        click.echo("\n".join(table(planned.plan)))
    else:
        click.echo(_picture(planned.plan, form), nl=False)
    return 0


def _picture(plan: Plan, form: str) -> str:
    from prodgen.plan.views.diagram import picture

    if form == "svg":
        from prodgen.plan.views.svg import as_svg

        return as_svg(picture(plan))
    from prodgen.plan.views.mermaid import as_mermaid

    return as_mermaid(picture(plan))


def table(plan: Plan) -> Iterator[str]:
    """The plan in lines of at most 80 columns."""
    yield f"{plan.bench_name.value}: {plan.manager.value.value}, user {plan.user.value}"
    yield f"{printable(str(plan.bench.value))}"
    yield ""
    stems = [stem(plan, service) for service in plan.services]
    width = max([len("SERVICE"), *map(len, stems)])
    room = LINE_WIDTH - width - len("   N      STOP   PORT    MB")
    yield f"{'SERVICE':<{width}}   N  {'RUNS':<{room}}    STOP   PORT    MB"
    for name, service in zip(stems, plan.services, strict=True):
        stop = f"{service.stop.value.seconds} s"
        memory = idle_megabytes(service)
        yield (
            f"{name:<{width}} {service.instances.value:>3}  {_runs(plan, service, room):<{room}} "
            f"{stop:>7} {_port(service):>6} {memory if memory is not None else '':>5}"
        ).rstrip()
    known = [memory for service in plan.services if (memory := idle_megabytes(service))]
    yield ""
    if known:
        yield f"Memory    about {sum(known)} MB with little to do, for Frappe alone; apps add to it"
    yield from _sites(plan)
    for left_out in plan.left_out:
        yield from _item("Left out", f"{left_out.name}: {printable(left_out.reason)}")


def _runs(plan: Plan, service: Service, room: int) -> str:
    """What the service runs, cut to fit."""
    text = printable(what_runs(plan, service))
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _port(service: Service) -> str:
    if service.address is None:
        return ""
    return str(service.address.value.port or "socket")


def _sites(plan: Plan) -> Iterator[str]:
    if not plan.sites:
        yield from _item("Sites", "none yet")
    for index, site in enumerate(plan.sites):
        names = ", ".join(name.name.value for name in site.names)
        secure = sum(name.certificate is not None for name in site.names)
        how = "HTTPS" if secure == len(site.names) else "HTTP and HTTPS" if secure else "HTTP"
        port = f" on port {site.port.value}" if site.port.value != 80 else ""
        yield from _item("" if index else "Sites", f"{names}: {how}{port}")


def _item(head: str, text: str) -> Iterator[str]:
    """The text beside its heading, wrapped."""
    lines = textwrap.wrap(
        text, LINE_WIDTH - HEAD_WIDTH, break_long_words=False, break_on_hyphens=False
    )
    for index, line in enumerate(lines):
        yield f"{'' if index else head:<{HEAD_WIDTH}}{line}"
