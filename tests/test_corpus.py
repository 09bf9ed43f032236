"""Every real bench is rendered, or refused with a reason; none surprises prodgen."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from prodgen.diagnostics import Diagnostic, Severity, has_errors
from prodgen.plan.model import Plan, Role
from prodgen.targets.registry import MODULES, load_target
from tests.corpus import corpus, needs_corpus
from tests.plans import FACTS, plan_of

FORBIDDEN = re.compile(r"bench serve\b|bench start\b|bench watch\b|--serve\b|[=\s]None\s")
"""Development servers, and a Python None where a value was missing (D-SV3)."""
NEEDS_NO_PLACE = frozenset({"PG100", "PG502", "PG503", "PG505", "PG643"})
"""Findings about what is not there, or about the bench as a whole."""


def render_all(folder: Path) -> tuple[Plan | None, dict[str, str], list[Diagnostic]]:
    plan, found = plan_of(folder, replace(FACTS, gunicorn=None))
    texts: dict[str, str] = {}
    for name in MODULES if plan else ():
        assert plan
        artifacts, more = load_target(name).render(plan)
        found += more
        texts.update({str(artifact.path): artifact.text for artifact in artifacts})
    return plan, texts, found


@needs_corpus
@pytest.mark.parametrize("folder", corpus("benches"), ids=lambda folder: folder.name)
def test_a_real_bench_is_rendered_or_refused_with_a_reason(folder: Path) -> None:
    plan, texts, found = render_all(folder)
    for one in found:
        assert one.message
        assert one.location or one.code in NEEDS_NO_PLACE or one.severity is Severity.NOTE, one
        assert one.help or one.severity is not Severity.ERROR, one
    if plan is None:
        assert has_errors(found)
        return
    assert plan.services
    everything = "\n".join(texts.values())
    assert not FORBIDDEN.search(everything)


@needs_corpus
def test_ordinary_benches_of_the_field_are_rendered() -> None:
    rendered = []
    for folder in corpus("benches"):
        plan, _, found = render_all(folder)
        if plan and not has_errors(found) and plan.with_role(Role.WEB, Role.WORKER):
            rendered.append(folder.name)
    assert len(rendered) >= 30, rendered


@needs_corpus
@pytest.mark.parametrize("folder", corpus("procfiles"), ids=lambda folder: folder.name)
def test_any_procfile_is_rendered_or_refused_with_a_reason(folder: Path) -> None:
    plan, _, found = render_all(folder)
    if plan is None:
        assert has_errors(found)
    for one in found:
        if one.severity is Severity.ERROR:
            assert one.help, one
