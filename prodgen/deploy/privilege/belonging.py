"""Whether processes are this bench's: a name in a file of the bench could be that of any other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.system import procfs
from prodgen.diagnostics import error
from prodgen.host.door import Door
from prodgen.host.run_as import identity_named
from prodgen.host.trust import user_name
from prodgen.plan.core.model import Plan
from prodgen.review.core.source_lines import place_of

Loaded = Mapping[str, Mapping[str, object]]
"""What Supervisor has read of each process's config, by name."""


def require_own(processes: Sequence[Process], loaded: Loaded, door: Door, plan: Plan) -> None:
    """Raises NotAdmitted if root would deal with a process of another user than the bench's owner.

    `bench_name` and the names in a Procfile make up the names of programs and units, so the
    bench's user can write down those of another bench, or of the host.
    """
    if os.geteuid() != 0 or plan.is_of_user:  # a user's own manager has no others' units
        return
    for one in processes:
        uid = _uid(one, loaded.get(one.name, {}))
        if uid is not None and uid != door.owner.uid:
            raise NotAdmitted(
                [
                    error(
                        "PG824",
                        f"{one.name} runs as {user_name(uid)}, so it is not of the bench "
                        f"{door.path}, which belongs to {door.owner.name}",
                        place_of(plan.bench_name.origin),
                        "set a `bench_name` in prodgen.yaml that no other bench of this host has",
                    )
                ]
            )


def _uid(one: Process, loaded: Mapping[str, object]) -> int | None:
    """The uid that a process runs with, else that its manager would start it with; None if neither
    can be seen, as of one that is down under Supervisor before version 4."""
    if one.pid and (uid := procfs.owner(one.pid)) is not None:
        return uid
    if one.user:
        named = identity_named(one.user)
        return named.uid if named else None
    if "uid" in loaded:
        given = loaded["uid"]
        return given if isinstance(given, int) else 0  # none: supervisord's own
    return None
