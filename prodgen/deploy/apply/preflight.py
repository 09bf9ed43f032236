"""Everything that a change has to pass before the first live file changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from prodgen.deploy.apply import bench_setup
from prodgen.deploy.apply.config_test import try_out
from prodgen.deploy.apply.journal import Place
from prodgen.deploy.apply.permissions import breaches
from prodgen.deploy.apply.ports import clashes
from prodgen.deploy.system.other_benches import folders_in, namesakes
from prodgen.diagnostics import Diagnostic, Location, error
from prodgen.plan.core.model import Plan
from prodgen.review.core.source_lines import find_source, place_of
from prodgen.review.impact.dropped_sites import dropped_names, is_served
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.file_set import FileSet


class Change(NamedTuple):
    """What shall be installed, and what of it differs from what is there."""

    plan: Plan
    artifacts: Sequence[Artifact]
    places: Sequence[Place]
    old: FileSet
    new: FileSet
    is_planned: bool
    """Whether the artifacts were made of the plan, and not before."""
    broken_sites: Sequence[str] = ()
    """Folders of sites that are left out, since their files are broken."""


def refusals_of(change: Change, work: Path) -> tuple[list[Diagnostic], list[str]]:
    """What stands in the way, and notes on what could not be tried; `work` is for copies."""
    files = [one for one in change.artifacts if one.destination.is_absolute()]
    found = [*breaches(change.plan, files, change.old), *_namesakes(change)]
    if change.is_planned:
        found += [*_dropped(change), *clashes(change.plan, change.old, change.new)]
    if found:
        return found, []
    bench_setup.make_log_folder(change.plan)  # supervisord looks for it
    refused, notes = try_out(change.plan, change.places, work)
    located = [
        one._replace(location=find_source(change.plan, one.message)) if change.is_planned else one
        for one in refused
    ]
    return located, notes


def _namesakes(change: Change) -> list[Diagnostic]:
    """The benches whose installed files would be replaced by those of this one."""
    name = change.plan.bench_name
    folders = [folder for one in change.old.values() for folder in folders_in(one.text)]
    return [
        error(
            "PG832",
            f"the bench {other} is called {name.value} too: its config would be replaced, and its "
            "processes stopped",
            place_of(name.origin),
            "set another `bench_name` in the prodgen.yaml of one of them",
        )
        for other in namesakes(change.plan, folders)
    ]


def _dropped(change: Change) -> list[Diagnostic]:
    """The sites that would go off the net because something of theirs is broken."""
    broken = [
        error(
            "PG833",
            f"the site {name} is served now, and would no longer be: its files are broken",
            Location(f"sites/{name}/site_config.json"),
            "correct what the warning says, or remove the site",
        )
        for name in change.broken_sites
        if is_served(name, change.old) and not is_served(name, change.new)
    ]
    return broken + [
        error(
            "PG834",
            f"{name.name.value} is served now, and would no longer be",
            place_of((name.certificate or name.name).origin),
            "correct its certificate, or take the name out of the site's config",
        )
        for name in dropped_names(change.plan, change.old, change.new)
    ]
