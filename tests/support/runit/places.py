"""Where the programs are installed."""

from __future__ import annotations

from pathlib import PurePosixPath

from prodgen.targets.core.places import Places
from tests.support.runit.render import SERVICES


def _is_own(bench: str, path: PurePosixPath) -> bool:
    return path.parent.parent == SERVICES and path.parent.name.startswith(f"{bench}-")


PLACES = Places((SERVICES,), _is_own, searched=((SERVICES, "*/run"),))
