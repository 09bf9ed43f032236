"""Whether root may act for a bench: for its owner, told by uid, on a path that nobody can swap."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from prodgen.deploy.core.errors import DeployError
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import Door, in_danger
from prodgen.host.run_as import identity_named
from prodgen.host.trust import user_name
from prodgen.plan.core.model import Plan
from prodgen.provenance import Kind
from prodgen.review.core.source_lines import place_of


def bars(door: Door, plan: Plan) -> list[Diagnostic]:
    """Why root may not act for the bench; nothing if it may, or if we are not root."""
    if os.geteuid() != 0:
        return []
    if door.closed:
        return [_unseen(door, plan)]
    if door.owner.is_root:
        return [of_root(door, plan)]
    found = [] if door.is_of(plan.user.value) else [_another(door, plan)]
    return [*found, *([in_danger(door.danger)] if door.danger else [])]


class NotAdmitted(DeployError):
    """Root must not act for a bench; `found` says why."""

    def __init__(self, found: Sequence[Diagnostic]) -> None:
        Exception.__init__(self, found[0].message)
        self.found = tuple(found)


def require_way(source: Door | None) -> None:
    """Raises NotAdmitted if others could swap the way on which a bench of a user's was named."""
    if source and source.danger and not source.owner.is_root:
        raise NotAdmitted([in_danger(source.danger)])


def require_admission(door: Door, plan: Plan) -> None:
    """Raises NotAdmitted where root may not act for the bench."""
    if found := bars(door, plan):
        raise NotAdmitted(found)


def _unseen(door: Door, plan: Plan) -> Diagnostic:
    return error(
        "PG001",
        f"the bench {door.path} cannot be seen: {door.closed}",
        place_of(plan.bench.origin),
        "correct `host: {path: ...}` in prodgen.yaml, or run it on the bench's host",
    )


def of_root(door: Door, plan: Plan) -> Diagnostic:
    """The error for a bench that is root's own, with the way on."""
    user = plan.user.value
    named = identity_named(user)
    name = user if named and not named.is_root else "USER"
    way_out = f"set `user: {name}` in prodgen.yaml, then `prodgen adopt` gives the bench to {name}"
    if plan.user.origin.kind is Kind.SETTINGS and name == user:
        way_out = f"`prodgen adopt` gives the bench to {name}"
    elif plan.user.origin.kind is Kind.SETTINGS and named is None:
        way_out = f"useradd --create-home {shlex.quote(user)}, then `prodgen adopt`"
    return error(
        "PG821",
        f"the bench {door.path} belongs to root: its code would run with root's rights",
        place_of(plan.user.origin),
        way_out,
    )


def _another(door: Door, plan: Plan) -> Diagnostic:
    name, owner = plan.user.value, user_name(door.owner.uid)
    named = identity_named(name)
    if named is None:
        return error(
            "PG822",
            f"there is no user {name} on this host",
            place_of(plan.user.origin),
            f"useradd --create-home {shlex.quote(name)}, or set `user: {owner}`",
        )
    give = f", or give the bench to {name}: chown -R {name} {shlex.quote(str(door.path))}"
    return error(
        "PG822",
        f"the services would run as {name}, but {door.path} belongs to {owner}",
        place_of(plan.user.origin),
        f"set `user: {owner}`{'' if named.is_root else give}",
    )
