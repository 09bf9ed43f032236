"""`prodgen explain`: what a code means, or where a value of the plan comes from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import fields

import click

from prodgen.cli.exits import Exit
from prodgen.cli.options import Selection, bench_option, locked_option, report_options
from prodgen.cli.pipeline import plan_bench
from prodgen.cli.report import has_failed
from prodgen.codes import CODES
from prodgen.plan.model import Plan, Service
from prodgen.plan.wire import to_json
from prodgen.provenance import Kind, Origin, Sourced

WIDTH = 78


@click.command("explain")
@click.argument("topic", metavar="CODE|SERVICE[.FIELD]")
@bench_option
@locked_option
@report_options
def command(
    *, topic: str, bench: Selection, locked: bool, strict: bool, quiet: bool, color: str
) -> int:
    """Say what a message's code means, or where a value comes from.

    \b
    prodgen explain PG203
    prodgen explain frappe-bench-frappe-web.workers
    """
    if topic.upper() in CODES:
        click.echo("\n".join(_code(topic.upper())))
        return 0
    if topic.upper().startswith("PG") and topic[2:].isdigit():
        raise click.UsageError(f"no diagnostic has the code {topic.upper()}")
    outcome = plan_bench(bench, locked=locked, programs=("nginx", "systemd"))
    if has_failed(outcome, strict=strict, quiet=quiet, color=color) or outcome.plan is None:
        return Exit.ERROR
    click.echo("\n".join(_values(outcome.plan, topic)))
    return 0


def _code(code: str) -> Iterator[str]:
    entry = CODES[code]
    yield f"{code}: {entry.title}"
    yield ""
    yield textwrap.fill(entry.text, WIDTH)


def _values(plan: Plan, topic: str) -> Iterator[str]:
    name, field = _split(plan, topic)
    values = sourced_values(plan, name)
    if not values:
        known = ", ".join(sorted(service.name.value for service in plan.services))
        raise click.UsageError(f"no service is called {name}; there are: {known}, plan")
    if field and field not in values:
        raise click.UsageError(f"{name} has no {field}; it has: {', '.join(sorted(values))}")
    for key in [field] if field else sorted(values):
        yield f"{name}.{key} = {_shown(values[key].value)}"
        yield from _chain(values[key].origin, 1)


def _split(plan: Plan, topic: str) -> tuple[str, str]:
    """The service and the field; a name may itself have dots, and may lack the bench's prefix."""
    names = {service.name.value for service in plan.services} | {"plan"}
    prefix = f"{plan.bench_name.value}-"
    for candidate in (topic, prefix + topic):
        if candidate in names:
            return candidate, ""
        name, _, field = candidate.rpartition(".")
        if name in names:
            return name, field
    return topic.rpartition(".")[0] or topic, ""


def sourced_values(plan: Plan, name: str) -> dict[str, Sourced[object]]:
    """The values of a service by field, those of its Gunicorn among them; `plan` has the rest."""
    if name == "plan":
        return _sourced_fields(plan)
    found = next((one for one in plan.services if one.name.value == name), None)
    return _service_values(found) if found else {}


def _service_values(service: Service) -> dict[str, Sourced[object]]:
    gunicorn = _sourced_fields(service.gunicorn) if service.gunicorn else {}
    return gunicorn | _sourced_fields(service)


def _sourced_fields(owner: object) -> dict[str, Sourced[object]]:
    values = {one.name: getattr(owner, one.name) for one in fields(owner)}  # type: ignore[arg-type]
    return {name: value for name, value in values.items() if isinstance(value, Sourced)}


def _shown(value: object) -> str:
    data = to_json(value)
    if isinstance(data, list):
        pairs = [isinstance(item, (list, dict)) for item in data]
        shown = [
            _shown(item) if pair else str(item) for item, pair in zip(data, pairs, strict=True)
        ]
        return (", " if any(pairs) else " ").join(shown) or "nothing"
    if isinstance(data, dict):
        return " ".join(f"{key} {item}" for key, item in data.items())
    return str(data)


def _chain(origin: Origin, depth: int) -> Iterator[str]:
    place = f" ({origin.location})" if origin.location and origin.location.line else ""
    kind = f"{origin.kind.value}: " if origin.kind in (Kind.DEFAULT, Kind.HOST) else ""
    yield f"{'  ' * depth}{kind}{origin.text}{place}"
    for reason in origin.because:
        yield from _chain(reason, depth + 1)
