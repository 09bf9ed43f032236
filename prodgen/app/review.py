"""What `diff` and `apply` compare: the installed files and the new ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import rights_for
from prodgen.plan.core.model import Plan
from prodgen.review.changes.change_source import ChangeSource
from prodgen.review.changes.drift import Drift
from prodgen.review.changes.site_config_edit import FILE, Value, with_keys
from prodgen.review.core.redact import Masking
from prodgen.targets.core.file_set import FileSet, Placed
from prodgen.targets.manifest import NewerFormat

if TYPE_CHECKING:
    from prodgen.deploy.output.rendered import Rendered
    from prodgen.host.door import Door
    from prodgen.review.changes.change_set import Review


class Comparison(NamedTuple):
    """What is compared."""

    old: FileSet
    new: FileSet
    plan: Plan | None = None
    drift: tuple[Drift, ...] = ()
    title: str = ""
    folder: str = ""
    """The way from here to the bench."""
    spares: frozenset[str] = frozenset()
    """Groups of Supervisor that keep running."""
    source: ChangeSource | None = None
    """What of prodgen itself has changed since the old files were made."""


class Stopped(Exception):
    """The command cannot go on; `found` says why, unless that was printed."""

    def __init__(self, *found: Diagnostic) -> None:
        super().__init__()
        self.found = found


def with_config(
    comparison: Comparison,
    plan: Plan,
    door: Door,
    keys: Mapping[str, Value] | None = None,
    supervisor_config: Path | None = None,
) -> Comparison:
    """Add the changes of common_site_config.json, if a manager's config is installed."""
    from prodgen.deploy.apply import bench_setup

    if not any(one.target == plan.manager.value.value for one in comparison.new.values()):
        return comparison
    try:
        text = door.read(FILE)
        if keys is None:
            keys = bench_setup.keys_to_set(plan, door, supervisor_config)
        changed = with_keys(text, keys)
    except (OSError, ValueError):
        return comparison
    if changed == text:
        return comparison
    path = plan.bench.value / FILE
    old = {**comparison.old, path: Placed(text, "bench")}
    new = {**comparison.new, path: Placed(changed, "bench")}
    return comparison._replace(old=old, new=new)


def read_artifacts(path: Path) -> Rendered:
    """Read the artifacts of a folder or archive. Raises Stopped if prodgen did not make it."""
    from prodgen.deploy.output.rendered import NotRendered, read_rendered

    try:
        with rights_for(path):
            return read_rendered(path)
    except NotRendered as failure:
        help_line = "name a folder or archive that `prodgen render -o` made"
        raise Stopped(error("PG804", str(failure), None, help_line)) from failure
    except NewerFormat as newer:
        raise Stopped(newer.diagnostic(path)) from newer
    except OSError as failure:
        raise Stopped(unreadable(failure)) from failure


def unreadable(failure: OSError) -> Diagnostic:
    """The error about a file that cannot be read."""
    reason = (failure.strerror or str(failure)).lower()
    is_forbidden = isinstance(failure, PermissionError) and os.geteuid() != 0
    return error(
        "PG001",
        f"{failure.filename} cannot be read: {reason}",
        None,
        f"{'run it with sudo, or ' * is_forbidden}"
        "check the path, and the owner and mode of the folders",
    )


def make_bench_review(comparison: Comparison, mask: Masking) -> Review:
    """Review what replacing the old files with the new ones would change."""
    from prodgen.review.changes.change_set import make_review

    return make_review(
        comparison.old,
        comparison.new,
        comparison.plan,
        mask,
        comparison.drift,
        spares=comparison.spares,
        source=comparison.source,
    )
