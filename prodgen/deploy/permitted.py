"""What apply must not install for somebody: root acts on files that a lesser user can write.

The bench's user writes the Procfile, the JSON files and prodgen.yaml. Through them he must gain
nothing: no process of another user, no file outside the known places, nothing that root opens
in a folder of his.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from prodgen.deploy.objection import Objection
from prodgen.host.trust import Danger, danger_at, danger_on_way
from prodgen.plan.model import Plan
from prodgen.review.blame import place_of
from prodgen.targets.artifacts import HOST_FILES, Artifact
from prodgen.targets.systemd_syntax import escaped_name, slice_name

PLACES = (
    "/etc/supervisor/conf.d/",
    "/etc/supervisord.d/",
    "/etc/nginx/conf.d/",
    "/etc/systemd/system/",
    "/etc/prodgen/",
)
"""Where an artifact may be installed by root (Debian's and Red Hat's folders)."""
LOGS = PurePosixPath("/var/log")


def breaches(plan: Plan, artifacts: Iterable[Artifact]) -> Iterator[Objection]:
    """What the bench's files ask for that is not their user's to ask. Only root has to mind it."""
    if os.geteuid() != 0:
        return
    user = plan.user.value
    if plan.is_of_user:
        # In a home every folder may be a link that its user has put there.
        yield Objection(
            f"these units lie in the home of {user}, where root writes nothing",
            f"run it as {user}: sudo -u {user} prodgen apply ...",
            place_of(plan.systemd.scope.origin),
        )
        return
    bench = plan.bench_name.value
    own = (f"/{bench}", f"/{escaped_name(bench)}", f"/{slice_name(bench)}")
    for artifact in artifacts:
        if artifact.destination in HOST_FILES:
            continue  # apply leaves it to root's own hand
        path = str(artifact.destination)
        if not path.startswith((*PLACES, f"/etc/nginx/{bench}/")):
            yield Objection(f"{path} is no place for a file of prodgen's", "render it with -o DIR")
        elif not any(name in path for name in own):
            yield Objection(
                f"{path} is not this bench's alone: only root may ask for it",
                "render it with -o DIR, and install it yourself",
            )
    if LOGS not in plan.log_folder.value.parents:
        yield Objection(
            f"the logs would go to {plan.log_folder.value}, which is not below {LOGS}",
            f"choose a folder below {LOGS}",
            place_of(plan.log_folder.origin),
        )


def others_place(path: Path) -> Danger | None:
    """What others than root can change on the way to a path, or below a folder.

    Raises OSError.
    """
    below = sorted(path.rglob("*")) if path.is_dir() else []
    dangers = (danger_at(one, one.lstat()) for one in below)
    return danger_on_way(path) or next((one for one in dangers if one), None)
