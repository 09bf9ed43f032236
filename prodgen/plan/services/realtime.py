"""The realtime server (Socket.IO) by node or python, and the scheduler: one process each."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import error, note, warning
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import BenchDefaults, PlanContext, base_environment, make_service
from prodgen.plan.core.model import Address, Restart, Role, Service, Stop
from prodgen.plan.core.procfile_line import LineKind, ProcfileLine
from prodgen.plan.core.python_module import frappe_command, run_module
from prodgen.plan.services.environment import variable_of_line
from prodgen.plan.services.web_address import refuse_shared_folder
from prodgen.provenance import At, Kind, Origin, Sourced, default

LOOPBACK = "127.0.0.1"
ASKED = ("queue", "cache", "socketio")
"""Redis servers that realtime talks to: the last one in Frappe 13 and 14."""


class Realtime(NamedTuple):
    """The service, and the address that the proxy sends websockets to."""

    service: Service
    address: Sourced[Address]


def plan_realtime(
    context: PlanContext,
    defaults: BenchDefaults,
    lines: list[ProcfileLine],
    node: Sourced[PurePosixPath] | None,
) -> Realtime | None:
    """The realtime server for the first line that runs one; None where there is none."""
    line = _line(context, lines)
    if line is None:
        return None
    origin = Origin(Kind.FILE, f"the Procfile's process `{line.name}`", At(line.entry.location))
    backend = _python_backend(context)
    if backend:
        _check_backend(context, backend)
        python = defaults.in_env("python")
        words = run_module(python.value, "frappe.realtime.server", context.python_versions)
        argv = python.derive(words, "socketio_backend is python", backend)
    else:
        program = node or default(PurePosixPath("/usr/bin/node"), "where packages put it")
        script = defaults.path.value / "apps/frappe/socketio.js"
        words = (str(program.value), str(script))
        argv = program.derive(words, "Frappe's own server", Sourced(line.name, origin))
    made = make_service(
        defaults,
        "node-socketio",
        Role.REALTIME,
        "realtime server",
        argv,
        stop=default(Stop("TERM", rules.REALTIME_STOP), "it ends at once; clients reconnect"),
        log="node-socketio",
        directory=defaults.path,
        environment=_environment(context, defaults),
        after=tuple(f"{defaults.name.value}-redis-{kind}" for kind in ASKED),
    )
    address = _address(context, defaults, line)
    return Realtime(made._replace(address=address), address)


def _python_backend(context: PlanContext) -> Sourced[str] | None:
    """`socketio_backend` where it asks for the server in Python."""
    backend = context.bench.common.text("socketio_backend")
    return backend if backend and backend.value == "python" else None


def _check_backend(context: PlanContext, backend: Sourced[str]) -> None:
    """A word where Frappe has no such server, or where apps/frappe is not here to see it."""
    if context.bench.has_python_realtime:
        return
    report = error if context.frappe and not context.is_frappe(rules.PYTHON_REALTIME) else warning
    context.report(
        report(
            "PG634",
            "socketio_backend is python, and apps/frappe/frappe/realtime/server.py is not there",
            backend.location,
            "take socketio_backend out, so that node runs it, or update Frappe",
        )
    )


def _line(context: PlanContext, lines: list[ProcfileLine]) -> ProcfileLine | None:
    """The line that runs the realtime server, unless prodgen.yaml says that none runs."""
    wanted = context.bench.settings.flag("realtime", "enabled")
    if wanted and not wanted.value:
        return None
    return next((line for line in lines if line.kind is LineKind.REALTIME), None)


def find_node(context: PlanContext, lines: list[ProcfileLine]) -> Sourced[PurePosixPath] | None:
    """The node of the host that runs the bench; None where nothing needs one.

    A path in the Procfile is that of a developer's machine: the host's own fact decides.
    """
    line = _line(context, lines)
    if line is None or _python_backend(context):
        return None
    fallback = default(PurePosixPath("/usr/bin/node"), "where packages put it")
    node = context.fact("node", fallback)
    if node is fallback and not context.locked:
        context.report(
            warning(
                "PG630",
                "no node on this machine; the realtime server will not start",
                line.entry.command_location,
                "install node, or name its path as `host: {node: …}` in prodgen.yaml",
            )
        )
    written = line.command.argv[0] if line.command.argv else ""
    if (
        written.startswith("/")
        and written.endswith(("node", "nodejs"))
        and written != str(node.value)
    ):
        context.report(
            note(
                "PG631",
                f"the realtime server runs with {node.value}, not with {written}",
                line.entry.command_location,
            )
        )
    return node


def _environment(
    context: PlanContext, defaults: BenchDefaults
) -> Sourced[tuple[tuple[str, str], ...]] | None:
    """The chosen port as Frappe 15 and newer read it (node_utils.js); None where none is chosen."""
    port = context.bench.settings.integer("realtime", "port")
    if port is None:
        return None
    is_old = context.frappe and not context.is_frappe(rules.REALTIME_ON_QUEUE)
    if is_old or _python_backend(context):
        who = "this Frappe" if is_old else "realtime in Python"
        context.report(
            error(
                "PG633",
                f"{who} reads the port of realtime from sites/common_site_config.json only",
                port.location,
                f"set socketio_port to {port.value} there, and leave realtime.port out",
            )
        )
    pairs = dict(base_environment(defaults)) | {"FRAPPE_SOCKETIO_PORT": str(port.value)}
    return port.derive(tuple(sorted(pairs.items())), "Frappe reads the port from there")


def _address(context: PlanContext, defaults: BenchDefaults, line: ProcfileLine) -> Sourced[Address]:
    """Where the realtime server listens: by its environment, which it reads last, or by files."""
    common = context.bench.common
    socket = _from_environment(context, line, "FRAPPE_SOCKETIO_UDS") or common.text("socketio_uds")
    if socket and context.is_frappe(rules.REALTIME_SOCKET):
        folder = defaults.sites if _python_backend(context) else defaults.path
        refuse_shared_folder(context, socket, "socketio_uds")
        return socket.derive(Address(path=str(folder.value / socket.value)), "a unix socket")
    port = _port_of_environment(context, line) or common.integer("socketio_port")
    if port is None:
        late = context.is_frappe(rules.REALTIME_ON_QUEUE) or not context.frappe
        port = default(9000 if late else 3000, "Frappe's own default")
    return port.derive(Address(LOOPBACK, port.value), "on this machine")


def _from_environment(context: PlanContext, line: ProcfileLine, name: str) -> Sourced[str] | None:
    """A variable of the realtime server; Frappe before 15, and Python's server, read none."""
    is_old = context.frappe and not context.is_frappe(rules.REALTIME_ON_QUEUE)
    if is_old or _python_backend(context):
        return None
    found = variable_of_line(context, line, name)
    return found if found and found.value else None


def _port_of_environment(context: PlanContext, line: ProcfileLine) -> Sourced[int] | None:
    """The port by the variable before the command, by `realtime.port`, or by `env:`."""
    chosen = context.bench.settings.integer("realtime", "port")
    given = _from_environment(context, line, "FRAPPE_SOCKETIO_PORT")
    if given is None or (chosen and given.origin.kind is Kind.SETTINGS):
        return chosen
    if re.fullmatch("[0-9]{1,5}", given.value) and 0 < int(given.value) < 65536:
        return Sourced(int(given.value), given.origin)
    context.report(
        error(
            "PG602",
            f"FRAPPE_SOCKETIO_PORT of `{line.name}` is `{given.value}`",
            given.location,
            "expected a whole number from 1 to 65535",
        )
    )
    return chosen


def plan_scheduler(
    context: PlanContext, defaults: BenchDefaults, lines: list[ProcfileLine]
) -> Service | None:
    """The one scheduler; None where the Procfile has none."""
    lines = [line for line in lines if line.kind is LineKind.SCHEDULE]
    if not lines:
        return None
    for extra in lines[1:]:
        context.report(
            warning(
                "PG632",
                f"a second scheduler, `{extra.name}`",
                extra.entry.location,
                "remove one; this second one is left out, since two would run every event twice",
            )
        )
    python = defaults.in_env("python")
    origin = Origin(Kind.FILE, f"the Procfile's `{lines[0].name}`", At(lines[0].entry.location))
    return make_service(
        defaults,
        "frappe-schedule",
        Role.SCHEDULER,
        "scheduler",
        python.derive(
            (*frappe_command(python.value, context.python_versions), "schedule"),
            "what `bench schedule` becomes, without bench in between",
            Sourced(lines[0].name, origin),
        ),
        stop=default(Stop("TERM", rules.SCHEDULER_STOP), "it ends at once"),
        log="schedule",
        restart=Restart.DELAYED,
        after=tuple(f"{defaults.name.value}-redis-{kind}" for kind in ("queue", "cache")),
    )
