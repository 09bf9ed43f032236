"""The program on the page about Python runs as it is written there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prodgen.app.library import plan, render, review
from prodgen.app.review import Stopped
from prodgen.app.write_output import write_output
from tests.support.command import copy_bench
from tests.support.plans import ROOT

PAGE = ROOT / "docs/how-to/python.md"
WORKERS = '"gunicorn_workers": 9'


def program() -> str:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(code)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a bench, and an output of it before its last change."""
    monkeypatch.chdir(tmp_path)
    copy_bench(tmp_path / "frappe-bench")
    planned = plan("frappe-bench")
    assert write_output("build", render(planned), planned).found == ()
    common = tmp_path / "frappe-bench/sites/common_site_config.json"
    text = common.read_text()
    assert WORKERS in text
    common.write_text(text.replace(WORKERS, '"gunicorn_workers": 3'))
    return tmp_path


@pytest.mark.usefixtures("here")
def test_the_program_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line in program().splitlines() if line]
    assert len(lines) <= 5
    exec(compile(program(), PAGE, "exec"), {})
    said = capsys.readouterr()
    assert said.err == ""
    assert "### frappe-bench\n" in said.out
    assert "rolling restart" in said.out
    assert "sites/common&#95;site&#95;config.json" in said.out


@pytest.mark.usefixtures("here")
def test_what_the_page_says_of_the_parts() -> None:
    bench = plan("frappe-bench")
    assert bench.plan is not None
    assert bench.plan.services[0].instances.origin.text
    [unit, *_] = render(bench, "systemd")
    assert (unit.target, bool(unit.text), unit.destination.is_absolute()) == ("systemd", True, True)
    found = review(bench, render(bench), "build")
    assert [str(one.path) for one in found.review.changes] == [
        "/etc/prodgen/frappe-bench/gunicorn.conf.py"
    ]
    for form in ("text", "json", "markdown", "github"):
        assert found.report(form)


@pytest.mark.usefixtures("here")
def test_faults_are_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = plan(tmp_path / "build")
    assert nothing.plan is None
    assert [one.code for one in nothing.diagnostics] == ["PG100"]
    assert render(nothing) == []
    with pytest.raises(Stopped) as stopped:
        review(nothing, [], against="frappe-bench")
    assert [one.code for one in stopped.value.found] == ["PG804"]
    assert capsys.readouterr() == ("", "")
