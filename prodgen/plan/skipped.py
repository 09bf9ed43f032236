"""The lines of a Procfile that production does without: none goes in silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prodgen.diagnostics import note
from prodgen.plan.core.context import Desk
from prodgen.plan.core.model import LeftOut, Service
from prodgen.plan.core.procfile_line import Line, Task

ONE_IS_ENOUGH = (
    frozenset({Task.SERVE, Task.GUNICORN}),
    frozenset({Task.REALTIME}),
    frozenset({Task.SCHEDULE}),
)
"""Tasks of which the first line is taken."""


def unused(desk: Desk, lines: Sequence[Line], services: Sequence[Service]) -> Iterator[LeftOut]:
    """What none of the services does, each mentioned with its place."""
    running = {service.name.value.rpartition("-redis-")[2] for service in services}
    taken: set[frozenset[Task]] = set()
    for line in lines:
        reason = ""
        group = next((tasks for tasks in ONE_IS_ENOUGH if line.task in tasks), None)
        if line.task is Task.DEVELOPMENT:
            reason = f"is {line.task.value}"
        elif line.task is Task.REDIS and line.options["conf"].partition("_")[2] not in running:
            reason = "is not where the bench looks for Redis"
        elif group in taken:
            reason = "does what another process does"
        if group:
            taken.add(group)
        if reason:
            yield _mentioned(desk, line, reason)


def _mentioned(desk: Desk, line: Line, reason: str) -> LeftOut:
    left_out = LeftOut(line.name, f"`{line.command.text}` {reason}")
    if line.task is not Task.SCHEDULE:  # which draws a warning
        desk.report(note("PG607", f"left out: {left_out.reason}", line.entry.location))
    return left_out
