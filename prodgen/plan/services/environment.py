"""Variables of prodgen.yaml, and those before a command of Frappe's (`A=1 bench worker`): what it
becomes gets them too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prodgen.diagnostics import error, note
from prodgen.plan.core.context import PlanContext, merge_environment
from prodgen.plan.core.model import Role, Service
from prodgen.plan.core.procfile_line import KEPT_KINDS, LineKind, ProcfileLine
from prodgen.provenance import At, Kind, Origin, Sourced, default

Pairs = tuple[tuple[str, str], ...]

MAC = "OBJC_DISABLE_INITIALIZE_FORK_SAFETY"
MAC_ONLY = frozenset({(MAC, "YES"), ("NO_PROXY", "*")})
"""What bench writes on macOS (bench/config/templates/Procfile); a job may need its proxy."""
ONE_LINE = {
    Role.WEB: (LineKind.SERVE, LineKind.GUNICORN),
    Role.REALTIME: (LineKind.REALTIME,),
    Role.SCHEDULER: (LineKind.SCHEDULE,),
}
"""Roles for which the first line of these kinds counts."""
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


def with_variables(
    context: PlanContext, lines: Sequence[ProcfileLine], services: Sequence[Service]
) -> list[Service]:
    """Frappe's services with what their lines set."""
    variables = {line.name: _kept(context, line) for line in lines if line.kind not in KEPT_KINDS}
    made = []
    for one in services:
        for line in _lines_of(one, lines):
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


def _lines_of(one: Service, lines: Sequence[ProcfileLine]) -> list[ProcfileLine]:
    """The lines that the service was made of."""
    role = one.role.value
    if role in ONE_LINE:
        return [line for line in lines if line.kind in ONE_LINE[role]][:1]
    if role is Role.WORKER:
        queues = tuple(queue.name for queue in one.queues.value)
        workers = [line for line in lines if line.kind is LineKind.WORKER]
        own = [line for line in workers if line.queues == queues]
        return own or [line for line in workers if not line.queues]
    if role is Role.OTHER:
        pools = (line for line in lines if line.kind is LineKind.WORKER_POOL)
        return [line for line in pools if one.name.value.endswith(f"-frappe-{line.name}")]
    conf = one.name.value.rpartition("-redis-")[2]
    return [line for line in lines if line.options.get("conf") == f"redis_{conf}"]


def _with(one: Service, line: ProcfileLine, pairs: Pairs) -> Service:
    place = At(line.entry.command_location)
    origin = Origin(Kind.FILE, f"the Procfile's process `{line.name}`", place)
    merged = merge_environment(one.environment.value, pairs)
    environment = one.environment.derive(
        merged, f"and what stands before the command of `{line.name}`", Sourced(pairs, origin)
    )
    return one._replace(environment=environment)
