"""What became of every line of a Procfile: kept, replaced, left out or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prodgen.diagnostics import Severity, note, warning
from prodgen.inputs.procfile.parser import ProcfileEntry
from prodgen.plan.core.context import PlanContext
from prodgen.plan.core.line_forms import Disposition
from prodgen.plan.core.model import LeftOut, LineOutcome, Role, Service
from prodgen.plan.core.procfile_line import STARTS_NOTHING, LineKind, ProcfileLine
from prodgen.provenance import At, Kind, Origin, Sourced

ONE_IS_ENOUGH = (
    frozenset({LineKind.SERVE, LineKind.GUNICORN}),
    frozenset({LineKind.REALTIME}),
    frozenset({LineKind.SCHEDULE}),
)
"""Kinds of which the first line is taken."""


def skipped_lines(
    context: PlanContext, lines: Sequence[ProcfileLine], services: Sequence[Service]
) -> list[LeftOut]:
    """Report and return the lines that no service stands for."""
    taken = _taken(lines)
    return [
        LeftOut(line.name, f"`{line.command.text}` {reason}")
        for line in lines
        if (reason := _reason(context, line, taken, services))
    ]


def report_skipped(
    context: PlanContext, lines: Sequence[ProcfileLine], services: Sequence[Service]
) -> None:
    """Report the lines left out that no other finding is about."""
    taken = _taken(lines)
    for line in lines:
        reason = _reason(context, line, taken, services)
        is_said = line.kind in STARTS_NOTHING and not line.is_ordinary
        if not reason or is_said or line.kind is LineKind.SCHEDULE:
            continue
        said = f"left out: `{line.command.text}` {reason}"
        if line.is_ordinary and line.kind is not LineKind.SERVE:
            context.report_line(line.name, note("PG607", said, line.entry.location))
        else:
            way_out = f"remove the line, or add `processes: {{{line.name}: false}}` to prodgen.yaml"
            context.report_line(line.name, warning("PG664", said, line.entry.location, way_out))


def _taken(lines: Sequence[ProcfileLine]) -> Mapping[frozenset[LineKind], str]:
    """The name of the line that is taken of each group of which one is enough."""
    found: dict[frozenset[LineKind], str] = {}
    for line in lines:
        for kinds in ONE_IS_ENOUGH:
            if line.kind in kinds:
                found.setdefault(kinds, line.name)
    return found


def _reason(
    context: PlanContext,
    line: ProcfileLine,
    taken: Mapping[frozenset[LineKind], str],
    services: Sequence[Service],
) -> str:
    """Why the line is left out; empty if it is not."""
    if line.kind in STARTS_NOTHING:
        return f"is {line.kind.value}"
    if line.kind is LineKind.REDIS:
        return _reason_of_redis(context, line, services)
    group = next((kinds for kinds in ONE_IS_ENOUGH if line.kind in kinds), None)
    if group and taken[group] != line.name:
        return "does what another process does"
    if line.kind is LineKind.REALTIME and not any(
        one.role.value is Role.REALTIME for one in services
    ):
        return "is switched off by `realtime.enabled`"
    return ""


def _reason_of_redis(context: PlanContext, line: ProcfileLine, services: Sequence[Service]) -> str:
    key = line.options["conf"]
    running = {service.name.value.rpartition("-redis-")[2] for service in services}
    if key.partition("_")[2] in running:
        return ""
    url = context.bench.common.text(key)
    if key == "redis_socketio" and url:
        cache = context.bench.common.text("redis_cache")
        if cache and cache.value == url.value:
            return "is not needed: redis_socketio is the Redis of the cache"
        return "is not needed: Frappe 15 and newer reads no redis_socketio"
    return "is not where the bench looks for Redis"


def line_outcomes(
    context: PlanContext, lines: Sequence[ProcfileLine], left_out: Sequence[LeftOut]
) -> Iterator[LineOutcome]:
    """One outcome for each process of the Procfile, and of prodgen.yaml."""
    reasons = {one.name: one.reason for one in left_out}
    classified = {line.name: line for line in lines}
    refused = {
        one.location.line: one.message
        for one in reversed(context.findings)
        if one.severity is Severity.ERROR and one.location and one.location.file == "Procfile"
    }
    entries = {entry.name: entry for entry in context.bench.procfile.entries}
    entries |= {line.name: line.entry for line in lines}
    for name, entry in entries.items():
        line = classified.get(name)
        if entry.location.file == "Procfile" and entry.location.line in refused:
            yield _outcome(entry, Disposition.REFUSED, refused[entry.location.line])
        elif name in reasons:
            yield _outcome(entry, Disposition.LEFT_OUT, reasons[name])
        elif line:
            yield _outcome(entry, line.form.disposition, line.form.production)


def _outcome(entry: ProcfileEntry, disposition: Disposition, reason: str) -> LineOutcome:
    place = At(entry.command_location)
    origin = Origin(Kind.FILE, f"the process `{entry.name}`: {entry.command.text}", place)
    return LineOutcome(entry.name, Sourced(disposition.value, origin), Sourced(reason, origin))
