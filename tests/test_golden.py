"""Every case of fixtures/ renders exactly what stands in its `expected/`.

`pytest tests/test_golden.py --update-golden` writes the files anew; read the difference.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from prodgen.app.reports.layout import Layout
from prodgen.app.reports.text import report
from prodgen.diagnostics import has_errors
from prodgen.targets.registry import MODULES, load_target
from tests.support.plans import FIXTURES, plan_of

CASES = sorted(folder.parent.name for folder in FIXTURES.glob("*/frappe-bench"))


def render_case(case: str) -> dict[str, str]:
    """Every file of the case by its path, with what was said as `messages.txt`."""
    plan, found = plan_of(FIXTURES / case / "frappe-bench")
    files = {}
    for name in MODULES if plan else ():
        assert plan
        artifacts, more = load_target(name).render(plan)
        found += more
        files.update({str(artifact.path): artifact.text for artifact in artifacts})
    return ({} if has_errors(found) else files) | {"messages.txt": report(found, Layout())}


def read_expected(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in files}


@pytest.mark.parametrize("case", CASES)
def test_case_renders_what_is_expected(case: str, request: pytest.FixtureRequest) -> None:
    folder = FIXTURES / case / "expected"
    rendered = render_case(case)
    if request.config.getoption("--update-golden"):
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in rendered.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
    assert rendered == read_expected(folder)


def test_there_are_cases() -> None:
    assert len(CASES) >= 9
