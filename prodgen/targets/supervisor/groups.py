"""Supervisor's groups, processes and logs by name, for all that has to find them again."""

from __future__ import annotations

from pathlib import PurePosixPath

from prodgen.host.facts import RED_HAT_PROGRAMS
from prodgen.plan.core.model import Plan, Role, Service

BY_POOL = "pool"
WORKER_LOG = "worker"
"""The stem of the log in which bench users look for their workers."""


def installed_file(plan: Plan) -> PurePosixPath:
    """Where the one file of the bench is installed."""
    folder = plan.supervisor.folder.value
    return folder / f"{plan.bench_name.value}{ending_in(folder)}"


def ending_in(folder: PurePosixPath) -> str:
    """The ending of the files that supervisord includes from a folder: Red Hat's has its own."""
    return ".ini" if folder == RED_HAT_PROGRAMS else ".conf"


def groups_by_pool(plan: Plan) -> bool:
    """Whether each pool, the scheduler and realtime are groups of their own."""
    return plan.supervisor.groups.value == BY_POOL


def own_program_name(plan: Plan, service: Service) -> str:
    """The name of the service's program; it is also its group's where no `[group:x]` has it.

    A program whose socket Supervisor holds cannot stand in a group (it would silently get a pipe
    for its socket), so it bears the group's name itself.
    """
    return f"{plan.bench_name.value}-web" if service.listen else service.name.value


def group_of(plan: Plan, service: Service) -> str:
    """The group of a service: what restarts as one when Supervisor finds any of it changed."""
    bench = plan.bench_name.value
    if all(other.role.value is Role.OTHER for other in plan.services):
        return bench
    role = service.role.value
    if role in (Role.CACHE, Role.QUEUE):
        return f"{bench}-redis"
    if role is Role.WEB:
        return f"{bench}-web"
    return own_program_name(plan, service) if groups_by_pool(plan) else f"{bench}-workers"


def groups(plan: Plan) -> dict[str, tuple[Service, ...]]:
    """The services of each group that runs, by the group's name."""
    found: dict[str, tuple[Service, ...]] = {}
    for service in plan.services:
        if service.instances.value > 0:
            name = group_of(plan, service)
            found[name] = (*found.get(name, ()), service)
    return found


def log_links(plan: Plan) -> dict[str, PurePosixPath]:
    """Which log each name in the bench's `logs/` stands for: `web.log`, `worker.error.log`, …

    Every process writes files of its own. A service of several has its first under the plain
    name too, and so have the workers, of whom the first pool's is `worker.log`.
    """
    found: dict[str, PurePosixPath] = {}
    for service in plan.services:
        stem, count = service.log.value, service.instances.value
        own = [f"{stem}-{number}" for number in range(count)] if count > 1 else [stem][:count]
        aliases = {name: name for name in own}
        if own:
            aliases.setdefault(stem, own[0])
            if service.role.value is Role.WORKER:
                aliases[WORKER_LOG] = own[0]
        for alias, name in aliases.items():
            for ending in (".log", ".error.log"):
                found.setdefault(alias + ending, plan.log_folder.value / (name + ending))
    return found
