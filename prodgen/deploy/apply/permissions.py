"""What apply must not install for somebody: root acts on files that a lesser user can write.

The bench's user writes the Procfile, the JSON files and prodgen.yaml. Through them he must gain
nothing: no process of another user, no file outside the known places, nothing that root opens
in a folder of his.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from prodgen.deploy.privilege.path_bars import Change, is_plain, path_breaches
from prodgen.diagnostics import Diagnostic, error
from prodgen.plan.core.model import Plan
from prodgen.review.core.source_lines import place_of
from prodgen.targets.core.artifacts import HOST_FILES, Artifact
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.registry import MODULES, load_places


def breaches(plan: Plan, artifacts: Iterable[Artifact], old: FileSet) -> Iterator[Diagnostic]:
    """What the bench's files ask for that is not their user's to ask. Only root has to mind it.

    `old` is what is installed of the bench now.
    """
    if os.geteuid() != 0:
        return
    user = plan.user.value
    if plan.is_of_user:
        # In a home every folder may be a link that its user has put there.
        yield error(
            "PG836",
            f"these units lie in the home of {user}, where root writes nothing",
            place_of(plan.systemd.scope.origin),
            f"run it as {user}: sudo -u {user} prodgen apply ...",
        )
        return
    made = [one for one in artifacts if one.destination not in HOST_FILES]  # for root's own hand
    for artifact in made:
        yield from _misplaced(plan, artifact.destination)
    yield from path_breaches(Change(plan, {one.target for one in made}, old))


def _misplaced(plan: Plan, path: PurePosixPath) -> Iterator[Diagnostic]:
    """What is wrong with a place for a file of the bench's."""
    bench = plan.bench_name.value
    places = [load_places(name) for name in MODULES]
    if is_own_place(bench, path):
        vendor = (one for each in places if path.parent in each.folders for one in each.vendor)
        taken = next((one for one in vendor if Path(one, path.name).exists()), "")
        if taken:
            yield error(
                "PG838",
                f"{path} would replace {taken}/{path.name}, a unit of the system",
                place_of(plan.bench_name.origin),
                "set another `bench_name` in prodgen.yaml, or name the process otherwise",
            )
        return
    known = {folder for each in places for folder in each.folders}
    if is_plain(str(path)) and known & {*path.parents}:
        yield error(
            "PG837",
            f"{path} is not this bench's alone: only root may ask for it",
            None,
            "render it with -o DIR, and install it yourself",
        )
        return
    location, way_out = None, "render it with -o DIR"
    for each in places:
        chosen = each.chosen(plan)
        if chosen and chosen.value == path.parent:
            location = place_of(chosen.origin)
            folders = " or ".join(map(str, each.folders))
            way_out = f"set `{each.setting}` to {folders}" if location else way_out
    yield error("PG837", f"{path} is no place for a file of prodgen's", location, way_out)


def is_own_place(bench: str, path: PurePosixPath) -> bool:
    """Whether prodgen itself installs a file of this bench's, and nobody else's, there."""
    if not is_plain(str(path)):
        return False
    return any(load_places(name).is_own(bench, path) for name in MODULES)
