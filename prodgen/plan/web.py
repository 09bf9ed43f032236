"""The web tier: Gunicorn in place of Werkzeug, behind a socket that its manager holds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from prodgen.diagnostics import error, note, warning
from prodgen.plan import rules
from prodgen.plan.choices import first
from prodgen.plan.desk import Desk, Premises, service
from prodgen.plan.lines import Line, Task
from prodgen.plan.model import Address, Gunicorn, Role, Service, Stop
from prodgen.provenance import At, Kind, Origin, Sourced, default

APPLICATION = "frappe.app:application"
LOOPBACK = "127.0.0.1"
MEGABYTE = 1024**2
WORKER_MEMORY = 150 * MEGABYTE
"""Bytes of one busy web worker of ERPNext; plain Frappe takes about a third of it."""
WORKERS_PER_CPU = 8
"""More of them only wait for each other."""
BIND_OPTION = re.compile(r"(?:^| )(?:-b|--bind)[= ]?(\S+)")


class Web(NamedTuple):
    """The service, and the address that the proxy sends requests to."""

    service: Service
    address: Sourced[Address]


def plan_web(desk: Desk, premises: Premises, lines: list[Line]) -> Web | None:
    """The web tier for the lines that serve; None where there is none."""
    serving = [line for line in lines if line.task in (Task.SERVE, Task.GUNICORN)]
    if not serving:
        return None
    line = serving[0]
    if line.dropped:
        desk.report(
            warning(
                "PG604",
                f"production does not run `{line.dropped}` of the process `{line.name}`",
                line.entry.command_location,
                "run it when you deploy, before the services start",
            )
        )
    if line.task is Task.GUNICORN and APPLICATION not in line.command.argv:
        return _foreign_gunicorn(desk, premises, line)
    return _frappe_gunicorn(desk, premises, line)


def _frappe_gunicorn(desk: Desk, premises: Premises, line: Line) -> Web:
    origin = Origin(Kind.FILE, f"the Procfile's process `{line.name}`", At(line.entry.location))
    port = _port(desk, line)
    address = port.derive(Address(LOOPBACK, port.value), "only nginx reaches it")
    timeout = http_timeout(desk)
    graceful = timeout.derive(timeout.value, "a request may take as long as the time-out")
    settings = desk.bench.settings
    instances = first(
        settings.integer("web", "instances"),
        fallback=default(
            rules.WEB_INSTANCES, "two on one socket restart in turn, and no request is refused"
        ),
    )
    total = _workers(desk)
    gunicorn = Gunicorn(
        application=Sourced(APPLICATION, origin),
        version=desk.facts.gunicorn,
        workers=total.derive(
            -(-total.value // instances.value),
            f"{total.value} in all over {instances.value} instances",
            instances,
        ),
        threads=first(
            settings.integer("web", "threads"),
            fallback=default(rules.THREADS, "one request at a time, as bench has it"),
        ),
        preload=first(
            settings.flag("web", "preload"),
            fallback=default(True, "workers share memory, and a broken app never starts"),
        ),
        timeout=timeout,
        graceful_timeout=graceful,
        **_max_requests(desk, total)._asdict(),
    )
    config = premises.config_folder.value / "gunicorn.conf.py"
    program = premises.in_env("gunicorn")
    argv = program.derive(
        (program.value, "--config", str(config), APPLICATION),
        "Gunicorn in place of the development server; its settings stand in its own file",
        Sourced(line.name, origin),
    )
    web = service(
        premises,
        "frappe-web",
        Role.WEB,
        "web workers",
        argv,
        stop=graceful.derive(
            Stop("TERM", rules.stop_step(graceful.value)), "longer than the graceful time-out"
        ),
        log="web",
        instances=instances,
        after=tuple(f"{premises.name.value}-redis-{kind}" for kind in ("cache", "queue")),
    )
    return Web(replace(web, address=address, listen=address, gunicorn=gunicorn), address)


def _foreign_gunicorn(desk: Desk, premises: Premises, line: Line) -> Web:
    """A Gunicorn of another application: run as it is written."""
    origin = Origin(Kind.FILE, f"the Procfile's process `{line.name}`", At(line.entry.location))
    words = line.command.argv
    if "/" not in words[0]:
        words = (premises.in_env("gunicorn").value, *words[1:])
    bound = BIND_OPTION.search(" ".join(words[1:]))
    host, _, port = bound[1].rpartition(":") if bound else ("", "", str(rules.WEB_PORT))
    address = Address(host or LOOPBACK, int(port) if port.isdigit() else rules.WEB_PORT)
    desk.report(
        note(
            "PG605",
            f"the process `{line.name}` runs Gunicorn for another application than Frappe's",
            line.entry.command_location,
            "it is kept as it is; its own restarts may refuse requests",
        )
    )
    timeout = http_timeout(desk)
    web = service(
        premises,
        "frappe-web",
        Role.WEB,
        "web workers",
        Sourced(words, origin),
        stop=timeout.derive(Stop("TERM", rules.stop_step(timeout.value)), "as the time-out"),
        log="web",
        directory=premises.path,
    )
    reached = Sourced(address, origin)
    return Web(replace(web, address=reached), reached)


def _port(desk: Desk, line: Line) -> Sourced[int]:
    chosen = desk.bench.settings.integer("web", "port")
    if chosen:
        return chosen
    configured = desk.bench.common.integer("webserver_port")
    written = line.options.get("port", "")
    if not written.isascii() or not written.isdigit():
        return configured or default(rules.WEB_PORT, "bench's own port")
    place = At(line.entry.command_location)
    in_line = Sourced(int(written), Origin(Kind.FILE, f"--port of `{line.name}`", place))
    if not 0 < in_line.value < 65536:
        desk.report(
            error(
                "PG602",
                f"the port {written} of `{line.name}`",
                in_line.location,
                "expected a whole number from 1 to 65535",
            )
        )
    if configured is None:
        return in_line
    if configured.value != in_line.value and configured.location:
        desk.report(
            warning(
                "PG601",
                f"the port {written} of `{line.name}` is not the webserver_port "
                f"{configured.value}, which wins",
                in_line.location,
                "make the two agree",
                (("webserver_port", configured.location),),
            )
        )
    return configured


def http_timeout(desk: Desk) -> Sourced[int]:
    """Seconds that one request may take; every other time-out of the web tier follows from it."""
    return first(
        desk.bench.settings.integer("web", "timeout"),
        desk.bench.common.integer("http_timeout"),
        fallback=default(rules.HTTP_TIMEOUT, "bench's own time-out"),
    )


class _MaxRequests(NamedTuple):
    max_requests: Sourced[int]
    max_requests_jitter: Sourced[int]


def _max_requests(desk: Desk, workers: Sourced[int]) -> _MaxRequests:
    """After how many requests a worker is replaced, and by how much that varies (bench's rule)."""
    limit = first(
        desk.bench.settings.integer("web", "max_requests"),
        desk.bench.common.integer("gunicorn_max_requests"),
        fallback=workers.derive(
            rules.MAX_REQUESTS if workers.value > 1 else 0, "only where another worker is left"
        ),
    )
    return _MaxRequests(limit, limit.derive(limit.value // 10, "a tenth of max_requests"))


def _workers(desk: Desk) -> Sourced[int]:
    """Web workers in all; a warning where the host cannot bear what a file asks for."""
    given = desk.bench.settings.integer("web", "workers") or desk.bench.common.integer(
        "gunicorn_workers"
    )
    if given is None:
        return _default_workers(desk)
    cpus, memory = desk.facts.cpus, desk.facts.memory
    if cpus and given.value > WORKERS_PER_CPU * cpus.value:
        arithmetic = f"{given.value} on {cpus.value} CPUs; 2 x {cpus.value} + 1 is usual"
        if memory:
            need = given.value * WORKER_MEMORY // MEGABYTE
            arithmetic += (
                f", and {given.value} x {WORKER_MEMORY // MEGABYTE} MB = {need} MB of "
                f"{memory.value // MEGABYTE} MB memory"
            )
        desk.report(
            warning(
                "PG603",
                f"many Gunicorn workers: {arithmetic}",
                given.location,
                "lower gunicorn_workers, or declare the host's `cpus` and `memory`",
            )
        )
    return given


def _default_workers(desk: Desk) -> Sourced[int]:
    cpus = desk.fact("cpus", default(2, "a small machine"))
    memory = desk.fact("memory", default(2048 * MEGABYTE, "a small machine"))
    by_cpu = 2 * cpus.value + 1
    by_memory = max(1, memory.value // 2 // WORKER_MEMORY)
    if by_memory < by_cpu:
        return memory.derive(by_memory, "half of the memory at 150 MB a worker", cpus)
    return cpus.derive(by_cpu, f"2 x {cpus.value} CPUs + 1", memory)
