"""What apply must not install for somebody: root acts on files that a lesser user can write.

The bench's user writes the Procfile, the JSON files and prodgen.yaml. Through them he must gain
nothing: no process of another user, no file outside the known places, nothing that root opens
in a folder of his.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from prodgen.deploy.core.objection import Objection
from prodgen.deploy.privilege.path_bars import Change, is_plain, path_breaches
from prodgen.plan.core.model import Plan
from prodgen.review.core.source_lines import place_of
from prodgen.targets.core.artifacts import HOST_FILES, Artifact
from prodgen.targets.core.file_set import Side
from prodgen.targets.systemd.escape import escaped_name, slice_name

FOLDERS = {
    "/etc/supervisor/conf.d": (".conf", "-own.conf"),
    "/etc/supervisord.d": (".ini", "-own.ini"),
    "/etc/nginx/conf.d": (".conf",),
}
"""Where root installs one file named after the bench (Debian's and Red Hat's folders), and what
follows the name; `-own` has what `adopt` keeps of a user's own."""
UNIT_FOLDER = PurePosixPath("/etc/systemd/system")
VENDOR_UNITS = ("/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/system")
"""Where units of the system's packages are, which one of ours would replace."""
OWN_FOLDERS = ("/etc/prodgen", "/etc/nginx")
"""Where a folder named after the bench is its own."""
OWN = "adopted.conf"
"""The file of a user's own that `adopt` keeps, in each folder that our servers include."""
UNIT = r"(?:@?\.service|\.socket|\.target|\.slice)(?:\.d/[\w-]+\.conf)?"


def breaches(plan: Plan, artifacts: Iterable[Artifact], old: Side) -> Iterator[Objection]:
    """What the bench's files ask for that is not their user's to ask. Only root has to mind it.

    `old` is what is installed of the bench now.
    """
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
    made = [one for one in artifacts if one.destination not in HOST_FILES]  # for root's own hand
    for artifact in made:
        yield from _misplaced(plan, artifact.destination)
    yield from path_breaches(Change(plan, {one.target for one in made}, old))


def _misplaced(plan: Plan, path: PurePosixPath) -> Iterator[Objection]:
    """What is wrong with a place for a file of the bench's."""
    bench = plan.bench_name.value
    if is_own_place(bench, path):
        taken = next((one for one in VENDOR_UNITS if Path(one, path.name).exists()), "")
        if path.parent == UNIT_FOLDER and taken:
            yield Objection(
                f"{path} would replace {taken}/{path.name}, a unit of the system",
                "set another `bench_name` in prodgen.yaml, or name the process otherwise",
                place_of(plan.bench_name.origin),
            )
        return
    folder = str(path.parent)
    is_known = is_plain(str(path)) and (folder in FOLDERS or UNIT_FOLDER in path.parents)
    if is_known or any(folder.startswith(f"{one}/") for one in OWN_FOLDERS if is_plain(str(path))):
        yield Objection(
            f"{path} is not this bench's alone: only root may ask for it",
            "render it with -o DIR, and install it yourself",
        )
    else:
        location = None
        if path.parent == plan.supervisor.folder.value:
            location = place_of(plan.supervisor.folder.origin)
        folders = " or ".join(one for one in FOLDERS if "supervisor" in one)
        way_out = f"set `host: {{supervisor_folder: ...}}` to {folders}"
        yield Objection(
            f"{path} is no place for a file of prodgen's",
            way_out if location else "render it with -o DIR",
            location,
        )


def is_own_place(bench: str, path: PurePosixPath) -> bool:
    """Whether prodgen itself installs a file of this bench's, and nobody else's, there."""
    if not is_plain(str(path)):
        return False
    if str(path.parent) in FOLDERS:
        return path.name in {f"{bench}{ending}" for ending in FOLDERS[str(path.parent)]}
    if PurePosixPath("/etc/prodgen", bench) == path.parent:
        return True
    if PurePosixPath("/etc/nginx", bench) == path.parent.parent:
        return path.name == OWN
    if UNIT_FOLDER not in path.parents:
        return False
    unit = re.escape(escaped_name(bench)) + r"(?:-[^/]+?)?"
    names = rf"(?:{unit}{UNIT}|{re.escape(slice_name(bench))})"
    return re.fullmatch(names, str(path.relative_to(UNIT_FOLDER))) is not None
