"""Variables of prodgen.yaml, and those before a command of Frappe's (`A=1 bench worker`): what it
becomes gets them too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from prodgen.diagnostics import error, note
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import PlanContext, merge_environment
from prodgen.plan.core.model import Role, Service
from prodgen.plan.core.procfile_line import KEPT_KINDS, LineKind, ProcfileLine
from prodgen.provenance import At, Kind, Origin, Sourced, default

Pairs = tuple[tuple[str, str], ...]
Key = tuple[str, ...]

MAC = "OBJC_DISABLE_INITIALIZE_FORK_SAFETY"
MAC_ONLY = frozenset({(MAC, "YES"), ("NO_PROXY", "*")})
"""What bench writes on macOS (bench/config/templates/Procfile); a job may need its proxy."""
ROLE_OF_KIND = {
    LineKind.SERVE: Role.WEB,
    LineKind.GUNICORN: Role.WEB,
    LineKind.REALTIME: Role.REALTIME,
    LineKind.SCHEDULE: Role.SCHEDULER,
}
"""Kinds of which the first line counts, and the role of their service."""
CONTROL = r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]"
"""What Supervisor or systemd cannot hold, or both: line ends, and what is not to be seen."""


def given_variables(context: PlanContext, *path: str) -> Sourced[Pairs]:
    """The variables of a table of prodgen.yaml, by default of `env`, which every service gets."""
    path = path or ("env",)
    settings = context.bench.settings
    given = settings.table(*path)
    if not given:
        return default((), "prodgen.yaml has no `env`")
    for name, value in given.items():
        if re.search(CONTROL, str(value)):
            place = settings.sourced(value, *path, name).location
            what = f"no service can get this in `{name}`: a line break or a control character"
            context.report(error("PG701", what, place, "let the program read it from a file"))
    pairs = tuple(sorted((name, str(value)) for name, value in given.items()))
    return settings.sourced(pairs, *path)


def honcho_port(line: ProcfileLine) -> int:
    """PORT of the process under Honcho."""
    return rules.HONCHO_PORT + rules.HONCHO_STEP * line.position


def variable_of_line(context: PlanContext, line: ProcfileLine, name: str) -> Sourced[str] | None:
    """A variable that the process gets: by its line, by `processes:`, or by `env:`."""
    if name in dict(line.command.environment):
        origin = Origin(Kind.FILE, f"{name} of `{line.name}`", At(line.entry.command_location))
        return Sourced(dict(line.command.environment)[name], origin)
    settings = context.bench.settings
    for path in (("processes", line.name, "environment"), ("env",)):
        if name in settings.table(*path):
            return settings.sourced(str(settings.table(*path)[name]), *path, name)
    return None


def with_variables(
    context: PlanContext, lines: Sequence[ProcfileLine], services: Sequence[Service]
) -> list[Service]:
    """Frappe's services with what their lines set."""
    variables = {line.name: _kept(context, line) for line in lines if line.kind not in KEPT_KINDS}
    index = _lines_by_service(lines)
    made = []
    for one in services:
        for line in _lines_of(one, index):
            if variables.get(line.name):
                one = _with(one, line, variables[line.name])  # noqa: PLW2901 - one after the other
        made.append(one)
    return made


def _kept(context: PlanContext, line: ProcfileLine) -> Pairs:
    """The line's variables, but for those that only a Mac needs."""
    given = line.command.environment
    if MAC not in dict(given):
        return given
    left_out = " ".join(f"{name}={value}" for name, value in given if (name, value) in MAC_ONLY)
    place = line.entry.command_location
    context.report(note("PG607", f"left out: `{left_out}` of `{line.name}` is for macOS", place))
    return tuple(pair for pair in given if pair not in MAC_ONLY)


def _lines_by_service(lines: Sequence[ProcfileLine]) -> Mapping[Key, list[ProcfileLine]]:
    """The lines by what identifies the services that are made of them.

    An index, since a Procfile may have thousands of lines and services.
    """
    index: dict[Key, list[ProcfileLine]] = {}
    for line in lines:
        role = ROLE_OF_KIND.get(line.kind)
        if role:
            index.setdefault((role.value,), [line])
        elif line.kind is LineKind.WORKER:
            index.setdefault((Role.WORKER.value, *line.queues), []).append(line)
        elif line.kind is LineKind.WORKER_POOL:
            index.setdefault((line.kind.name, line.name), []).append(line)
        elif line.kind is LineKind.REDIS:
            index.setdefault((line.kind.name, line.options["conf"]), []).append(line)
    return index


def _lines_of(one: Service, index: Mapping[Key, list[ProcfileLine]]) -> list[ProcfileLine]:
    """The lines that the service was made of."""
    role = one.role.value
    if role is Role.WORKER:
        queues = (queue.name for queue in one.queues.value)
        return index.get((role.value, *queues)) or index.get((role.value,), [])
    if role is Role.OTHER:
        return index.get((LineKind.WORKER_POOL.name, one.log.value), []) if one.queues.value else []
    conf = one.name.value.rpartition("-redis-")[2]
    return index.get((role.value,)) or index.get((LineKind.REDIS.name, f"redis_{conf}"), [])


def _with(one: Service, line: ProcfileLine, pairs: Pairs) -> Service:
    place = At(line.entry.command_location)
    origin = Origin(Kind.FILE, f"the Procfile's process `{line.name}`", place)
    merged = merge_environment(one.environment.value, pairs)
    environment = one.environment.derive(
        merged, f"and what stands before the command of `{line.name}`", Sourced(pairs, origin)
    )
    return one._replace(environment=environment)
