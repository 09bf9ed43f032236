"""`bench worker-pool`: one process that keeps several workers (Frappe 15 and newer)."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.diagnostics import error
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import Desk, Premises, service
from prodgen.plan.core.model import Queue, Role, Service
from prodgen.plan.core.procfile_line import Line, Task
from prodgen.plan.services.workers import HELPER, stop_of, unknown_queue
from prodgen.provenance import At, Kind, Origin, Sourced

USUAL_COUNT = "2"
"""Workers of a pool whose line names no number (frappe/commands/scheduler.py)."""


def plan_worker_pools(
    desk: Desk, premises: Premises, lines: list[Line], known: dict[str, Sourced[Queue]]
) -> Iterator[Service]:
    """A service for each line; it ends once its workers have finished their jobs."""
    for line in lines:
        if line.task is not Task.WORKER_POOL:
            continue
        queues = list(_queues(desk, line, known))
        if desk.frappe and not desk.is_frappe(rules.WORKER_POOL):
            desk.report(
                error(
                    "PG615",
                    "this Frappe has no `bench worker-pool`",
                    line.entry.command_location,
                    "it came with Frappe 15; write `bench worker --queue NAME` instead",
                )
            )
        elif queues:
            yield _service(desk, premises, line, queues)


def _queues(desk: Desk, line: Line, known: dict[str, Sourced[Queue]]) -> Iterator[Sourced[Queue]]:
    """The queues of the line, or all; one that Frappe does not know is an error."""
    for name in line.queues or known:
        if name in known:
            yield known[name]
        else:
            desk.report(unknown_queue(name, line.entry.command_location))


def _service(desk: Desk, premises: Premises, line: Line, queues: list[Sourced[Queue]]) -> Service:
    place = At(line.entry.command_location)
    origin = Origin(Kind.FILE, f"the Procfile's `{line.name}`", place)
    names = ",".join(queue.value.name for queue in queues)
    count = line.options.get("num-workers", USUAL_COUNT)
    python = premises.in_env("python")
    longest = max(queues, key=lambda queue: queue.value.timeout)
    made = service(
        premises,
        f"frappe-{line.name}",
        Role.OTHER,
        f"pool of {count} workers",
        python.derive(
            (python.value, *HELPER, "worker-pool", "--num-workers", count, "--queue", names),
            "what `bench worker-pool` becomes, without bench in between",
            Sourced(line.name, origin),
        ),
        stop=stop_of(desk, longest),
        log=line.name,
        after=(f"{premises.name.value}-redis-queue", f"{premises.name.value}-redis-cache"),
    )
    return made._replace(queues=Sourced(tuple(queue.value for queue in queues), origin))
