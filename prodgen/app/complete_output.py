"""What goes with artifacts: a README.md, a manifest.json, and what they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prodgen import __version__
from prodgen.app.pipeline import PlanResult
from prodgen.inputs.fingerprints import fingerprints
from prodgen.review.changes.change_source import MadeFrom
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.templating import shipped_templates
from prodgen.targets.install_readme import make_readme
from prodgen.targets.manifest import digests, make_manifest


def make_complete(artifacts: Sequence[Artifact], planned: PlanResult) -> list[Artifact]:
    """The artifacts with a README.md that says where they go, and a manifest of it all."""
    plan, files, bench = planned.plan, planned.files, planned.bench
    if plan is None or files is None or bench is None:
        raise ValueError("there is nothing to deliver")
    complete = [*artifacts, make_readme(artifacts, plan, __version__)]
    inputs, templates = fingerprints(files, bench), _templates(artifacts, planned)
    name = plan.bench_name.value
    return [*complete, make_manifest(complete, name, __version__, inputs, templates)]


def texts_of(planned: PlanResult) -> dict[str, str]:
    """What was read of each file of the bench, secrets masked; empty if it has errors."""
    if planned.files is None or planned.bench is None:
        return {}
    return fingerprints(planned.files, planned.bench)


def made_from_now(artifacts: Iterable[Artifact], planned: PlanResult) -> MadeFrom:
    """What these artifacts are made from, as their manifest would say."""
    texts = texts_of(planned)
    return MadeFrom(__version__, digests(texts), digests(_templates(artifacts, planned)), texts)


def _templates(artifacts: Iterable[Artifact], planned: PlanResult) -> dict[str, str]:
    """The templates of the artifacts' targets by name, the user's own among them."""
    targets = {artifact.target for artifact in artifacts}
    texts = shipped_templates() | {name: one.text for name, one in planned.templates.items()}
    return {name: text for name, text in texts.items() if name.split("/")[0] in targets}
