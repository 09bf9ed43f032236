"""Where root installs the bench's programs for Supervisor."""

from __future__ import annotations

from pathlib import PurePosixPath

from prodgen.host.facts import DEBIAN_PROGRAMS, RED_HAT_PROGRAMS
from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from prodgen.targets.core.places import Places
from prodgen.targets.supervisor.groups import ending_in

FOLDERS = (DEBIAN_PROGRAMS, RED_HAT_PROGRAMS)


def _is_own(bench: str, path: PurePosixPath) -> bool:
    """`-own` has what `adopt` keeps of a user's own."""
    ending = ending_in(path.parent)
    return path.parent in FOLDERS and path.name in {f"{bench}{ending}", f"{bench}-own{ending}"}


def _chosen(plan: Plan) -> Sourced[PurePosixPath]:
    return plan.supervisor.folder


PLACES = Places(
    FOLDERS,
    _is_own,
    searched=tuple((one, f"*{ending_in(one)}") for one in FOLDERS),
    chosen=_chosen,
    setting="host: {supervisor_folder: ...}",
)
