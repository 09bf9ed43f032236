"""The processes of a bench: those of its Procfile, as prodgen.yaml changes them."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.diagnostics import Location, error
from prodgen.inputs.procfile.parser import ProcfileEntry
from prodgen.inputs.procfile.shell_command import Command, parse_command
from prodgen.plan.core.context import PlanContext
from prodgen.plan.core.line_table import OTHER
from prodgen.plan.core.model import LeftOut
from prodgen.plan.core.procfile_line import STARTS_NOTHING, ProcfileLine, classify_line

NOWHERE = Location("prodgen.yaml")


def configured_lines(context: PlanContext) -> list[ProcfileLine]:
    """The classified lines; a command of prodgen.yaml that starts a service is taken at its word.

    Each has the position that Honcho gives it, whatever prodgen.yaml leaves out.
    """
    positions = {entry.name: at for at, entry in enumerate(context.bench.procfile.entries)}
    lines = []
    for entry in configured_entries(context):
        position = positions.setdefault(entry.name, len(positions))
        line = classify_line(entry, position)
        if line.kind in STARTS_NOTHING and _command(context, entry.name):
            line = ProcfileLine(entry, OTHER, entry.command, position=position)
        lines.append(line)
    return lines


def configured_entries(context: PlanContext) -> list[ProcfileEntry]:
    """Procfile entries after `processes:` of prodgen.yaml: `false` removes, `command` replaces."""
    chosen = context.bench.settings.table("processes")
    written = {entry.name: entry for entry in context.bench.procfile.entries}
    kept = [
        entry._replace(command=_command(context, name) or entry.command)
        for name, entry in written.items()
        if chosen.get(name) is not False
    ]
    return [*kept, *_added(context, written)]


def excluded_processes(context: PlanContext) -> Iterator[LeftOut]:
    """Processes that `processes: {NAME: false}` in prodgen.yaml leaves out."""
    for name, wanted in context.bench.settings.table("processes").items():
        if wanted is False:
            yield LeftOut(name, f"`processes: {{{name}: false}}` in prodgen.yaml")


def _command(context: PlanContext, name: str) -> Command | None:
    given = context.bench.settings.text("processes", name, "command")
    return parse_command(given.value) if given else None


def _added(context: PlanContext, written: dict[str, ProcfileEntry]) -> Iterator[ProcfileEntry]:
    """Processes that only prodgen.yaml has."""
    settings = context.bench.settings
    for name, wanted in settings.table("processes").items():
        if name in written or not isinstance(wanted, dict):
            continue
        place = settings.sourced(name, "processes", name).location or NOWHERE
        command = settings.text("processes", name, "command")
        if command is None:
            context.report(
                error(
                    "PG420",
                    f"the process `{name}` is in no Procfile and has no command",
                    place,
                    "give it a `command`, or correct its name",
                )
            )
            continue
        yield ProcfileEntry(name, parse_command(command.value), place, command.location or place)
