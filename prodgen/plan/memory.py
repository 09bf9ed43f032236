"""How much memory a service takes when it has little to do: for the reader, not for a limit.

Measured on Frappe 15.72.4 with no other app, as proportional set size; apps add to it.
"""

from __future__ import annotations

from prodgen.plan.model import Role, Service

MEGABYTES = {
    Role.REALTIME: 70,
    Role.SCHEDULER: 55,
    Role.WORKER: 31,
    Role.CACHE: 10,
    Role.QUEUE: 10,
}
GUNICORN_MASTER = 35
GUNICORN_WORKER = 52


def idle_megabytes(service: Service) -> int | None:
    """Megabytes of all instances together; None where nobody knows."""
    each = MEGABYTES.get(service.role.value)
    if service.gunicorn:
        each = GUNICORN_MASTER + service.gunicorn.workers.value * GUNICORN_WORKER
    return None if each is None else each * service.instances.value
