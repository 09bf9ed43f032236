"""A few words for what a service runs, alike in the table and in the picture."""

from __future__ import annotations

from pathlib import PurePosixPath

from prodgen.plan.core.model import Plan, Role, Service

ROLES = {
    Role.SCHEDULER: "Frappe's scheduler",
    Role.CACHE: "Redis for the cache",
    Role.QUEUE: "Redis for the queues",
}


def stem(plan: Plan, service: Service) -> str:
    """The name of a service without that of its bench."""
    return service.name.value.removeprefix(f"{plan.bench_name.value}-")


def what_runs(plan: Plan, service: Service) -> str:
    """What it is, or the queues it serves, or its command without the way to the bench."""
    if service.gunicorn:
        count = service.gunicorn.workers.value
        return f"Gunicorn, {count} worker{'s' if count > 1 else ''} each"
    if service.queues.value:
        return ", ".join(queue.name for queue in service.queues.value)
    if service.name.value.endswith("-redis-socketio"):
        return "Redis for realtime"
    if service.role.value in ROLES:
        return ROLES[service.role.value]
    bench = f"{plan.bench.value}/"
    program, *rest = service.argv.value
    words = [PurePosixPath(program).name, *(word.removeprefix(bench) for word in rest)]
    return " ".join(words).removeprefix("env ").removeprefix("sh -c ")
