"""The Redis servers: ours only where the bench's own conf file is what the bench connects to."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

from prodgen.diagnostics import Location, error, note, warning
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import BenchDefaults, PlanContext, make_service
from prodgen.plan.core.model import Address, Redis, Role, Service, Stop
from prodgen.plan.core.procfile_line import LineKind, ProcfileLine
from prodgen.provenance import At, Kind, Origin, Sourced, default

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", ""})
STOCK_PORT = 6379
REDIS_SERVER = "redis-server"
UNKNOWN_PORT = 0
"""Of a server whose conf file only the host has."""
MEGABYTE = 1024**2
SCHEMES = ("redis", "rediss", "unix")


class Server(NamedTuple):
    """One Redis that a bench may have."""

    key: str
    """The key of common_site_config.json, and the stem of its conf file."""
    name: str
    role: Role


SERVERS = (
    Server("redis_cache", "redis-cache", Role.CACHE),
    Server("redis_queue", "redis-queue", Role.QUEUE),
    Server("redis_socketio", "redis-socketio", Role.CACHE),
)


def plan_redis(
    context: PlanContext, defaults: BenchDefaults, lines: list[ProcfileLine]
) -> list[Service]:
    """The Redis servers that this bench runs itself."""
    found: list[Service] = []
    started = {line.options["conf"]: line for line in lines if line.kind is LineKind.REDIS}
    urls: set[str] = set()
    ports: set[int] = set()
    for server in SERVERS:
        url = context.bench.common.text(server.key)
        if url and url.value in urls:
            continue
        urls.add(url.value if url else "")
        port = _own_port(context, server, started.get(server.key))
        if port is not None and (port == UNKNOWN_PORT or port not in ports):
            ports.add(port)
            line = started.get(server.key)
            found.append(_service(context, defaults, server, port, line))
    return found


def _own_port(context: PlanContext, server: Server, line: ProcfileLine | None) -> int | None:
    """The port that the bench's own server listens on, or None where it is not ours to run.

    `line` is the one that starts it in the Procfile, if there is one.
    """
    if not _is_read(context, server) or _goes_through_sentinel(context, server):
        return None
    conf = context.bench.redis_confs.get(server.key)
    url = context.bench.common.text(server.key)
    managed = context.bench.settings.flag("redis", "managed")
    if url is None:
        if conf or line is None:
            return (conf.port or None) if conf else None
        return _port_of_host(context, server, line, managed)
    port = _local_port(context, server, url)
    if managed and managed.value:
        return port if _needs_no_password(context, server, url) else None
    if port is None or not _is_served_by(context, server, url, port, line):
        return None
    return port


def _port_of_host(
    context: PlanContext, server: Server, line: ProcfileLine, managed: Sourced[bool] | None
) -> int | None:
    """The Procfile starts it, and neither its URL nor its conf file is here: the host has them."""
    if not (managed and managed.value):
        _report_no_conf(context, server, line.entry.location)
        return UNKNOWN_PORT
    usual = 11000 if server.role is Role.QUEUE else 13000
    context.report(
        error(
            "PG627",
            f"nothing here says on which port {server.key} listens",
            managed.location,
            f'add {server.key} to sites/common_site_config.json, like "redis://127.0.0.1:{usual}"',
        )
    )
    return None


def _report_no_conf(context: PlanContext, server: Server, place: Location | None) -> None:
    context.report(
        warning(
            "PG622",
            f"config/{server.key}.conf is not here: this Redis starts only where the host has it",
            place,
            "run `bench setup redis` there, or let prodgen make it with `redis: {managed: true}`",
        )
    )


def _needs_no_password(context: PlanContext, server: Server, url: Sourced[str]) -> bool:
    """A conf file that prodgen makes is an artifact, and no artifact holds a secret."""
    if "@" not in url.value:
        return True
    context.report(
        error(
            "PG626",
            f"{server.key} needs a password, which a conf file made by prodgen would show",
            url.location,
            "leave redis.managed out and keep the bench's own conf files",
        )
    )
    return False


def _is_read(context: PlanContext, server: Server) -> bool:
    """Frappe 15 and newer publish realtime events through redis_queue (frappe/realtime.py)."""
    return server.key != "redis_socketio" or not context.is_frappe(rules.REALTIME_ON_QUEUE)


def _goes_through_sentinel(context: PlanContext, server: Server) -> bool:
    sentinel = context.bench.common.flag(f"{server.key}_sentinel_enabled")
    if not (sentinel and sentinel.value):
        return False
    message = f"{server.key} goes through Sentinel, so no Redis of the bench runs for it"
    context.report(note("PG624", message, sentinel.location))
    return True


def _local_port(context: PlanContext, server: Server, url: Sourced[str]) -> int | None:
    """The TCP port on this machine that the URL names; None where it is elsewhere or wrong."""
    try:
        parts = urlsplit(url.value)
        port = parts.port or STOCK_PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in SCHEMES or "://" not in url.value:
        context.report(
            error(
                "PG620",
                f"{server.key} is `{_masked(url.value)}`",
                url.location,
                "expected redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH",
            )
        )
        return None
    if parts.scheme != "unix" and (parts.hostname or "") in LOCAL_HOSTS:
        return port
    where = parts.path if parts.scheme == "unix" else parts.hostname
    message = f"{server.key} is at {where}, so no Redis of the bench runs for it"
    context.report(note("PG621", message, url.location))
    return None


def _masked(url: str) -> str:
    """The URL without what stands before its `@`: that may be a password."""
    head, at, tail = url.rpartition("@")
    scheme = head.partition("://")[0] if "://" in head else ""
    return f"{scheme}://***@{tail}" if at else url


def _is_served_by(
    context: PlanContext, server: Server, url: Sourced[str], port: int, line: ProcfileLine | None
) -> bool:
    """Whether the bench's own conf file listens where the URL points; else says what is amiss."""
    conf = context.bench.redis_confs.get(server.key)
    if conf and conf.port == port:
        return True
    if conf:
        way_out = "run `bench setup redis` if it should be the bench's own"
        if port == STOCK_PORT and conf.port:
            own = f"redis://127.0.0.1:{conf.port}"
            way_out = f"if the machine's own Redis is not meant, set {server.key} to {own}"
        context.report(
            warning(
                "PG623",
                f"{server.key} is at port {port}, but {conf.name} listens on {conf.port}; "
                "the bench's own Redis is left out",
                url.location,
                way_out,
                (("its port", conf.location),),
            )
        )
    elif port == STOCK_PORT:
        context.report(
            note("PG625", f"{server.key} is the machine's own Redis, on port {port}", url.location)
        )
    elif line:
        _report_no_conf(context, server, url.location)
        return True
    else:
        context.report(
            warning(
                "PG622",
                f"config/{server.key}.conf is absent, so no Redis will listen on port {port}",
                url.location,
                "run `bench setup redis`",
            )
        )
    return False


def _service(
    context: PlanContext,
    defaults: BenchDefaults,
    server: Server,
    port: int,
    line: ProcfileLine | None,
) -> Service:
    written = line.command.argv[0] if line else REDIS_SERVER
    usual = PurePosixPath("/usr/bin", PurePosixPath(written).name)
    program = context.fact("redis_server", default(usual, "where packages put it"))
    managed = _managed(context, defaults, server, port)
    own = defaults.path.value / "config" / f"{server.key}.conf"
    conf = managed.conf if managed else defaults.path.derive(own, "the bench's own conf file")
    made = make_service(
        defaults,
        server.name,
        server.role,
        f"Redis, {server.name.removeprefix('redis-')}",
        program.derive((str(program.value), str(conf.value)), "with its conf file", conf),
        stop=default(Stop("TERM", rules.REDIS_STOP), "Redis saves its data before it ends"),
        log=server.name,
        directory=defaults.path,
    )
    origin = Origin(
        Kind.FILE, f"port in config/{server.key}.conf", At(_conf_place(context, server))
    )
    address = Sourced(Address("127.0.0.1", port), managed.port.origin if managed else origin)
    return made._replace(address=None if port == UNKNOWN_PORT else address, redis=managed)


def _managed(
    context: PlanContext, defaults: BenchDefaults, server: Server, port: int
) -> Redis | None:
    """The settings of a server whose conf file prodgen makes; None where bench's own is used."""
    wanted = context.bench.settings.flag("redis", "managed")
    if not (wanted and wanted.value):
        return None
    url = context.bench.common.text(server.key)
    queue = server.role is Role.QUEUE
    return Redis(
        conf=defaults.config_folder.derive(
            defaults.config_folder.value / f"{server.key}.conf", "redis.managed is true", wanted
        ),
        port=url.derive(port, "the port of the URL") if url else default(port, "of its conf file"),
        data_folder=defaults.path.derive(
            defaults.path.value / "config/pids", "where bench keeps Redis data"
        ),
        keeps_data=default(queue, "jobs must outlive a restart, a cache need not"),
        maxmemory=None if queue else _maxmemory(context),
    )


def _maxmemory(context: PlanContext) -> Sourced[int]:
    """Megabytes of the cache: chosen, or a twentieth of the memory as bench has it."""
    given = context.bench.common.integer("cache_maxmemory")
    if given:
        return given
    memory = context.fact("memory", default(2048 * MEGABYTE, "a small machine"))
    share = memory.value // 20 // MEGABYTE
    return memory.derive(max(share, rules.SMALLEST_CACHE), "a twentieth of the memory")


def _conf_place(context: PlanContext, server: Server) -> Location:
    conf = context.bench.redis_confs.get(server.key)
    return conf.location if conf else Location(f"config/{server.key}.conf")
