"""Whether a host bears as many workers as the files ask for; a warning shows the arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from prodgen.diagnostics import warning
from prodgen.plan.core.context import PlanContext
from prodgen.plan.core.memory import workers_in_pool
from prodgen.plan.core.model import Role, Service
from prodgen.provenance import Kind, Sourced

MEGABYTE = 1024**2
WORKER_MEMORY = 150 * MEGABYTE
"""Bytes of one busy worker of ERPNext, web or background; plain Frappe takes a third of it."""
WORKERS_PER_CPU = 8
"""More of them only wait for each other."""


def mention_many_web_workers(context: PlanContext, given: Sourced[int]) -> None:
    """A warning where the host is known and has too little for `given` Gunicorn workers."""
    if not _is_beyond(context, given.value):
        return
    cpus = context.facts.cpus
    usual = f"; 2 x {cpus.value} + 1 is usual" if cpus else ""
    context.report(
        warning(
            "PG603",
            f"many Gunicorn workers: {_arithmetic(context, given.value, usual)}",
            given.location,
            f"lower {_setting(given)}{_other_host(context)}",
        )
    )


def mention_many_workers(context: PlanContext, services: Sequence[Service]) -> None:
    """A warning where the host is known and has too little for all pools of workers."""
    pools = [(count, one) for one in services if (count := _workers(one))]
    total = sum(count for count, _ in pools)
    if not pools or not _is_beyond(context, total):
        return
    _, most = max(pools, key=lambda pool: pool[0])
    largest = most.queues if workers_in_pool(most) else most.instances
    shares = " + ".join(str(count) for count, _ in pools)
    sum_of = f" ({shares})" if len(pools) > 1 else ""
    context.report(
        warning(
            "PG616",
            f"many background workers: {_arithmetic(context, total, '', sum_of)}",
            largest.location,
            f"lower {_setting(largest, most)}{_other_host(context)}",
        )
    )


def _workers(service: Service) -> int:
    """The background workers that a service is, or makes."""
    if service.role.value is Role.WORKER:
        return service.instances.value
    return service.instances.value * workers_in_pool(service)


def _is_beyond(context: PlanContext, count: int) -> bool:
    cpus, memory = context.facts.cpus, context.facts.memory
    return bool(
        (cpus and count > WORKERS_PER_CPU * cpus.value)
        or (memory and count * WORKER_MEMORY > memory.value)
    )


def _arithmetic(context: PlanContext, count: int, usual: str, sum_of: str = "") -> str:
    """`33 on 4 CPUs; 2 x 4 + 1 is usual, and 33 x 150 MB = 4950 MB of 8192 MB memory`."""
    cpus, memory = context.facts.cpus, context.facts.memory
    words = []
    if cpus:
        words.append(f"{count}{sum_of} on {cpus.value} CPU{'s' if cpus.value > 1 else ''}{usual}")
    if memory:
        each, need = WORKER_MEMORY // MEGABYTE, count * WORKER_MEMORY // MEGABYTE
        words.append(f"{count} x {each} MB = {need} MB of {memory.value // MEGABYTE} MB memory")
    return ", and ".join(words)


def _setting(given: Sourced[object], service: Service | None = None) -> str:
    """What the count is called where it stands: `gunicorn_workers`, `--num-workers`."""
    if service is not None and workers_in_pool(service):
        return "--num-workers"
    return given.origin.text.partition(" in ")[0] if given.location else "the count"


def _other_host(context: PlanContext) -> str:
    """A way out for those whose bench will run on another host than this one."""
    facts = (context.facts.cpus, context.facts.memory)
    if any(fact and fact.origin.kind is Kind.HOST for fact in facts):
        return ", or declare the host's `cpus` and `memory`"
    return ""
