"""Supervisor: one program a service, in the groups that bench's own commands know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from prodgen.diagnostics import Diagnostic
from prodgen.plan.model import Plan, Restart, Role, Service
from prodgen.targets.artifacts import Artifact
from prodgen.targets.base import Target, Unwritable, unwritable
from prodgen.targets.supervisor_groups import group_of, groups_by_pool, own_program_name
from prodgen.targets.supervisor_syntax import (
    byte_size,
    command,
    environment,
    is_writable,
    plain,
)
from prodgen.targets.templating import render

ENV = "/usr/bin/env"
PRIORITIES = {Role.CACHE: 1, Role.QUEUE: 1, Role.WEB: 20}
OTHER_PRIORITY = 30
RETRIES = 1000
"""Tries to start, each a second later than the one before: almost six days for Redis to return."""
SETTLED_SECONDS = 5
"""A process that has lived so long has started."""
SLOWLY = (
    "import atexit, runpy, sys, time; "
    'atexit.register(lambda: hasattr(sys, "last_type") or time.sleep({seconds})); '
    'runpy.run_module("{module}", None, "__main__", True)'
)
"""`python -m MODULE` that stays a while after a clean end (sys.last_type is that of a crash).

Supervisor restarts at once what has lived for `startsecs`, and gives up on what has not."""


@dataclass(frozen=True, slots=True)
class Program:
    """One `[program:x]` section, in Supervisor's language."""

    kind: str
    """`program`, or `fcgi-program` where Supervisor holds the socket."""
    name: str
    description: str
    process_name: str
    command: str
    is_slow: bool
    """Whether it waits before it ends, so that it does not come back too soon."""
    socket: str
    instances: int
    priority: int
    directory: str
    user: str
    environment: str
    start_seconds: int
    start_retries: int
    stop_signal: str
    stop_seconds: int
    log: str


@dataclass(frozen=True, slots=True)
class Group:
    """One `[group:x]` section: what restarts as one."""

    name: str
    programs: str
    priority: int


@dataclass(frozen=True, slots=True)
class Context:
    """What the template sees."""

    bench: str
    log_folder: str
    log_bytes: str
    log_backups: int
    by_pool: bool
    """Whether `bench restart` finds its groups only by its own hook."""
    programs: list[Program]
    groups: list[Group]


def render_supervisor(plan: Plan) -> tuple[list[Artifact], list[Diagnostic]]:
    """The one file that Supervisor includes."""
    findings: list[Diagnostic] = []
    services = [service for service in plan.services if service.instances.value > 0]
    programs = [made for service in services if (made := _program(plan, service, findings))]
    if findings:
        return [], findings
    context = Context(
        bench=plan.bench_name.value,
        log_folder=str(plan.log_folder.value),
        log_bytes=byte_size(plan.supervisor.log_bytes.value),
        log_backups=plan.supervisor.log_backups.value,
        by_pool=groups_by_pool(plan),
        programs=programs,
        groups=_groups(plan, services),
    )
    name = f"{plan.bench_name.value}.conf"
    artifact = Artifact(
        path=PurePosixPath("supervisor", name),
        text=render("supervisor/bench.conf", context),
        destination=PurePosixPath("/etc/supervisor/conf.d", name),
        target="supervisor",
    )
    return [artifact], []


def _program(plan: Plan, service: Service, findings: list[Diagnostic]) -> Program | None:
    instances = service.instances.value
    suffix = "-%(process_num)d" if instances > 1 else ""
    argv, pairs = _command_line(plan, service)
    try:
        return Program(
            kind="fcgi-program" if service.listen else "program",
            name=own_program_name(plan, service),
            description=service.description.value,
            process_name=service.name.value + suffix,
            command=command(argv),
            is_slow=service.restart.value is Restart.SLOWLY,
            socket=_socket(service),
            instances=instances,
            priority=_priority(service),
            directory=plain(str(service.directory.value)),
            user=plain(service.user.value),
            environment=environment(pairs),
            start_seconds=_start_seconds(plan, service),
            start_retries=RETRIES,
            stop_signal=service.stop.value.signal,
            stop_seconds=service.stop.value.seconds,
            log=plain(str(plan.log_folder.value / service.log.value)) + suffix,
        )
    except Unwritable as reason:
        findings.append(unwritable(service.argv, reason, "Supervisor"))
        return None


def _priority(service: Service) -> int:
    return PRIORITIES.get(service.role.value, OTHER_PRIORITY)


def _start_seconds(plan: Plan, service: Service) -> int:
    """Never longer than a slow one stays: for Supervisor it has started, so it comes back."""
    if service.restart.value is Restart.SLOWLY:
        return min(SETTLED_SECONDS, plan.supervisor.scheduler_wait.value)
    return SETTLED_SECONDS


def _command_line(
    plan: Plan, service: Service
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Command and environment; values that `environment=` cannot hold go through env(1)."""
    argv = service.argv.value
    if service.listen:
        argv = (argv[0], "--bind", "fd://0", *argv[1:])
    if service.restart.value is Restart.SLOWLY and argv[1:2] == ("-m",):
        wait = plan.supervisor.scheduler_wait.value
        argv = (argv[0], "-c", SLOWLY.format(seconds=wait, module=argv[2]), *argv[3:])
    held = tuple(pair for pair in service.environment.value if is_writable(pair[1]))
    rest = tuple(pair for pair in service.environment.value if not is_writable(pair[1]))
    if rest:
        argv = (ENV, *(f"{key}={value}" for key, value in rest), *argv)
    return argv, held


def _socket(service: Service) -> str:
    """supervisord.conf, [fcgi-program:x]: `tcp://host:port` or `unix:///path`."""
    if service.listen is None:
        return ""
    address = service.listen.value
    return plain(f"unix://{address.path}" if address.path else f"tcp://{address}")


def _groups(plan: Plan, services: Iterable[Service]) -> list[Group]:
    """The `[group:x]` sections; a program that is a group by itself needs none."""
    members: dict[str, list[Service]] = {}
    for service in services:
        name = group_of(plan, service)
        if name != own_program_name(plan, service):
            members.setdefault(name, []).append(service)
    return [
        Group(
            name=name,
            programs=",".join(service.name.value for service in grouped),
            priority=min(_priority(one) for one in grouped),
        )
        for name, grouped in members.items()
    ]


TARGET = Target("supervisor", "program groups for Supervisor", render_supervisor)
