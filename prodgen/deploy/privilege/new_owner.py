"""Whether a bench of root's may be given to the user that its services shall run as."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from prodgen.deploy.privilege.admission import NotAdmitted, of_root
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import Door, in_danger
from prodgen.host.run_as import Identity, acting_as, identity_named
from prodgen.host.trust import danger_on_way
from prodgen.plan.core.model import Plan
from prodgen.provenance import Kind
from prodgen.review.core.source_lines import place_of


def new_owner(door: Door, plan: Plan, folder: Path, settings: Path) -> Identity:
    """The user that a bench of root's goes to: the one that `settings`, a prodgen.yaml, names.

    `folder` is the bench whose files were read. Raises NotAdmitted if none is named by a file
    of root's alone, or if the bench would be of no use to that user.
    """
    who = identity_named(plan.user.value)
    if plan.user.origin.kind is not Kind.SETTINGS or who is None or who.is_root:
        raise NotAdmitted([of_root(door, plan)])
    found = _elsewhere(door, plan, folder) or _objection(door, plan, settings, who)
    if found:
        raise NotAdmitted([found])
    return who


def _elsewhere(door: Door, plan: Plan, folder: Path) -> Diagnostic | None:
    """The error where the bench that was read is a checkout of the one that runs."""
    if Path(os.path.realpath(folder)) == door.path:
        return None
    return error(
        "PG821",
        f"the bench {door.path} belongs to root, and was not read: {folder} was",
        place_of(plan.bench.origin),
        f"prodgen adopt -C {shlex.quote(str(door.path))}",
    )


def _objection(door: Door, plan: Plan, settings: Path, who: Identity) -> Diagnostic | None:
    if door.danger:
        is_own = door.danger.place.lstat().st_uid == who.uid
        return _in_own_folder(door, plan) if is_own else in_danger(door.danger)
    danger = danger_on_way(settings)
    if danger:
        message = f"{danger}, and with it say whom the bench goes to"
        return error("PG821", message, place_of(plan.user.origin), danger.fix)
    closed = _closed_folder(door.path, who)
    return _out_of_reach(door, plan, closed) if closed else None


def _in_own_folder(door: Door, plan: Plan) -> Diagnostic:
    """The error for a bench in a folder of its user's, who could put any folder of root's there."""
    user = plan.user.value
    command = f"chown -R --no-dereference {shlex.quote(user)}: {shlex.quote(str(door.path))}"
    return error(
        "PG821",
        f"{door.danger}, and put another folder of root's in the place of the bench",
        place_of(plan.user.origin),
        f"look at what is in {door.path}, give it to {user} yourself (`{command}`), and adopt then",
    )


def _closed_folder(bench: Path, who: Identity) -> Path | None:
    """The first folder above the bench that a user cannot enter."""
    with acting_as(who):
        above = reversed(bench.parents)
        return next((one for one in above if not _may_enter(one)), None)


def _may_enter(folder: Path) -> bool:
    return os.access(folder, os.X_OK, effective_ids=True)


def _out_of_reach(door: Door, plan: Plan, closed: Path) -> Diagnostic:
    user = plan.user.value
    home = identity_named(user)
    target = shlex.quote(home.home if home else "/home")
    return error(
        "PG821",
        f"{user} cannot enter {closed}, which is above the bench {door.path}",
        place_of(plan.user.origin),
        f"move the bench: `mv {shlex.quote(str(door.path))} {target}/`; its env/ holds the old "
        "path, so make that anew there (`bench setup env`)",
    )


def unreachable_python(door: Door, who: Identity) -> str:
    """The Python of the bench if the user cannot run it; else empty.

    A version manager of root's keeps its interpreters below /root.
    """
    python = door.path / "env/bin/python"
    if not os.path.lexists(python):
        return ""
    real = os.path.realpath(python)
    with acting_as(who):
        return "" if os.access(real, os.X_OK, effective_ids=True) else real
