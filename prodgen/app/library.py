"""prodgen from Python: plan a bench, render its config, review what would change.

These functions print nothing, ask nothing and change nothing. What they find in the bench's files
is data: `diagnostics` of what `plan` returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from prodgen.app.bench_selection import Selection
from prodgen.app.complete_output import made_from_now
from prodgen.app.diff import made_from_output
from prodgen.app.pipeline import PlanResult, plan_bench, render_targets
from prodgen.app.review import Comparison, make_bench_review, read_artifacts
from prodgen.review.changes.change_set import Review
from prodgen.review.changes.change_source import change_source
from prodgen.review.core.file_sets import file_set_of
from prodgen.review.core.redact import Mask
from prodgen.review.report.layout import ReviewLayout
from prodgen.review.report.reporters import REPORTERS
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.registry import target_names, with_companions


def plan(folder: str | Path, *, environment: str | None = None, locked: bool = False) -> PlanResult:
    """Plan the bench in a folder: what should run.

    The result's `plan` is None if the bench has errors; `diagnostics` has all of them, warnings and
    notes too, and reading a folder that is no bench is one of them. With `locked` this machine is
    asked nothing, as for `prodgen render --locked`.
    """
    chosen = Selection(Path(folder), environment)
    return plan_bench(chosen, locked=locked, programs=("nginx", "systemd"))


def render(planned: PlanResult, *targets: str) -> list[Artifact]:
    """Render the config of a planned bench: each artifact has a path, a destination and a text.

    Without targets: those of the bench's manager, and nginx. A bench with errors gives none; what
    rendering finds is added to the diagnostics. Raises KeyError for a target that there is none of.
    """
    if planned.plan is None:
        return []
    names = target_names(targets or ("all",), planned.plan.manager.value)
    return render_targets(planned, with_companions(names))


class BenchReview(NamedTuple):
    """What would change, and what that does to what runs."""

    review: Review
    layout: ReviewLayout

    def report(self, form: str = "text") -> str:
        """The review as text, json, markdown or github (annotations); secrets are masked."""
        return REPORTERS[form](self.review, self.layout)


def review(planned: PlanResult, artifacts: Sequence[Artifact], against: str | Path) -> BenchReview:
    """Review artifacts in the place of an earlier output of `prodgen render -o`.

    `against` is its folder or archive. Raises Stopped if it is none; `found` has the diagnostics.
    """
    before = read_artifacts(Path(against)).artifacts
    source = change_source(made_from_output(before), made_from_now(artifacts, planned))
    title = planned.plan.bench_name.value if planned.plan else ""
    comparison = Comparison(
        file_set_of(before), file_set_of(artifacts), planned.plan, title=title, source=source
    )
    mask = Mask()
    layout = ReviewLayout(mask, title, planned.plan)
    return BenchReview(make_bench_review(comparison, mask), layout)
