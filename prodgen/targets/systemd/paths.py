"""Which folders a service of the bench writes to, runs programs from, and must still see."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from prodgen.plan.core.model import Plan, Role, Service
from prodgen.targets.core.realtime_socket import is_node, realtime_socket
from prodgen.targets.systemd.escape import bind_path, path_word
from prodgen.targets.systemd.hardening import Grounds, Level, Profile

TEMPORARY = (PurePosixPath("/tmp"), PurePosixPath("/var/tmp"))  # noqa: S108
HOMES = (PurePosixPath("/home"), PurePosixPath("/root"), PurePosixPath("/run/user"))
RUNTIME_SOCKET = re.compile(r"/run/([A-Za-z0-9][A-Za-z0-9._-]*)/[^/]+")


CONF_FILES = (
    "nginx.conf",
    "redis_async_broker.conf",
    "redis_cache.acl",
    "redis_cache.conf",
    "redis_queue.acl",
    "redis_queue.conf",
    "redis_socketio.conf",
    "supervisor.conf",
    "systemd",
)
"""What bench puts into config/ for other programs, root's among them (bench/config/)."""


def profile_of(service: Service) -> Profile:
    """Which sandbox suits the service; the realtime server in Python is a part of Frappe."""
    role = service.role.value
    if role in (Role.CACHE, Role.QUEUE):
        return Profile.REDIS
    if role is Role.OTHER:
        return Profile.OTHER
    return Profile.NODE if is_node(service) else Profile.APP


def home_of(plan: Plan) -> str:
    """The home of the bench's user, empty where no service of Frappe names it."""
    known = (one for one in plan.services if one.role.value is not Role.OTHER)
    found = (dict(one.environment.value).get("HOME", "") for one in known)
    return next((home for home in found if home), "")


def manager_reads_secrets(plan: Plan, service: Service) -> bool:
    """Whether `EnvironmentFile=` may name the file of secrets.

    Root's manager would read it as root and follow links. Where the bench's user can put a link in
    its place, it would hand out what only root may read, so there the service reads it itself.
    """
    if service.env_file is None or plan.systemd.scope.value == "user":
        return True
    own = (plan.bench.value, plan.home.value, *TEMPORARY)
    return not _lies_in(service.env_file.value, own)


def runtime_directory(socket: str) -> str:
    """The folder below /run that must be made for this socket; empty where it lies elsewhere."""
    found = RUNTIME_SOCKET.fullmatch(socket)
    return found[1] if found else ""


def grounds_of(plan: Plan, service: Service) -> Grounds:
    """The folders that the sandbox of this service treats apart."""
    profile = profile_of(service)
    if profile is Profile.OTHER or Level(plan.systemd.hardening.value) is Level.OFF:
        return Grounds(writable=())
    bench = plan.bench.value
    writable = _writable(plan, service, profile)
    has_config = profile in (Profile.APP, Profile.REDIS)
    data = [bench / "logs", bench / "config"] if has_config else []
    data = [bench / "sites", *data] if profile is Profile.APP else data
    frozen = [bench / "config" / name for name in CONF_FILES] if has_config else []
    strict = Level(plan.systemd.hardening.value) is Level.STRICT
    shown = [bench, *map(PurePosixPath, plan.systemd.read_only_paths.value)]
    program = PurePosixPath(service.argv.value[0])
    if not program.is_relative_to(bench):
        shown.append(program.parent.parent)
    if service.env_file and not manager_reads_secrets(plan, service):
        shown += [service.env_file.value] if not _lies_in(service.env_file.value, (bench,)) else []
    shown = [path for path in shown if _lies_in(path, HOMES)]
    return Grounds(
        writable=tuple(path_word(str(path), optional=True) for path in writable),
        data=tuple(path_word(str(path), optional=True) for path in data),
        frozen=tuple(path_word(str(path), optional=True) for path in frozen),
        shown=tuple(bind_path(str(path)) for path in shown) if strict else (),
        binds_writable=tuple(
            bind_path(str(path)) for path in writable if strict and _lies_in(path, HOMES)
        ),
        shares_tmp=_lies_in(bench, TEMPORARY),
    )


def _writable(plan: Plan, service: Service, profile: Profile) -> list[PurePosixPath]:
    """What the service must write to (Frappe's locks lie in config/, its own logs in logs/)."""
    bench = plan.bench.value
    if profile is Profile.REDIS:
        socket = service.address.value.path if service.address else ""
        folder = [PurePosixPath(socket).parent] if socket else []
        return [bench / "config", bench / "logs", *folder]
    socket = realtime_socket(plan, service)
    found = [PurePosixPath(socket).parent] if socket else []
    if profile is Profile.NODE:
        return found
    home = home_of(plan)
    cache = [PurePosixPath(home) / ".cache"] if home else []
    more = map(PurePosixPath, plan.systemd.read_write_paths.value)
    return [bench / "sites", bench / "logs", bench / "config", *cache, *more, *found]


def _lies_in(path: PurePosixPath, folders: tuple[PurePosixPath, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
