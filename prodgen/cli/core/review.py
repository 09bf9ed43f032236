"""What `diff` and `apply` have in common: the two sides, and how their review is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import click

from prodgen.app.terminal.color import style, wants_color
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import rights_for
from prodgen.plan.core.model import Plan
from prodgen.review.changes.drift import Drift
from prodgen.review.changes.site_config_edit import FILE, Value, with_keys
from prodgen.targets.core.file_set import Placed, Side

if TYPE_CHECKING:
    from prodgen.deploy.output.rendered import Rendered
    from prodgen.host.door import Door

COLORS = {"added": "green", "removed": "red", "place": "cyan", "warm": "magenta"}
"""By what a text of a review is."""


class Sides(NamedTuple):
    """What is compared."""

    old: Side
    new: Side
    plan: Plan | None = None
    drift: tuple[Drift, ...] = ()
    title: str = ""
    folder: str = ""
    """The way from here to the bench."""
    spares: frozenset[str] = frozenset()
    """Groups of Supervisor's that go on as they run."""


class Stopped(Exception):
    """There is nothing to compare; why is in the diagnostics, or was shown."""

    def __init__(self, *found: Diagnostic) -> None:
        super().__init__()
        self.found = found


def with_config(
    sides: Sides,
    plan: Plan,
    door: Door,
    keys: Mapping[str, Value] | None = None,
    supervisor_config: Path | None = None,
) -> Sides:
    """The sides with what becomes of common_site_config.json, where a manager is installed."""
    from prodgen.deploy.apply import bench_setup

    if not any(one.target == plan.manager.value.value for one in sides.new.values()):
        return sides
    try:
        text = door.read(FILE)
        if keys is None:
            keys = bench_setup.keys_to_set(plan, door, supervisor_config)
        changed = with_keys(text, keys)
    except (OSError, ValueError):
        return sides
    if changed == text:
        return sides
    path = plan.bench.value / FILE
    old = {**sides.old, path: Placed(text, "bench")}
    new = {**sides.new, path: Placed(changed, "bench")}
    return sides._replace(old=old, new=new)


def read_artifacts(path: Path) -> Rendered:
    """What was rendered into a folder or an archive; raises Stopped where it was not."""
    from prodgen.deploy.output.rendered import NotRendered, read_rendered

    try:
        with rights_for(path):
            return read_rendered(path)
    except NotRendered as failure:
        help_line = "name a folder or archive that `prodgen render -o` made"
        raise Stopped(error("PG804", str(failure), None, help_line)) from failure
    except OSError as failure:
        raise Stopped(unreadable(failure)) from failure


def unreadable(failure: OSError) -> Diagnostic:
    """Something of the host, or a named path, that cannot be read."""
    reason = (failure.strerror or str(failure)).lower()
    is_forbidden = isinstance(failure, PermissionError) and os.geteuid() != 0
    return error(
        "PG001",
        f"{failure.filename} cannot be read: {reason}",
        None,
        f"{'run it with sudo, or ' * is_forbidden}"
        "check the path, and the owner and mode of the folders",
    )


def print_review(sides: Sides, form: str, color: str, *, to_stderr: bool = False) -> bool:
    """Prints the review; whether anything would change."""
    from prodgen.review.changes.change_set import make_review
    from prodgen.review.core.redact import Mask

    stream = sys.stderr if to_stderr else sys.stdout
    mask = Mask()
    review = make_review(sides.old, sides.new, sides.plan, mask, sides.drift, spares=sides.spares)
    if form == "json":
        import json

        from prodgen.review.report.json import as_data

        text = json.dumps(as_data(review, mask), indent=2, ensure_ascii=False) + "\n"
    elif form == "markdown":
        from prodgen.review.report.markdown import as_markdown

        text = as_markdown(review, mask, sides.title, sides.plan)
    elif form == "github":
        from prodgen.review.report.github import as_annotations

        text = "".join(f"{line}\n" for line in as_annotations(review, PurePosixPath(sides.folder)))
    elif form == "impact":
        from prodgen.review.report.text import impact_as_text

        paint = _paint if wants_color(color, stream) else _plain
        text = "".join(f"{line}\n" for line in impact_as_text(review, paint))
    else:
        from prodgen.review.report.text import as_text

        paint = _paint if wants_color(color, stream) else _plain
        text = "".join(f"{line}\n" for line in as_text(review, mask, paint))
    click.echo(text, nl=False, color=True, err=to_stderr)
    return bool(review.changes)


def _plain(text: str, tone: str) -> str:  # noqa: ARG001
    return text


def _paint(text: str, tone: str) -> str:
    return style(text, COLORS.get(tone), bold=tone == "head", dim=tone == "quiet")
