"""What apply must not install for somebody: root acts on files that a lesser user can write.

The bench's user writes the Procfile, the JSON files and prodgen.yaml. Through them he must gain
nothing: no process of another user, no file outside the known places, nothing that root opens
in a folder of his.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from prodgen.deploy.objection import Objection
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
    yield from _user(plan)
    if LOGS not in plan.log_folder.value.parents:
        yield Objection(
            f"the logs would go to {plan.log_folder.value}, which is not below {LOGS}",
            f"choose a folder below {LOGS}",
            place_of(plan.log_folder.origin),
        )


def _user(plan: Plan) -> Iterator[Objection]:
    """The services run as the bench's owner; nobody may write himself another user."""
    name = plan.user.value
    bench, place = Path(plan.bench.value), place_of(plan.user.origin)
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        way_out = f"useradd --create-home {name}"
        yield Objection(f"there is no user {name} on this host", way_out, place)
        return
    if entry.pw_uid == 0:
        way_out = "set `user:` to the bench's user"
        yield Objection("the services would run as root", way_out, place)
    try:
        owner = bench.stat().st_uid
    except OSError as failure:
        reason = (failure.strerror or "").lower()
        yield Objection(f"the bench {bench} cannot be seen: {reason}", "check `host: path`")
        return
    if owner != entry.pw_uid:
        yield Objection(
            f"the services would run as {name}, but {bench} belongs to {_name(owner)}",
            f"set `user: {_name(owner)}`, or give the bench to {name}: chown -R {name} {bench}",
            place,
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def others_place(path: Path) -> Path | None:
    """The file, or a folder above or below it, that somebody else than root can change.

    A folder with the sticky bit, such as /tmp, is fine: what is root's in it stays root's.
    Where links are on the way, what they lead to counts as well.
    """
    below = sorted(path.rglob("*")) if path.is_dir() else []
    real = path.resolve()
    known = (path, *path.parents, real, *real.parents, *below)
    return next((one for one in known if not _is_roots(one)), None)


def _is_roots(path: Path) -> bool:
    found = path.lstat()
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISLNK(found.st_mode)
    return found.st_uid == 0 and (not shared or bool(found.st_mode & stat.S_ISVTX))
