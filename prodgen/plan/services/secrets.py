"""Secrets: the file on the host that hands them to the services, and none anywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from prodgen.diagnostics import Diagnostic, Location, error, note, warning
from prodgen.inputs.procfile.parser import ProcfileEntry
from prodgen.inputs.redact.patterns import (
    ASSIGNED,
    OPTION,
    USER_INFO,
    has_secret_name,
    is_secret_variable,
)
from prodgen.plan.core.context import BenchDefaults, PlanContext
from prodgen.plan.core.model import Role, Service
from prodgen.plan.core.procfile_line import LineKind, ProcfileLine
from prodgen.provenance import Sourced

DOTENV = ".env"
WITHOUT_SECRETS = frozenset({Role.CACHE, Role.QUEUE})
"""Redis reads no variables, and what it does not need it shall not have."""
WAY_OUT = "write it into the file that `env_file` in prodgen.yaml names; `prodgen explain PG408`"


def with_env_file(
    context: PlanContext, defaults: BenchDefaults, services: Sequence[Service]
) -> list[Service]:
    """The services, each with the file that it reads at its start, if prodgen.yaml names one."""
    given = context.bench.settings.text("env_file")
    _mention(context, given)
    if given is None:
        return list(services)
    path = Sourced(defaults.path.value / given.value, given.origin)
    return [
        one if one.role.value in WITHOUT_SECRETS else one._replace(env_file=path)
        for one in services
    ]


def _mention(context: PlanContext, given: Sourced[str] | None) -> None:
    """What Honcho gives the processes and nobody else does, and what nobody has looked at."""
    dotenv = context.bench.dotenv
    if dotenv and (given is None or PurePosixPath(given.value) != PurePosixPath(DOTENV)):
        names = ", ".join(sorted({variable.name for variable in dotenv}))
        context.report(
            warning(
                "PG608",
                f".env is for development: in production no process gets {names}",
                dotenv[0].location,
                "with `env_file: .env` in prodgen.yaml the services read it; put what is no secret "
                "under `env:`",
            )
        )
    if given and not context.bench.env_file_read:
        context.report(
            note(
                "PG609",
                f"{given.value} is not here, or not for you to read: its lines are not checked",
                given.location,
                "the services read it at their start; a missing file starts none of them",
            )
        )


def refuse_secrets(context: PlanContext, lines: Sequence[ProcfileLine]) -> None:
    """An error for a secret before a command, and a warning for one in it."""
    for line in lines:
        if line.kind is not LineKind.DEVELOPMENT:
            context.findings += _in_command(line.entry)


def _in_command(entry: ProcfileEntry) -> Iterator[Diagnostic]:
    """The error for an assignment, and the warning for an argument, that holds a secret."""
    command, place = entry.command, _without_text(entry.command_location)
    for key, value in command.environment:
        if is_secret_variable(key, value):
            yield _in_sight(f"`{key}` of the process `{entry.name}`", place)
    words = " ".join(command.argv) or command.text
    named = has_secret_name(words)
    every = re.finditer(ASSIGNED, words) if named else ()
    assigned = [found for found in every if not _is_reference(found)]
    if command.needs_shell and assigned:
        yield _in_sight(f"an assignment of the process `{entry.name}`", place)
    elif assigned or (named and re.search(OPTION, words)) or re.search(USER_INFO, words):
        yield warning(
            "PG409",
            f"the process `{entry.name}` seems to get a secret as an argument",
            place,
            "let the program read it from a variable of `env_file`, or from a file of its own",
        )


def _is_reference(found: re.Match[str]) -> bool:
    """Whether the value is another variable's, as in `TOKEN=$OTHER`."""
    return found[found.lastgroup or 0].startswith("$")


def _without_text(place: Location) -> Location:
    """The place without its line, in which the secret stands."""
    return place._replace(text="")


def _in_sight(what: str, place: Location) -> Diagnostic:
    return error("PG408", f"{what} looks like a secret, and artifacts hold none", place, WAY_OUT)
