"""Supervisor: one program a service, in the groups that bench's own commands know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic
from prodgen.plan.core.defaults import BY_SUPERVISOR
from prodgen.plan.core.model import Plan, Restart, Role, Service
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.base import Target, Unwritable, unwritable
from prodgen.targets.core.realtime_socket import is_node, realtime_socket
from prodgen.targets.core.restart_delay import with_restart_delay
from prodgen.targets.core.templating import render
from prodgen.targets.env_reader.render import with_secrets
from prodgen.targets.supervisor.escape import byte_size, command, environment, is_writable, plain
from prodgen.targets.supervisor.groups import (
    group_of,
    groups_by_pool,
    installed_file,
    own_program_name,
)

ENV = "/usr/bin/env"
SHELL = "/bin/sh"
PRIORITIES = {Role.CACHE: 1, Role.QUEUE: 1, Role.WEB: 20}
OTHER_PRIORITY = 30
RETRIES = 1000
"""Tries to start, each a second later than the one before: almost six days for Redis to return."""
SETTLED_SECONDS = 5
"""A process that has lived so long has started."""
HAND_OVER = 'exec /usr/bin/env LISTEN_PID=$$ LISTEN_FDS=1 "$0" "$@" 3<&0 0</dev/null'
"""Gives Gunicorn its socket the way systemd does (sd_listen_fds(3)); the process stays the same.

Told `--bind fd://0`, it would remove the socket's path at its end (gunicorn/arbiter.py, `stop`),
and the other instance with it would be out of reach."""
REMOVE_FIRST = 'rm -f "$0"; exec "$@"'
"""Node removes no socket file, not even its own, and one that is there stops the next start."""
SOCKET_FOLDER = "/run"
"""Always there, and root's. Without the socket's folder supervisord does not start at all."""


class Program(NamedTuple):
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
    socket_owner: str
    socket_mode: str
    """Both empty where the socket is a port."""
    instances: int
    priority: int
    directory: str
    user: str
    environment: str
    umask: str
    """Empty where the usual one will do."""
    start_seconds: int
    start_retries: int
    stop_signal: str
    stop_seconds: int
    log: str


class Group(NamedTuple):
    """One `[group:x]` section: what restarts as one."""

    name: str
    programs: str
    priority: int


class Context(NamedTuple):
    """What the template sees."""

    bench: str
    log_folder: str
    log_bytes: str
    log_backups: int
    syslog: bool
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
        syslog=plan.supervisor.syslog.value,
        by_pool=groups_by_pool(plan),
        programs=programs,
        groups=_groups(plan, services),
    )
    artifact = Artifact(
        path=PurePosixPath("supervisor", f"{plan.bench_name.value}.conf"),
        text=render("supervisor/bench.conf", context),
        destination=installed_file(plan),
        target="supervisor",
    )
    return [artifact], []


def _program(plan: Plan, service: Service, findings: list[Diagnostic]) -> Program | None:
    instances = service.instances.value
    suffix = "-%(process_num)d" if instances > 1 else ""
    argv, pairs = _command_line(plan, service)
    try:
        socket = _socket(service)
        _refuse_unreachable(realtime_socket(plan, service))
    except Unwritable as reason:
        findings.append(
            unwritable(service.listen or service.address or service.argv, reason, "Supervisor")
        )
        return None
    try:
        return Program(
            kind="fcgi-program" if service.listen else "program",
            name=own_program_name(plan, service),
            description=service.description.value,
            process_name=service.name.value + suffix,
            command=command(argv),
            is_slow=service.restart.value is Restart.DELAYED,
            socket=socket,
            socket_owner=_socket_owner(service),
            socket_mode=_socket_mode(service),
            instances=instances,
            priority=_priority(service),
            directory=plain(str(service.directory.value)),
            user=plain(service.user.value),
            environment=environment(pairs),
            umask="000" if realtime_socket(plan, service) else "",
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
    if service.restart.value is Restart.DELAYED:
        return min(SETTLED_SECONDS, plan.supervisor.scheduler_wait.value)
    return SETTLED_SECONDS


def _command_line(
    plan: Plan, service: Service
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Command and environment; values that `environment=` cannot hold go through env(1)."""
    argv = with_restart_delay(service, plan.supervisor.scheduler_wait.value)
    if service.listen:
        by_path = bool(service.listen.value.path)
        argv = (
            (SHELL, "-c", HAND_OVER, *argv) if by_path else (argv[0], "--bind", "fd://0", *argv[1:])
        )
    socket = realtime_socket(plan, service)
    if socket and is_node(service):
        argv = (SHELL, "-c", REMOVE_FIRST, socket, *argv)
    held = tuple(pair for pair in service.environment.value if is_writable(pair[1]))
    rest = tuple(pair for pair in service.environment.value if not is_writable(pair[1]))
    if rest:
        argv = (ENV, *(f"{key}={value}" for key, value in rest), *argv)
    return with_secrets(plan, service, argv), held


def _socket(service: Service) -> str:
    """supervisord.conf, [fcgi-program:x]: `tcp://host:port` or `unix:///path`."""
    if service.listen is None:
        return ""
    address = service.listen.value
    if not address.path:
        if ":" in address.host:
            raise Unwritable("its sockets know IPv4 only (supervisor/datatypes.py)")
        return plain(f"tcp://{address}")
    if str(PurePosixPath(address.path).parent) != SOCKET_FOLDER:
        raise Unwritable(
            f"a socket must stand in {SOCKET_FOLDER} itself, since supervisord does not start "
            f"where a folder is missing, and after a reboot those below {SOCKET_FOLDER} are"
        )
    return plain(f"unix://{address.path}")


def _refuse_unreachable(path: str) -> None:
    """The realtime server opens its socket as the bench's user (systemd makes it a folder)."""
    if path.startswith(f"{SOCKET_FOLDER}/"):
        raise Unwritable(
            f"the bench's user cannot make a socket below {SOCKET_FOLDER}; "
            "a path in the bench's own folder will do"
        )


def _socket_owner(service: Service) -> str:
    if service.listen is None or not service.listen.value.path or not service.socket_group:
        return ""
    return plain(f"{service.user.value}:{service.socket_group.value}")


def _socket_mode(service: Service) -> str:
    """Without a group everyone on the machine may connect, as with a port."""
    if service.listen is None or not service.listen.value.path:
        return ""
    return "0660" if service.socket_group else "0666"


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


def _install_steps(_plan: Plan) -> tuple[str, ...]:
    return (
        "    supervisorctl reread",
        "    supervisorctl update",
        "",
        "The last one restarts what has changed.",
    )


def _needs_log_folder(_plan: Plan) -> bool:
    return True


def _production_flags(_plan: Plan) -> frozenset[str]:
    return frozenset({BY_SUPERVISOR})


TARGET = Target(
    "supervisor",
    "program groups for Supervisor",
    render_supervisor,
    _install_steps,
    needs_log_folder=_needs_log_folder,
    production_flags=_production_flags,
    reread="supervisorctl update",
)
