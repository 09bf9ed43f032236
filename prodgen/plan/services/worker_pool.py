"""`bench worker-pool`: one process that keeps several workers (Frappe 15 and newer)."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.diagnostics import error
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import BenchDefaults, PlanContext, make_service
from prodgen.plan.core.model import Queue, Role, Service
from prodgen.plan.core.procfile_line import LineKind, ProcfileLine
from prodgen.plan.core.python_module import frappe_command
from prodgen.plan.services.workers import unknown_queue, worker_options, worker_stop
from prodgen.provenance import At, Kind, Origin, Sourced, default

USUAL_COUNT = "2"
"""Workers of a pool whose line names no number (frappe/commands/scheduler.py)."""


def plan_worker_pools(
    context: PlanContext,
    defaults: BenchDefaults,
    lines: list[ProcfileLine],
    known: dict[str, Sourced[Queue]],
) -> Iterator[Service]:
    """A service for each line; it ends once its workers have finished their jobs."""
    for line in lines:
        if line.kind is not LineKind.WORKER_POOL:
            continue
        queues = list(_queues(context, line, known))
        if context.frappe and not context.is_frappe(rules.WORKER_POOL):
            context.report(
                error(
                    "PG615",
                    "this Frappe has no `bench worker-pool`",
                    line.entry.command_location,
                    "it came with Frappe 15; write `bench worker --queue NAME` instead",
                )
            )
        elif queues:
            yield _service(context, defaults, line, queues)


def _queues(
    context: PlanContext, line: ProcfileLine, known: dict[str, Sourced[Queue]]
) -> Iterator[Sourced[Queue]]:
    """The queues of the line, or all; one that Frappe does not know is an error."""
    for name in line.queues or known:
        if name in known:
            yield known[name]
        else:
            context.report(unknown_queue(name, line.entry.command_location))


def _service(
    context: PlanContext, defaults: BenchDefaults, line: ProcfileLine, queues: list[Sourced[Queue]]
) -> Service:
    place = At(line.entry.command_location)
    origin = Origin(Kind.FILE, f"the Procfile's `{line.name}`", place)
    names = ",".join(queue.value.name for queue in queues)
    count = line.options.get("num-workers", USUAL_COUNT)
    python = defaults.in_env("python")
    longest = max(queues, key=lambda queue: queue.value.timeout)
    made = make_service(
        defaults,
        f"frappe-{line.name}",
        Role.OTHER,
        f"pool of {count} workers",
        python.derive(
            (
                *frappe_command(python.value, context.python_versions),
                *("worker-pool", "--num-workers", count, "--queue", names, *worker_options(line)),
            ),
            "what `bench worker-pool` becomes, without bench in between",
            Sourced(line.name, origin),
        ),
        stop=worker_stop(context, longest),
        log=line.name,
        after=(f"{defaults.name.value}-redis-queue", f"{defaults.name.value}-redis-cache"),
    )
    return made._replace(
        queues=Sourced(tuple(queue.value for queue in queues), origin),
        finishes_jobs=default(True, "each of its workers finishes its job"),
    )
