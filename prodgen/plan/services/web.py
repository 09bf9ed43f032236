"""The web tier: Gunicorn in place of Werkzeug, behind a socket that its manager holds."""

from __future__ import annotations

from typing import NamedTuple

from prodgen.diagnostics import warning
from prodgen.plan.checks.capacity import MEGABYTE, WORKER_MEMORY, mention_many_web_workers
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import BenchDefaults, PlanContext, make_service
from prodgen.plan.core.model import GUNICORN_SETTINGS, Address, Gunicorn, Role, Service, Stop
from prodgen.plan.core.precedence import first_given
from prodgen.plan.core.procfile_line import LineKind, ProcfileLine
from prodgen.plan.services.web_address import BIND_OPTIONS, plan_address
from prodgen.provenance import At, Kind, Origin, Sourced, default

APPLICATION = "frappe.app:application"


class Web(NamedTuple):
    """The service, and the address that the proxy sends requests to."""

    service: Service
    address: Sourced[Address]


def plan_web(
    context: PlanContext, defaults: BenchDefaults, lines: list[ProcfileLine]
) -> Web | None:
    """The web tier for the lines that serve; None where there is none."""
    serving = [line for line in lines if line.kind in (LineKind.SERVE, LineKind.GUNICORN)]
    if not serving:
        return None
    line = serving[0]
    return _frappe_gunicorn(context, defaults, line)


def _frappe_gunicorn(context: PlanContext, defaults: BenchDefaults, line: ProcfileLine) -> Web:
    origin = Origin(Kind.FILE, f"the Procfile's process `{line.name}`", At(line.entry.location))
    _mention_options(context, line)
    listen, address = plan_address(context, defaults, line)
    timeout = http_timeout(context)
    graceful = timeout.derive(timeout.value, "a request may take as long as the time-out")
    settings = context.bench.settings
    instances = settings.integer("web", "instances") or _instances(context)
    total = _workers(context)
    gunicorn = Gunicorn(
        application=Sourced(APPLICATION, origin),
        version=_version(context),
        workers=total.derive(
            -(-total.value // instances.value),
            f"{total.value} in all over {instances.value} instances",
            instances,
        ),
        threads=first_given(
            settings.integer("web", "threads"),
            fallback=default(rules.THREADS, "one request at a time, as bench has it"),
        ),
        preload=first_given(
            settings.flag("web", "preload"),
            fallback=default(True, "workers share memory, and a broken app never starts"),
        ),
        timeout=timeout,
        graceful_timeout=graceful,
        **_max_requests(context, total)._asdict(),
    )
    config = defaults.config_folder.value / GUNICORN_SETTINGS
    program = defaults.in_env("gunicorn")
    argv = program.derive(
        (program.value, "--config", str(config), APPLICATION),
        "Gunicorn in place of the development server; its settings stand in its own file",
        Sourced(line.name, origin),
    )
    web = make_service(
        defaults,
        "frappe-web",
        Role.WEB,
        "web workers",
        argv,
        stop=graceful.derive(
            Stop("TERM", rules.stop_step(graceful.value)), "longer than the graceful time-out"
        ),
        log="web",
        instances=instances,
        after=tuple(f"{defaults.name.value}-redis-{kind}" for kind in ("cache", "queue")),
    )
    group = settings.text("web", "socket_group") if listen.value.path else None
    made = web._replace(address=address, listen=listen, socket_group=group, gunicorn=gunicorn)
    return Web(made, address)


def _mention_options(context: PlanContext, line: ProcfileLine) -> None:
    """A Gunicorn of Frappe's in the Procfile: its options would be fixed in the command."""
    words = line.command.argv[1:] if line.kind is LineKind.GUNICORN else ()
    found = [word.partition("=")[0] for word in words if word.startswith("-")]
    names = sorted({name for name in found if not name.startswith(BIND_OPTIONS)})
    if names:
        context.report_line(
            line.name,
            warning(
                "PG662",
                f"{', '.join(names)} of the process `{line.name}`: not taken over",
                line.entry.command_location,
                f"add `processes: {{{line.name}: {{}}}}` to prodgen.yaml once `web:` there has "
                "what you need",
            ),
        )


def http_timeout(context: PlanContext) -> Sourced[int]:
    """Seconds that one request may take; every other time-out of the web tier follows from it."""
    return first_given(
        context.bench.settings.integer("web", "timeout"),
        context.bench.common.integer("http_timeout"),
        fallback=default(rules.HTTP_TIMEOUT, "bench's own time-out"),
    )


class _MaxRequests(NamedTuple):
    max_requests: Sourced[int]
    max_requests_jitter: Sourced[int]


def _max_requests(context: PlanContext, workers: Sourced[int]) -> _MaxRequests:
    """After how many requests a worker is replaced, and by how much that varies (bench's rule)."""
    limit = first_given(
        context.bench.settings.integer("web", "max_requests"),
        context.bench.common.integer("gunicorn_max_requests"),
        fallback=workers.derive(
            rules.MAX_REQUESTS if workers.value > 1 else 0, "only where another worker is left"
        ),
    )
    return _MaxRequests(limit, limit.derive(limit.value // 10, "a tenth of max_requests"))


def _version(context: PlanContext) -> Sourced[str] | None:
    """The version of Gunicorn; with locked facts it must be known."""
    known = context.gunicorn_version
    if known is None and context.locked:
        context.miss("gunicorn")
    return known


def _instances(context: PlanContext) -> Sourced[int]:
    """Two, but for a host that is known to have too little memory for the second one."""
    why = "two on one socket restart in turn, and no request is refused"
    known = context.facts.memory
    if known is None:
        return default(rules.WEB_INSTANCES, why)
    memory = context.fact("memory", known)
    if memory.value >= rules.SECOND_MASTER * rules.MEMORY_SHARE:
        return memory.derive(rules.WEB_INSTANCES, f"{why}; it has the memory for both")
    return memory.derive(
        1,
        f"a second one would take {rules.SECOND_MASTER // MEGABYTE} MB, more than a tenth of the "
        "memory; requests wait, or are refused, while the only one restarts",
    )


def _workers(context: PlanContext) -> Sourced[int]:
    """Web workers in all; a warning where the host cannot bear what a file asks for."""
    given = context.bench.settings.integer("web", "workers") or context.bench.common.integer(
        "gunicorn_workers"
    )
    if given is None:
        return _default_workers(context)
    mention_many_web_workers(context, given)
    return given


def _default_workers(context: PlanContext) -> Sourced[int]:
    cpus = context.fact("cpus", default(2, "a small machine"))
    memory = context.fact("memory", default(2048 * MEGABYTE, "a small machine"))
    by_cpu = 2 * cpus.value + 1
    by_memory = max(1, memory.value // 2 // WORKER_MEMORY)
    if by_memory < by_cpu:
        return memory.derive(by_memory, "half of the memory at 150 MB a worker", cpus)
    return cpus.derive(by_cpu, f"2 x {cpus.value} CPUs + 1", memory)
