"""One service unit: what the planner asks for, in systemd's language."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.plan.core.defaults import QUEUE_TIMEOUTS
from prodgen.plan.core.model import Plan, Restart, Role, Service
from prodgen.plan.core.options import Resources
from prodgen.targets.core.realtime_socket import is_node, realtime_socket
from prodgen.targets.core.restart_delay import with_restart_delay
from prodgen.targets.env_reader.render import with_secrets
from prodgen.targets.systemd.escape import assignment, command, env_file, folder, plain
from prodgen.targets.systemd.hardening import Level, Line, knows, left_out, sandbox
from prodgen.targets.systemd.paths import (
    grounds_of,
    home_of,
    manager_reads_secrets,
    profile_of,
    runtime_directory,
)
from prodgen.targets.systemd.units import Names, is_template, running_units, tier_of, unit_file

DATABASES = ("mariadb.service", "mysql.service", "postgresql.service")
"""Ordered after where they are on this machine; a name that is not there counts for nothing."""
REDIS_ROLES = (Role.CACHE, Role.QUEUE)
REDIS_OPTIONS = ("--supervised", "systemd", "--daemonize", "no")
REDIS_START_SECONDS = 300
"""Redis is ready once its data is loaded, and a full queue may take a while."""
WEB_START_SECONDS = 300
"""Every worker may load the application by itself, on few CPUs, while everything else boots."""
OPEN_FILES = 65536
"""Redis wants 10,032 for its clients, and each websocket takes one."""
SET_BY_SYSTEMD = ("HOME", "LOGNAME", "USER")
"""Variables that systemd sets by itself for `User=` (systemd.exec(5))."""

RESTART_FIRST = "500ms"
RESTART_STEPS = 4
RESTART_LAST = "5s"
"""Short: systemd forgets the tries only when somebody starts the unit by hand."""
RESTART_ALWAYS = "3s"
"""Where systemd cannot wait longer from try to try."""
SCHEDULER_WAIT = 30
"""Seconds between two tries of a scheduler that finds another one at work."""

OOM_SCORES = {
    Role.CACHE: 0,
    Role.QUEUE: 0,
    Role.WEB: 100,
    Role.REALTIME: 100,
    Role.SCHEDULER: 200,
    Role.OTHER: 200,
    Role.WORKER: 300,
}
"""Which the kernel kills first. Never negative, which containers refuse."""
LONG_OOM_SCORE = 500
CPU_WEIGHTS = {Role.CACHE: 300, Role.QUEUE: 300, Role.WEB: 200, Role.REALTIME: 200}
CPU_WEIGHT = 100
LONG_CPU_WEIGHT = 50


class Unit(NamedTuple):
    """What the template of a service sees; every string is in systemd's language."""

    file: str
    control: str
    """The command that controls the manager that runs it."""
    bench: str
    title: str
    description: str
    part_of: str
    socket: str
    wants: str
    after: str
    type: str
    notify_access: str
    user: str
    directory: str
    environment: list[str]
    env_file: str
    """A file of secrets that the manager reads."""
    runtime_directory: str
    start_before: str
    start: str
    start_seconds: int | None
    ready: str
    """What systemd waits for while it starts."""
    is_slow: bool
    restart: list[Line]
    kill_mode: str
    kill_signal: str
    stop_seconds: int
    told_to_end: bool
    """Whether status 143 is a clean end: unknown programs and node answer TERM with it."""
    output: str
    error_output: str
    identifier: str
    slice: str
    limits: list[Line]
    umask: str
    hardening: str
    sandbox: list[Line]
    left_out: list[str]


def service_unit(plan: Plan, service: Service, names: Names, version: int) -> Unit:
    """The unit of one service; raises Unwritable for a value that systemd cannot hold."""
    role = service.role.value
    level = Level(plan.systemd.hardening.value)
    grounds = grounds_of(plan, service)
    profile = profile_of(service)
    by_root = plan.systemd.scope.value == "system"
    socket = realtime_socket(plan, service)
    title = plain(service.description.value)
    number = " %i" if is_template(service) else ""
    return Unit(
        file=unit_file(service),
        control=control(plan),
        bench=plain(plan.bench_name.value),
        title=title,
        description=f"{plain(plan.bench_name.value)}: {title}{number}",
        part_of=names.tier(tier_of(service)),
        socket=names.socket if service.listen else "",
        wants=" ".join([] if role in REDIS_ROLES else _network(plan)),
        after=" ".join(_after(plan, service)),
        type=_type(plan, service),
        notify_access="all" if service.gunicorn else "",
        user=plain(service.user.value) if by_root else "",
        directory=folder(str(service.directory.value)),
        environment=_environment(plan, service),
        env_file=env_file(str(service.env_file.value))
        if service.env_file and manager_reads_secrets(plan, service)
        else "",
        runtime_directory=runtime_directory(socket) if by_root else "",
        start_before=_start_before(service, socket),
        start=command(_argv(plan, service)),
        start_seconds=_start_seconds(service),
        ready="a worker has loaded the application" if service.gunicorn else "all data is loaded",
        is_slow=service.restart.value is Restart.DELAYED,
        restart=_restart(version),
        kill_mode="" if role is Role.OTHER and not service.finishes_jobs else "mixed",
        kill_signal=_kill_signal(service),
        stop_seconds=service.stop.value.seconds,
        told_to_end=role in (Role.OTHER, Role.REALTIME),
        output=_output(plan, service, ".log"),
        error_output=_output(plan, service, ".error.log"),
        identifier=plain(service.name.value) + ("@%i" if is_template(service) else ""),
        slice=names.slice,
        limits=_limits(plan, service, by_root=by_root),
        umask=_umask(service, socket),
        hardening=level.value,
        sandbox=sandbox(profile, level, grounds, version=version, by_root=by_root),
        left_out=left_out(profile, level, grounds),
    )


def control(plan: Plan) -> str:
    """How a person talks to the manager that runs the bench."""
    return "systemctl" if plan.systemd.scope.value == "system" else "systemctl --user"


def _after(plan: Plan, service: Service) -> list[str]:
    if service.role.value in REDIS_ROLES:
        return ["network.target"] if plan.systemd.scope.value == "system" else []
    databases = DATABASES if plan.systemd.scope.value == "system" else ()
    return [*_network(plan), *databases, *_before(plan, service)]


def _network(plan: Plan) -> list[str]:
    """A user's own manager knows nothing of the system's units."""
    return ["network-online.target"] if plan.systemd.scope.value == "system" else []


def _before(plan: Plan, service: Service) -> list[str]:
    by_name = {one.name.value: one for one in plan.services if one.instances.value > 0}
    wanted = [by_name[name] for name in service.after.value if name in by_name]
    return [unit for one in wanted for unit in running_units(one)]


def _type(plan: Plan, service: Service) -> str:
    """How systemd learns that a service is up (systemd.service(5), Type=)."""
    if service.role.value in REDIS_ROLES:
        return "notify" if plan.systemd.redis_notify.value else "exec"
    is_gunicorn = PurePosixPath(service.argv.value[0]).name == "gunicorn"
    return "notify" if service.gunicorn or is_gunicorn else "exec"


def _start_seconds(service: Service) -> int | None:
    """How long a start may take; None for systemd's own time."""
    if service.role.value in REDIS_ROLES:
        return REDIS_START_SECONDS
    return WEB_START_SECONDS if service.gunicorn else None


def _start_before(service: Service, socket: str) -> str:
    """Node removes no socket file, not even its own."""
    if not socket or not is_node(service):
        return ""
    return "-" + command(("/bin/rm", "-f", socket))


def _argv(plan: Plan, service: Service) -> tuple[str, ...]:
    if service.role.value in REDIS_ROLES and plan.systemd.redis_notify.value:
        return (*service.argv.value, *REDIS_OPTIONS)
    argv = with_restart_delay(service, SCHEDULER_WAIT)
    return argv if manager_reads_secrets(plan, service) else with_secrets(plan, service, argv)


def _environment(plan: Plan, service: Service) -> list[str]:
    """The variables that systemd does not set by itself; Redis starts no other programs."""
    own = dict(service.environment.value)
    usual = {"LOGNAME": service.user.value, "USER": service.user.value, "HOME": home_of(plan)}
    if service.role.value in REDIS_ROLES:
        own.pop("PATH", None)
    return [
        assignment(key, value)
        for key, value in sorted(own.items())
        if key not in SET_BY_SYSTEMD or value != usual[key]
    ]


def _restart(version: int) -> list[Line]:
    if not knows("RestartSteps", version):
        return [Line("RestartSec", RESTART_ALWAYS)]
    return [
        Line("RestartSec", RESTART_FIRST),
        Line("RestartSteps", str(RESTART_STEPS)),
        Line("RestartMaxDelaySec", RESTART_LAST),
    ]


def _kill_signal(service: Service) -> str:
    signal = service.stop.value.signal.removeprefix("SIG")
    return "" if signal == "TERM" else plain(f"SIG{signal}")


def _output(plan: Plan, service: Service, suffix: str) -> str:
    """Where output goes; root's manager opens files itself, so they lie in a folder of root's."""
    if plan.systemd.logs.value != "files":
        return "journal"
    by_root = plan.systemd.scope.value == "system"
    place = plan.log_folder.value if by_root else plan.bench.value / "logs"
    number = "-%i" if is_template(service) else ""
    return f"append:{plain(str(place / service.log.value))}{number}{suffix}"


def _limits(plan: Plan, service: Service, *, by_root: bool) -> list[Line]:
    role = service.role.value
    limits = plan.systemd.resources.get(role.value, Resources())
    is_long = any(queue.timeout > QUEUE_TIMEOUTS["default"] for queue in service.queues.value)
    score = LONG_OOM_SCORE if is_long else OOM_SCORES[role]
    weight = LONG_CPU_WEIGHT if is_long else CPU_WEIGHTS.get(role, CPU_WEIGHT)
    found = [Line("OOMScoreAdjust", str(score))] if by_root else []
    found.append(Line("OOMPolicy", "continue"))
    found.append(Line("CPUWeight", str(limits.cpu_weight.value if limits.cpu_weight else weight)))
    found += limit_lines(limits)
    if role in (*REDIS_ROLES, Role.WEB, Role.REALTIME):
        found.append(Line("LimitNOFILE", str(OPEN_FILES)))
    return found


def limit_lines(limits: Resources) -> list[Line]:
    """The limits of memory, CPU time and tasks that are set."""
    pairs = (
        ("MemoryHigh", limits.memory_high, ""),
        ("MemoryMax", limits.memory_max, ""),
        ("CPUQuota", limits.cpu_quota, "%"),
        ("TasksMax", limits.tasks_max, ""),
    )
    return [Line(name, f"{limit.value}{unit}") for name, limit, unit in pairs if limit]


def _umask(service: Service, socket: str) -> str:
    """What new files lack: nginx, another user, reads uploads and connects to the socket."""
    if service.role.value in REDIS_ROLES:
        return "0077"
    if service.role.value is Role.OTHER:
        return ""
    return "0000" if socket else "0022"
