"""The plan: what should run, for whom, and how it is reached. Every value knows its origin."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple, NoReturn

from prodgen.plan.core.options import NginxOptions, SupervisorOptions, SystemdOptions
from prodgen.provenance import Sourced

CONFIG_FOLDER = PurePosixPath("/etc/prodgen")
"""In it each bench has a folder of the files that its services read at their start."""
GUNICORN_SETTINGS = "gunicorn.conf.py"
"""One of those files."""


class Role(Enum):
    """What a service is for; it decides grouping, order and defaults."""

    WEB = "web"
    REALTIME = "realtime"
    SCHEDULER = "scheduler"
    WORKER = "worker"
    CACHE = "cache"
    QUEUE = "queue"
    OTHER = "other"


class Manager(Enum):
    """The program that keeps the services running."""

    SUPERVISOR = "supervisor"
    SYSTEMD = "systemd"

    @property
    def title(self) -> str:
        """Its name for people."""
        if self is Manager.SUPERVISOR:
            title = "Supervisor"
        elif self is Manager.SYSTEMD:
            title = "systemd"
        else:
            assert_never(self)
        return title


def assert_never(value: NoReturn) -> NoReturn:
    """Ends a decision that has a case for each member: mypy reports one that is missing.

    `typing` has it only from Python 3.11 on.
    """
    raise AssertionError(value)


class Restart(Enum):
    """When a service comes back by itself."""

    ALWAYS = "always"
    DELAYED = "slowly"
    """Always too, but a clean exit soon after the start is normal: wait before each new try."""


class Queue(NamedTuple):
    """A queue and the seconds that a job on it may take."""

    name: str
    timeout: int


class Stop(NamedTuple):
    """How a service ends: the signal, and the seconds before it is killed."""

    signal: str
    seconds: int


class Address(NamedTuple):
    """Where a server listens: a TCP port of a host, or a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Gunicorn(NamedTuple):
    """The settings of one Gunicorn instance; times in seconds.

    They live in a file of their own, so that a change of them leaves the command as it is.
    """

    application: Sourced[str]
    version: Sourced[str] | None
    workers: Sourced[int]
    """Of one instance."""
    threads: Sourced[int]
    timeout: Sourced[int]
    graceful_timeout: Sourced[int]
    max_requests: Sourced[int]
    max_requests_jitter: Sourced[int]
    preload: Sourced[bool]
    """Whether the application is loaded once, before the workers fork."""


class Redis(NamedTuple):
    """The settings of a Redis server whose conf file prodgen makes (`redis: {managed: true}`)."""

    conf: Sourced[PurePosixPath]
    """Where its conf file is installed."""
    port: Sourced[int]
    data_folder: Sourced[PurePosixPath]
    keeps_data: Sourced[bool]
    """Whether it saves to disk: jobs must outlive it, a cache need not."""
    maxmemory: Sourced[int] | None
    """Megabytes beyond which it forgets the oldest; None forgets nothing."""


class Service(NamedTuple):
    """One kind of process. Its name is the stem of program and unit names."""

    name: Sourced[str]
    role: Sourced[Role]
    description: Sourced[str]
    argv: Sourced[tuple[str, ...]]
    environment: Sourced[tuple[tuple[str, str], ...]]
    directory: Sourced[PurePosixPath]
    user: Sourced[str]
    instances: Sourced[int]
    stop: Sourced[Stop]
    restart: Sourced[Restart]
    log: Sourced[str]
    """The stem of its log files: `worker` for `worker.log` and `worker.error.log`."""
    after: Sourced[tuple[str, ...]]
    """Names of services that should be up before."""
    queues: Sourced[tuple[Queue, ...]]
    address: Sourced[Address] | None = None
    """Where others reach it, if they do."""
    listen: Sourced[Address] | None = None
    """The socket that the manager opens and hands to every instance."""
    socket_group: Sourced[str] | None = None
    """The only group that may connect to it, where it is a unix socket; None for everyone."""
    env_file: Sourced[PurePosixPath] | None = None
    """A file of secrets that it reads at its start, on the host."""
    gunicorn: Gunicorn | None = None
    redis: Redis | None = None
    finishes_jobs: Sourced[bool] | None = None
    """Whether it finishes its jobs before it ends, so that only its main process gets the stop
    signal. Every worker does; this says it of a process of another role."""

    @property
    def takes_jobs(self) -> bool:
        """Whether it is a worker, a pool of them, or a worker of another kind."""
        return self.role.value is Role.WORKER or self.finishes_jobs is not None


class Certificate(NamedTuple):
    """Paths of a certificate with its chain and of its key, both PEM."""

    chain: str
    key: str


class ServerName(NamedTuple):
    """One name under which a site is reached, with the certificate that covers it."""

    name: Sourced[str]
    certificate: Sourced[Certificate] | None = None


class Site(NamedTuple):
    """One site: the name of its folder, its public names, and its limits."""

    folder: Sourced[str]
    names: tuple[ServerName, ...]
    port: Sourced[int]
    """The port of plain HTTP."""
    largest_body: Sourced[int]
    """Bytes of the largest request body."""


class Proxy(NamedTuple):
    """What the reverse proxy stands before; times in seconds."""

    web: Sourced[Address]
    realtime: Sourced[Address] | None
    read_timeout: Sourced[int]


class LineOutcome(NamedTuple):
    """What became of one process of the Procfile."""

    name: str
    outcome: Sourced[str]
    """`kept`, `replaced`, `left out` or `refused`."""
    reason: Sourced[str]


class LeftOut(NamedTuple):
    """A process of the Procfile that production does not run, and why."""

    name: str
    reason: str


class Plan(NamedTuple):
    """What should run for one bench."""

    bench_name: Sourced[str]
    bench: Sourced[PurePosixPath]
    user: Sourced[str]
    home: Sourced[PurePosixPath]
    manager: Sourced[Manager]
    log_folder: Sourced[PurePosixPath]
    """Owned by root, since root's processes open files in it."""
    config_folder: Sourced[PurePosixPath]
    """Where files that the services read are installed; owned by root."""
    services: tuple[Service, ...]
    sites: tuple[Site, ...]
    proxy: Proxy | None
    left_out: tuple[LeftOut, ...]
    """Processes of the Procfile that do not run."""
    versions: Mapping[str, Sourced[str]]
    """Versions of `nginx`, `systemd`, … that the output must suit, where they are known."""

    nginx: NginxOptions = NginxOptions()
    systemd: SystemdOptions = SystemdOptions()
    supervisor: SupervisorOptions = SupervisorOptions()
    lines: tuple[LineOutcome, ...] = ()
    """What became of each process of the Procfile and of prodgen.yaml."""

    @property
    def is_of_user(self) -> bool:
        """Whether the systemd of the bench's user runs it, without root."""
        return self.manager.value is Manager.SYSTEMD and self.systemd.scope.value == "user"

    @property
    def config_files(self) -> dict[str, list[PurePosixPath]]:
        """The files that services read at their start, by the target that makes them."""
        gunicorn = [one.gunicorn for one in self.services if one.gunicorn]
        redis = [one.redis.conf.value for one in self.services if one.redis]
        has_secrets = any(one.env_file for one in self.services)
        return {
            "environment": [self.env_reader] if has_secrets else [],
            "gunicorn": [self.config_folder.value / GUNICORN_SETTINGS] if gunicorn else [],
            "redis": redis,
        }

    @property
    def env_reader(self) -> PurePosixPath:
        """The program that reads a file of secrets for a service, and then becomes the service."""
        return self.config_folder.value / "with-env.sh"

    def with_role(self, *roles: Role) -> tuple[Service, ...]:
        """The services that have one of these roles."""
        return tuple(service for service in self.services if service.role.value in roles)
