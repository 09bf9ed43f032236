"""How much memory a service takes when it has little to do: for the reader, not for a limit.

Measured on Frappe 15.72.4 with no other app, as proportional set size; apps add to it.
"""

from __future__ import annotations

from prodgen.plan.core.model import Role, Service

MEGABYTES = {
    Role.REALTIME: 70,
    Role.SCHEDULER: 55,
    Role.WORKER: 31,
    Role.CACHE: 10,
    Role.QUEUE: 10,
}
GUNICORN_MASTER = 35
GUNICORN_WORKER = 52
POOL_MASTER = 11


def idle_megabytes(service: Service) -> int | None:
    """Megabytes of all instances together; None where nobody knows."""
    each = MEGABYTES.get(service.role.value)
    pooled = workers_in_pool(service)
    if pooled:
        each = POOL_MASTER + pooled * MEGABYTES[Role.WORKER]
    if service.gunicorn:
        each = GUNICORN_MASTER + service.gunicorn.workers.value * GUNICORN_WORKER
    return None if each is None else each * service.instances.value


def workers_in_pool(service: Service) -> int:
    """How many workers a `worker-pool` makes by itself; 0 for any other service."""
    argv = service.argv.value
    if "worker-pool" not in argv or "--num-workers" not in argv:
        return 0
    count = argv[argv.index("--num-workers") + 1]
    return int(count) if count.isascii() and count.isdigit() else 0
