"""Procfile lines that production does not run; each one is reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prodgen.diagnostics import note
from prodgen.plan.core.context import PlanContext
from prodgen.plan.core.model import LeftOut, Service
from prodgen.plan.core.procfile_line import LineKind, ProcfileLine

ONE_IS_ENOUGH = (
    frozenset({LineKind.SERVE, LineKind.GUNICORN}),
    frozenset({LineKind.REALTIME}),
    frozenset({LineKind.SCHEDULE}),
)
"""Kinds of lines of which the first line is taken."""


def skipped_lines(
    context: PlanContext, lines: Sequence[ProcfileLine], services: Sequence[Service]
) -> Iterator[LeftOut]:
    """Report and return the lines that no service stands for."""
    running = {service.name.value.rpartition("-redis-")[2] for service in services}
    taken: set[frozenset[LineKind]] = set()
    for line in lines:
        reason = ""
        group = next((kinds for kinds in ONE_IS_ENOUGH if line.kind in kinds), None)
        if line.kind is LineKind.DEVELOPMENT:
            reason = f"is {line.kind.value}"
        elif line.kind is LineKind.REDIS and line.options["conf"].partition("_")[2] not in running:
            reason = "is not where the bench looks for Redis"
        elif group in taken:
            reason = "does what another process does"
        if group:
            taken.add(group)
        if reason:
            yield _mentioned(context, line, reason)


def _mentioned(context: PlanContext, line: ProcfileLine, reason: str) -> LeftOut:
    left_out = LeftOut(line.name, f"`{line.command.text}` {reason}")
    if line.kind is not LineKind.SCHEDULE:  # which draws a warning
        context.report(note("PG607", f"left out: {left_out.reason}", line.entry.location))
    return left_out
