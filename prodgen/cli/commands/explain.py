"""`prodgen explain`: what a code means, or where a value of the plan comes from."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Collection, Iterator
from typing import Any

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.app.terminal.text import columns_of, wrapped
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import bench_option, locked_option, report_options
from prodgen.cli.core.report import has_failed
from prodgen.codes import CODES, members
from prodgen.plan.core.model import Plan
from prodgen.plan.views.explain import SECTIONS, topics
from prodgen.plan.views.json import to_json
from prodgen.provenance import Kind, Origin

WIDTH = 78


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG001
    """Shell completion of a topic."""
    from prodgen.cli.core.completions import topics_of

    return topics_of(ctx, incomplete)


@click.command("explain")
@click.argument("topic", metavar="CODE|NAME[.FIELD]", shell_complete=_complete)
@bench_option
@locked_option
@report_options
def command(
    *, topic: str, bench: Selection, locked: bool, strict: bool, quiet: bool, color: str
) -> int:
    """Say what a message's code means, or where a value comes from.

    NAME is a service, a site, or plan, proxy, versions, nginx, systemd, supervisor.

    \b
    prodgen explain PG203
    prodgen explain frappe-bench-frappe-web.workers
    prodgen explain erp.example.com
    """
    if topic.upper() in CODES:
        click.echo("\n".join(_code(topic.upper())))
        return 0
    if topic.upper().startswith("PG") and topic[2:].isdigit():
        raise click.UsageError(f"no diagnostic has the code {topic.upper()}")
    planned = plan_bench(bench, locked=locked, programs=("nginx", "systemd"))
    if has_failed(planned, strict=strict, quiet=quiet, color=color) or planned.plan is None:
        return Exit.ERROR
    click.echo("\n".join(_values(planned.plan, topic)))
    return 0


def _code(code: str) -> Iterator[str]:
    entry = CODES[code]
    yield f"{code}: {entry.title}"
    yield ""
    yield textwrap.fill(entry.text, WIDTH)
    if entry.family:
        yield ""
        yield f"One of {entry.family}: {CODES[entry.family].title}."
    if kinds := members(code):
        yield ""
        yield from (f"{kind}: {CODES[kind].title}" for kind in kinds)


def _values(plan: Plan, topic: str) -> Iterator[str]:
    known = topics(plan)
    name, field = _split(plan, known, topic)
    if name not in known:
        names = ", ".join([*sorted(one.name.value for one in plan.services), "plan", *SECTIONS])
        raise click.UsageError(f"nothing is called {topic}; there are: {names}, and the sites")
    values = known[name]
    if field and field not in values:
        raise click.UsageError(f"{name} has no {field}; it has: {', '.join(sorted(values))}")
    columns = columns_of(sys.stdout)
    for key in [field] if field else sorted(values):
        yield f"{name}.{key} = {_shown(values[key].value)}"
        for depth, line in _chain(values[key].origin, 1):
            yield from wrapped(f"{'  ' * depth}{line}", columns, "  " * (depth + 2))


def _split(plan: Plan, known: Collection[str], topic: str) -> tuple[str, str]:
    """The name and the field; a name may itself have dots, and may lack the bench's prefix."""
    prefix = f"{plan.bench_name.value}-"
    for candidate in (topic, prefix + topic):
        for name in sorted(known, key=len, reverse=True):
            if candidate == name or candidate.startswith(f"{name}."):
                return name, candidate[len(name) + 1 :]
    return "", ""


def _shown(value: object) -> str:
    data = to_json(value)
    if isinstance(data, list):
        pairs = [isinstance(item, (list, dict)) for item in data]
        shown = [
            _shown(item) if pair else str(item) for item, pair in zip(data, pairs, strict=True)
        ]
        return (", " if any(pairs) else " ").join(shown) or "nothing"
    if isinstance(data, dict):
        return ", ".join(f"{key} {item}" for key, item in data.items())
    if isinstance(data, bool):
        return str(data).lower()
    return str(data) or '""'


def _chain(origin: Origin, depth: int) -> Iterator[tuple[int, str]]:
    """The reasons with their depth; each with its place, which names its file once."""
    text, place = origin.text, origin.location
    if place and place.line:
        text = f"{text.removesuffix(f' in {place.file}')} ({place})"
    kind = f"{origin.kind.value}: " if origin.kind in (Kind.DEFAULT, Kind.HOST) else ""
    yield depth, f"{kind}{text}"
    for reason in origin.because:
        yield from _chain(reason, depth + 1)
