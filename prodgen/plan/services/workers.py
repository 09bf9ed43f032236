"""The pools of background workers: which queues each serves, and with how many processes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, Location, error, warning
from prodgen.inputs.core.values import Values
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import BenchDefaults, PlanContext, make_service
from prodgen.plan.core.model import Queue, Role, Service, Stop
from prodgen.plan.core.procfile_line import LineKind, ProcfileLine
from prodgen.plan.core.python_module import frappe_command
from prodgen.provenance import At, Kind, Origin, Sourced, default

KEPT_OPTIONS = ("quiet", "strategy", "rq-username")
"""Options of `bench worker` that its service has too. A password would show in an artifact."""


class Pool(NamedTuple):
    """Workers that serve the same queues in the same order."""

    queues: tuple[str, ...]
    origin: Origin
    lines: int = 1
    """How many lines of the Procfile ask for it."""
    place: Location | None = None
    name: str = ""
    options: tuple[str, ...] = ()
    """Further options of `bench worker`, such as `--quiet`."""

    @property
    def key(self) -> str:
        """What the pool is called: by a name of its own, else by its first queue."""
        return self.name or self.queues[0]


def plan_workers(
    context: PlanContext,
    defaults: BenchDefaults,
    lines: list[ProcfileLine],
    known: dict[str, Sourced[Queue]],
) -> list[Service]:
    """One service for each pool, Frappe's own queues first; `known` are those of Frappe."""
    pools = [
        pool
        for pool in _pools(context, lines, known)
        if _is_known(context, pool, known) and _can_name_files(context, pool, known)
    ]
    return [_service(context, defaults, pool, known) for pool in pools]


def known_queues(context: PlanContext) -> dict[str, Sourced[Queue]]:
    """Every queue that Frappe takes jobs on, with its time-out, in Frappe's order."""
    found = {
        name: default(Queue(name, timeout), "Frappe's own queue")
        for name, timeout in rules.QUEUE_TIMEOUTS.items()
    }
    common = context.bench.common
    for name, given in common.table("workers").items():
        if not name.strip() or "," in name or any(char.isspace() for char in name):
            place = common.document.locate_key(("workers", name)) if common.document else None
            context.report(
                error(
                    "PG611",
                    f"`{name}` is no name for a queue",
                    place,
                    "a queue's name has no comma and no blank",
                )
            )
            continue
        if given is None and name in found:
            continue
        timeout = common.integer("workers", name, "timeout")
        # Frappe's own queue too: what is given replaces it as a whole (`get_queues_timeout`).
        seconds = timeout.value if timeout else rules.CUSTOM_QUEUE_TIMEOUT
        found[name] = common.sourced(Queue(name, seconds), "workers", name)
    return found


def _pools(
    context: PlanContext, lines: list[ProcfileLine], known: dict[str, Sourced[Queue]]
) -> list[Pool]:
    """The pools by their first queue; what the Procfile says of a queue replaces the default."""
    found: dict[str, Pool] = {}
    everything = [
        line for line in lines if line.kind is LineKind.WORKER and "queue" not in line.options
    ]
    if everything:
        for pool in _default_pools(context, everything, known):
            found[pool.key] = pool
    named: dict[str, Pool] = {}
    for line in lines:
        if line.kind is not LineKind.WORKER or "queue" not in line.options:
            continue
        queues = line.queues
        if not queues:
            context.report(
                error(
                    "PG612",
                    f"`{line.name}` has a --queue without a name",
                    line.entry.command_location,
                    "name a queue, or leave --queue out",
                )
            )
            continue
        first = named.get(queues[0])
        key = queues[0]
        if first and first.queues != queues:
            key = "-".join(queues) if len(queues) > 1 else f"{key}-only"
        before = named.get(key)
        if before:
            _report_other_options(context, line, before.options)
            named[key] = before._replace(lines=before.lines + 1)
        else:
            origin = Origin(Kind.FILE, f"the Procfile's `{line.name}`", At(line.entry.location))
            place, name = line.entry.command_location, key if key != queues[0] else ""
            named[key] = Pool(queues, origin, 1, place, name, worker_options(line))
    found |= named
    found |= {pool.key: pool for pool in _queues_of_their_own(context) if pool.key not in found}
    found |= _chosen_pools(context, found)
    if found:
        found |= _left_over_pools(lines, found, known)
    order = {name: index for index, name in enumerate(known)}
    return sorted(found.values(), key=lambda pool: order.get(pool.key, len(order)))


def _default_pools(
    context: PlanContext, lines: list[ProcfileLine], known: dict[str, Sourced[Queue]]
) -> Iterable[Pool]:
    """What a plain `bench worker`, which serves every queue, becomes."""
    place = At(lines[0].entry.location)
    combined = context.is_frappe(rules.COMBINED_QUEUES)
    own = (
        [("short", "default"), ("long", "default", "short")]
        if combined
        else [("short",), ("default",), ("long",)]
    )
    why = (
        "a worker of Frappe 14.18 and newer serves several queues"
        if combined
        else "one pool a queue, which every Frappe understands"
    )
    custom = [(name,) for name in known if name not in rules.QUEUE_TIMEOUTS]
    options = worker_options(lines[0])
    for line in lines[1:]:
        _report_other_options(context, line, options)
    for queues in (*own, *custom):
        origin, location = Origin(Kind.DERIVED, why, place), lines[0].entry.location
        yield Pool(queues, origin, len(lines), location, options=options)


def worker_options(line: ProcfileLine) -> tuple[str, ...]:
    """Options of a worker's line besides its queues, as Frappe takes them."""
    found: list[str] = []
    for name in KEPT_OPTIONS:
        if name in line.options:
            found += [f"--{name}", *([line.options[name]] if line.options[name] else [])]
    return tuple(found)


def _report_other_options(
    context: PlanContext, line: ProcfileLine, options: tuple[str, ...]
) -> None:
    """A warning for a further line of one pool that has other options than the first."""
    if worker_options(line) == options:
        return
    shown = " ".join(options) or "none"
    context.report_line(
        line.name,
        warning(
            "PG653",
            f"`{line.name}` has other options than the first line for its queues: {shown} counts",
            line.entry.command_location,
            f"if that is right, add `processes: {{{line.name}: {{}}}}` to prodgen.yaml",
        ),
    )


def _queues_of_their_own(context: PlanContext) -> Iterable[Pool]:
    """The pools that `queues` in common_site_config.json asks for."""
    common = context.bench.common
    if not common.document:
        return
    listed = common.items("queues")
    paths: list[tuple[str, tuple[str | int, ...]]] = [
        *((str(name), ("queues", name)) for name in common.table("queues")),
        *((str(name), ("queues", index)) for index, name in enumerate(listed)),
    ]
    for name, path in paths:
        place = common.document.locate_key(path)
        yield Pool((name,), common.document.origin(path), 1, place)


def _chosen_pools(context: PlanContext, found: dict[str, Pool]) -> dict[str, Pool]:
    """The pools that prodgen.yaml adds, or whose queues it chooses."""
    chosen: dict[str, Pool] = {}
    settings = context.bench.settings
    for name, wanted in settings.table("workers", "pools").items():
        queues = wanted.get("queues") if isinstance(wanted, dict) else None
        if queues is None and name in found:
            continue
        given = settings.sourced(tuple(queues or (name,)), "workers", "pools", name)
        chosen[name] = Pool(given.value, given.origin, 1, given.location, name)
    return chosen


def _left_over_pools(
    lines: list[ProcfileLine], found: dict[str, Pool], known: dict[str, Sourced[Queue]]
) -> dict[str, Pool]:
    """A pool for each queue of `workers` that no other serves, as bench's generator has it."""
    served = {name for pool in found.values() for name in pool.queues}
    for line in lines:
        if line.kind is LineKind.WORKER_POOL:
            served |= set(line.queues or known)
    return {
        name: Pool((name,), queue.origin, 1, queue.location)
        for name, queue in known.items()
        if name not in served and name not in rules.QUEUE_TIMEOUTS
    }


def _is_known(context: PlanContext, pool: Pool, known: dict[str, Sourced[Queue]]) -> bool:
    strangers = [name for name in pool.queues if name not in known]
    for name in strangers:
        context.report(unknown_queue(name, pool.place))
    return not strangers


def _can_name_files(context: PlanContext, pool: Pool, known: dict[str, Sourced[Queue]]) -> bool:
    """Whether units and logs can be called after the pool: root makes those files."""
    if "/" not in pool.key:
        return True
    context.report(
        error(
            "PG619",
            f"`{pool.key}` cannot be a part of a file's name",
            known[pool.key].location if pool.key in known else pool.place,
            "the pool's unit and logs are called after it: use a name without a slash",
        )
    )
    return False


def unknown_queue(name: str, place: Location | None) -> Diagnostic:
    """The error for a worker on a queue that is no queue of Frappe's."""
    entry = json.dumps({"workers": {name: {"timeout": rules.CUSTOM_QUEUE_TIMEOUT}}})
    return error(
        "PG610",
        f"Frappe knows no queue `{name}`; a worker on it refuses to start",
        place,
        f"add it to sites/common_site_config.json: `{entry[1:-1]}`",
    )


def _service(
    context: PlanContext, defaults: BenchDefaults, pool: Pool, known: dict[str, Sourced[Queue]]
) -> Service:
    queues = [known[name] for name in pool.queues]
    longest = max(queues, key=lambda queue: queue.value.timeout)
    python = defaults.in_env("python")
    listed = ",".join(pool.queues)
    argv = python.derive(
        (
            *frappe_command(python.value, context.python_versions),
            "worker",
            "--queue",
            listed,
            *pool.options,
        ),
        "what `bench worker` becomes, without bench in between",
        Sourced(pool.queues, pool.origin),
    )
    made = make_service(
        defaults,
        f"frappe-{pool.key}-worker",
        Role.WORKER,
        f"workers of {' and '.join(pool.queues) if len(pool.queues) < 3 else listed}",
        argv,
        stop=worker_stop(context, longest),
        log=f"{pool.key}-worker",
        instances=_count(context, pool),
        after=(f"{defaults.name.value}-redis-queue", f"{defaults.name.value}-redis-cache"),
    )
    return made._replace(queues=Sourced(tuple(queue.value for queue in queues), pool.origin))


def _count(context: PlanContext, pool: Pool) -> Sourced[int]:
    """Processes of a pool: of its queue, of the bench, of the Procfile, or one."""
    common = context.bench.common
    found = (
        _chosen_count(context.bench.settings, pool)
        or common.integer("queues", pool.key, "background_workers")
        or common.integer("workers", pool.key, "background_workers")
        or common.integer("background_workers")
    )
    if found is None:
        if pool.lines > 1:
            return Sourced(pool.lines, pool.origin._replace(text=f"{pool.lines} Procfile lines"))
        return default(1, "one worker a pool")
    if pool.lines > 1 and found.value != pool.lines and found.location and pool.place:
        context.report(
            warning(
                "PG613",
                f"the Procfile starts {pool.lines} such workers; {found.value} will run, as "
                f"{found.origin.text} says",
                pool.place,
                f"set background_workers to {pool.lines} to keep as many",
                (("that setting", found.location),),
            )
        )
    if found.value == 0:
        context.report(
            warning(
                "PG614",
                f"the pool of {pool.key} has no workers: its jobs will wait for ever",
                found.location,
                "set background_workers to 1 or more",
            )
        )
    return found


def _chosen_count(settings: Values, pool: Pool) -> Sourced[int] | None:
    """`workers.pools.NAME` in prodgen.yaml: a count, or an object with one."""
    if isinstance(settings.table("workers", "pools").get(pool.key), dict):
        return settings.integer("workers", "pools", pool.key, "count")
    return settings.integer("workers", "pools", pool.key)


def worker_stop(context: PlanContext, longest: Sourced[Queue]) -> Sourced[Stop]:
    """Longer than the longest job may take, unless the user would rather not wait so long."""
    seconds = longest.value.timeout + rules.JOB_STOP_MARGIN
    cap = context.bench.settings.integer("workers", "stop_cap")
    if cap and cap.value < seconds:
        return cap.derive(Stop("TERM", cap.value), "a longer job is killed when it stops", longest)
    return longest.derive(
        Stop("TERM", seconds),
        f"the time-out of {longest.value.name}, and {rules.JOB_STOP_MARGIN} s "
        "since RQ itself kills a job 60 s late",
    )
