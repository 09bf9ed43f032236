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
from prodgen.plan.services.web_address import refuse_shared_folder
from prodgen.provenance import At, Kind, Origin, Sourced, default

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", ""})
STOCK_PORT = 6379
REDIS_SERVER = "redis-server"
LOOPBACK = "127.0.0.1"
UNKNOWN = Address(LOOPBACK, 0)
"""Of a server whose conf file only the host has."""
MEGABYTE = 1024**2
ON_THE_HOST = "run `bench setup redis` there"
MANAGED = "add `redis: {managed: true}` to prodgen.yaml, so that prodgen makes it"
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
    _report_eviction(context)
    urls: set[str] = set()
    taken: set[Address] = set()
    for server in SERVERS:
        url = context.bench.common.text(server.key)
        if url and url.value in urls:
            continue
        urls.add(url.value if url else "")
        address = _own_address(context, server, started.get(server.key))
        if address is not None and (address == UNKNOWN or address not in taken):
            taken.add(address)
            line = started.get(server.key)
            found.append(_service(context, defaults, server, address, line))
    return found


def _report_eviction(context: PlanContext) -> None:
    """A warning if cache and queues share a Redis that forgets data when its memory is full."""
    cache = context.bench.common.text("redis_cache")
    queue = context.bench.common.text("redis_queue")
    if not cache or not queue or _server_of(cache.value) != _server_of(queue.value):
        return
    for conf in context.bench.redis_confs.values():
        port, path = _server_of(queue.value)[1:]
        is_it = (port and conf.port == port) or (path and conf.unix_socket == path)
        if conf.evicts and is_it:
            message = (
                f"cache and queues share the Redis of {conf.name}, which forgets data when it is "
                f"full ({conf.evicts}): waiting jobs can be lost"
            )
            advice = "give redis_queue a Redis of its own: `bench setup redis` writes its conf file"
            context.report(warning("PG628", message, queue.location, advice))
            return


def _server_of(url: str) -> tuple[str, int, str]:
    """Host, port and socket of a Redis URL; the database is left off."""
    try:
        parts = urlsplit(url)
        port = parts.port or STOCK_PORT
    except ValueError:
        return url, 0, ""
    if parts.scheme == "unix":
        return "", 0, parts.path
    host = parts.hostname or ""
    return ("localhost" if host in LOCAL_HOSTS else host), port, ""


def _own_address(context: PlanContext, server: Server, line: ProcfileLine | None) -> Address | None:
    """Where the bench's own server listens, or None if it is not ours to run.

    `line` is the one that starts it in the Procfile, if there is one.
    """
    if not _is_read(context, server) or _goes_through_sentinel(context, server):
        return None
    conf = context.bench.redis_confs.get(server.key)
    url = context.bench.common.text(server.key)
    managed = context.bench.settings.flag("redis", "managed")
    if url is None:
        if conf or line is None:
            return Address(LOOPBACK, conf.port) if conf and conf.port else None
        return _address_of_host(context, server, line, managed)
    is_managed = bool(managed and managed.value)
    path = _server_of(url.value)[2]
    if path and not is_managed and conf and conf.unix_socket == path:
        refuse_shared_folder(context, Sourced(path, url.origin), server.key)
        return Address(path=path)
    port = _local_port(context, server, url)
    if is_managed:
        is_ours = port is not None and _needs_no_password(context, server, url)
    else:
        is_ours = port is not None and _is_served_by(context, server, url, port, line)
    return Address(LOOPBACK, port) if is_ours and port is not None else None


def _address_of_host(
    context: PlanContext, server: Server, line: ProcfileLine, managed: Sourced[bool] | None
) -> Address | None:
    """The Procfile starts it, and neither its URL nor its conf file is here: the host has them."""
    if not (managed and managed.value):
        _report_no_conf(context, server, line.entry.location, ON_THE_HOST)
        return UNKNOWN
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


def _report_no_conf(
    context: PlanContext, server: Server, place: Location | None, way_out: str
) -> None:
    context.report(
        warning(
            "PG622",
            f"config/{server.key}.conf is not here: this Redis starts only where the host has it",
            place,
            way_out,
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
                "write the URL itself: Frappe fills in no variables"
                if "$" in url.value
                else "expected redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH",
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
    elif any(other.port == port for other in context.bench.redis_confs.values()):
        return False  # it shares the Redis of another key, which runs for that one
    elif port == STOCK_PORT:
        context.report(
            note("PG625", f"{server.key} is the machine's own Redis, on port {port}", url.location)
        )
    elif line:
        _report_no_conf(context, server, url.location, f"{ON_THE_HOST}, or {MANAGED}")
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
    own_address: Address,
    line: ProcfileLine | None,
) -> Service:
    written = line.command.argv[0] if line else REDIS_SERVER
    usual = PurePosixPath("/usr/bin", PurePosixPath(written).name)
    program = context.fact("redis_server", default(usual, "where packages put it"))
    managed = _managed(context, defaults, server, own_address.port)
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
    what = "unixsocket" if own_address.path else "port"
    origin = Origin(
        Kind.FILE, f"{what} in config/{server.key}.conf", At(_conf_place(context, server))
    )
    address = Sourced(own_address, managed.port.origin if managed else origin)
    return made._replace(address=None if own_address == UNKNOWN else address, redis=managed)


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
