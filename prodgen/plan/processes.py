"""The processes of a bench: those of its Procfile, as prodgen.yaml changes them."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.diagnostics import Location, error
from prodgen.inputs.procfile.parser import Entry
from prodgen.inputs.procfile.shell_command import Command, parse_command
from prodgen.plan.core.context import Desk
from prodgen.plan.core.model import LeftOut

NOWHERE = Location("prodgen.yaml")


def entries(desk: Desk) -> list[Entry]:
    """The processes that run: `processes: {NAME: false}` leaves one out, a command changes it."""
    chosen = desk.bench.settings.table("processes")
    written = {entry.name: entry for entry in desk.bench.procfile.entries}
    kept = [
        entry._replace(command=_command(desk, name) or entry.command)
        for name, entry in written.items()
        if chosen.get(name) is not False
    ]
    return [*kept, *_added(desk, written)]


def excluded(desk: Desk) -> Iterator[LeftOut]:
    """What prodgen.yaml leaves out."""
    for name, wanted in desk.bench.settings.table("processes").items():
        if wanted is False:
            yield LeftOut(name, f"`processes: {{{name}: false}}` in prodgen.yaml")


def _command(desk: Desk, name: str) -> Command | None:
    given = desk.bench.settings.text("processes", name, "command")
    return parse_command(given.value) if given else None


def _added(desk: Desk, written: dict[str, Entry]) -> Iterator[Entry]:
    """Processes that only prodgen.yaml has."""
    settings = desk.bench.settings
    for name, wanted in settings.table("processes").items():
        if name in written or not isinstance(wanted, dict):
            continue
        place = settings.sourced(name, "processes", name).location or NOWHERE
        command = settings.text("processes", name, "command")
        if command is None:
            desk.report(
                error(
                    "PG420",
                    f"the process `{name}` is in no Procfile and has no command",
                    place,
                    "give it a `command`, or correct its name",
                )
            )
            continue
        yield Entry(name, parse_command(command.value), place, command.location or place)
