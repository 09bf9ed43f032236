"""Why something is not applied."""

from __future__ import annotations

from typing import NamedTuple

from prodgen.diagnostics import Location


class Objection(NamedTuple):
    """What stands in the way, what would let it, and the input behind it where that is known."""

    what: str
    help: str = ""
    location: Location | None = None
