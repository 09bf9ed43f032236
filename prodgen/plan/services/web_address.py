"""Where the web tier listens, and where the proxy finds it: a port, or a unix socket."""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import error, note, warning
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import BenchDefaults, PlanContext
from prodgen.plan.core.model import Address
from prodgen.plan.core.procfile_line import LineKind, ProcfileLine
from prodgen.plan.services.environment import honcho_port, variable_of_line
from prodgen.provenance import At, Kind, Origin, Sourced, default

LOOPBACK = "127.0.0.1"
EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - what they mean for a client
BIND_OPTIONS = ("-b", "--bind")
SET_PORT = "add `web: {{port: {}}}` to prodgen.yaml for this port, or another"
HOST_AND_PORT = r"(?:\[([^\]]*)\]|([^:\[\]]*)):([0-9]{1,5})"
ANYBODYS = tuple(PurePosixPath(path) for path in ("/tmp", "/var/tmp", "/dev/shm"))  # noqa: S108


class Bound(NamedTuple):
    """The address to listen on, and the one that the proxy connects to."""

    listen: Sourced[Address]
    reached: Sourced[Address]


def parse_address(text: str) -> Address | None:
    """`HOST:PORT` or `unix:PATH` as Gunicorn writes them (gunicorn/util.py, parse_address)."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        return Address(path=re.sub("^/+", "/", path)) if path else None
    found = re.fullmatch(HOST_AND_PORT, text)
    if not found or not 0 < int(found[3]) < 65536:
        return None
    host = found[1] or found[2] or "0.0.0.0"  # noqa: S104 - what Gunicorn takes it for
    return Address(LOOPBACK if host == "localhost" else host, int(found[3]))


def reachable_address(listen: Sourced[Address]) -> Sourced[Address]:
    """Where a client on this machine connects to."""
    host = EVERYWHERE.get(listen.value.host)
    if host is None:
        return listen
    return listen.derive(Address(host, listen.value.port), "as a client on this machine names it")


def plan_address(context: PlanContext, defaults: BenchDefaults, line: ProcfileLine) -> Bound:
    """The address for Frappe's web tier; what cannot be safe is reported."""
    settings = context.bench.settings
    chosen = settings.text("web", "bind") or (
        None if settings.integer("web", "port") else _socket_of_line(context, defaults, line)
    )
    if chosen is None:
        port = _port(context, line)
        listen = port.derive(Address(LOOPBACK, port.value), "only nginx reaches it")
        return Bound(listen, listen)
    address = parse_address(chosen.value)
    if address is None or not (address.path or _is_numeric(address.host)):
        _refuse(context, chosen, "expected ADDRESS:PORT with a numeric address, or unix:/run/NAME")
        address = Address(LOOPBACK, rules.WEB_PORT)
    if address.path:
        _check_path(context, defaults, chosen, address.path)
    elif not ipaddress.ip_address(address.host).is_loopback:
        context.report(
            warning(
                "PG661",
                f"the web tier listens on {address}, where others than nginx may reach it",
                chosen.location,
                "let a firewall keep them out: they could name any site and any client address",
            )
        )
    listen = Sourced(address, chosen.origin)
    return Bound(listen, reachable_address(listen))


def bind_argument(words: tuple[str, ...]) -> str:
    """The first bind address among Gunicorn's arguments; empty if there is none."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word in BIND_OPTIONS:
            return words[index + 1] if index + 1 < len(words) else ""
        if equals and name == "--bind":
            return value
        if word.startswith("-b") and len(word) > len("-b"):
            return word.removeprefix("-b")
    return ""


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse(context: PlanContext, chosen: Sourced[str], words: str) -> None:
    context.report(
        error("PG660", f"the web cannot listen on `{chosen.value}`", chosen.location, words)
    )


def _check_path(
    context: PlanContext, defaults: BenchDefaults, chosen: Sourced[str], path: str
) -> None:
    """Root makes the socket and gives it away, so nobody else may put a link in its place."""
    scope = context.bench.settings.text("systemd", "scope")
    if not path.startswith("/"):
        _refuse(context, chosen, "a socket needs an absolute path, like unix:/run/NAME")
        return
    own = () if scope and scope.value == "user" else (defaults.path.value, defaults.home.value)
    place = PurePosixPath(path)
    if ".." in place.parts or any(place.is_relative_to(one) for one in (*own, *ANYBODYS)):
        name = f"{defaults.name.value}-web.sock"
        _refuse(context, chosen, f"others than root can write there; unix:/run/{name} is safe")


def _socket_of_line(
    context: PlanContext, defaults: BenchDefaults, line: ProcfileLine
) -> Sourced[str] | None:
    """The socket that a Gunicorn of the Procfile binds to; of another address a word is said."""
    if line.kind is not LineKind.GUNICORN:
        return None
    written = bind_argument(line.command.argv[1:])
    place = line.entry.command_location
    address = parse_address(written)
    if address and address.path:
        path = defaults.path.value / address.path
        text = f"--bind of `{line.name}`"
        return Sourced(f"unix:{path}", Origin(Kind.FILE, text, At(place)))
    if address and address.host not in (LOOPBACK, "::1"):
        context.report(
            warning(
                "PG662",
                f"the web listens on {LOOPBACK}, not on {address.host} as `{line.name}` says",
                place,
                "nginx answers for it; `web: {bind: …}` in prodgen.yaml names another address",
            )
        )
    return None


def _port(context: PlanContext, line: ProcfileLine) -> Sourced[int]:
    chosen = context.bench.settings.integer("web", "port")
    if chosen:
        return chosen
    configured = context.bench.common.integer("webserver_port")
    in_line = _port_of_line(context, line)
    if in_line is None:
        return configured or default(rules.WEB_PORT, "bench's own port")
    if configured is None:
        return in_line
    if configured.value != in_line.value and configured.location:
        context.report(
            warning(
                "PG601",
                f"the port {in_line.value} of `{line.name}` is not the webserver_port "
                f"{configured.value}, which wins",
                in_line.location,
                "make the two agree",
                (("webserver_port", configured.location),),
            )
        )
    return configured


def _port_of_line(context: PlanContext, line: ProcfileLine) -> Sourced[int] | None:
    """`bench serve --port N`, or the port that a Gunicorn is told to bind to."""
    place = line.entry.command_location
    if line.kind is LineKind.GUNICORN:
        address = parse_address(bind_argument(line.command.argv[1:]))
        if address is None or address.path:
            return None
        return Sourced(address.port, Origin(Kind.FILE, f"--bind of `{line.name}`", At(place)))
    written = line.options.get("port", "")
    if not written.isascii() or not written.isdigit():
        return _port_of_variable(context, line, written)
    found = Sourced(int(written), Origin(Kind.FILE, f"--port of `{line.name}`", At(place)))
    if not 0 < found.value < 65536:
        context.report(
            error(
                "PG602",
                f"`{line.name}` names the port {written}",
                found.location,
                "expected a whole number from 1 to 65535",
            )
        )
    return found


def _port_of_variable(
    context: PlanContext, line: ProcfileLine, written: str
) -> Sourced[int] | None:
    """`--port $PORT`: what the variable has, or would have under Honcho; None if unknown."""
    named = re.match(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", written)
    if named is None:
        return None
    place = line.entry.command_location
    given = variable_of_line(context, line, named[1])
    if given and re.fullmatch("[0-9]{1,5}", given.value) and 0 < int(given.value) < 65536:
        return Sourced(int(given.value), given.origin)
    if context.bench.common.integer("webserver_port"):
        return None
    if named[1] == "PORT" and given is None:
        port = honcho_port(line)
        why = f"the port of `{line.name}` is {port}, as Honcho would give it"
        context.report(note("PG618", f"{why} (`{written}`)", place, SET_PORT.format(port)))
        return Sourced(port, Origin(Kind.FILE, f"PORT of `{line.name}` under Honcho", At(place)))
    message = f"the port of `{line.name}` is left to the environment (`{written}`)"
    context.report_line(
        line.name, warning("PG618", message, place, SET_PORT.format(rules.WEB_PORT))
    )
    return None


def refuse_shared_folder(context: PlanContext, socket: Sourced[str], key: str) -> None:
    """A warning for a socket in a folder where everyone may write."""
    if any(PurePosixPath(socket.value).is_relative_to(folder) for folder in ANYBODYS):
        context.report(
            warning(
                "PG629",
                f"{key} is the socket {socket.value}: others can take its place, and in the "
                "sandbox of systemd each service has a folder of its own there",
                socket.location,
                "put it into the bench's config/, or below /run",
            )
        )
