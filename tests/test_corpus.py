"""Every real bench is rendered, or refused with a reason; none surprises prodgen."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from prodgen.cli.group import prodgen
from prodgen.diagnostics import Diagnostic, Severity, has_errors
from prodgen.plan.core.model import Role
from tests.support.corpus import corpus, needs_corpus
from tests.support.plans import FACTS, plan_of

FORBIDDEN = re.compile(r"bench serve\b|bench start\b|bench watch\b|--serve\b|[=\s]None\s")
"""Development servers, and a Python None where a value was missing (D-SV3)."""
NEEDS_NO_PLACE = frozenset({"PG100", "PG502", "PG503", "PG505", "PG510", "PG643"})
"""Findings about what is not there, or about the bench as a whole."""
HEADS = ("error[", "warning[", "note[", "1 note", *(f"{count} notes" for count in range(2, 20)))
"""How a message begins."""
RENDER = ("render", "--locked", "-t", "all")
HOST = """\
manager: {manager}
user: frappe
host:
  path: /home/frappe/frappe-bench
  home: /home/frappe
  cpus: 4
  memory: 8G
  node: /usr/bin/node
  redis_server: /usr/bin/redis-server
  frappe: "15.72.4"
  gunicorn: "23.0.0"
  nginx: "1.22.1"
  systemd: "252"
"""


@dataclass(frozen=True)
class Rendered:
    """What a run has left: its exit code, its messages, and the files by their path."""

    code: int
    messages: str
    files: dict[str, str]


def render_all(folder: Path, manager: str, work: Path) -> Rendered:
    """`prodgen render --locked -t all -o DIR` on the bench, run by this manager."""
    work.mkdir(exist_ok=True)
    settings, out = work / f"{manager}.yaml", work / manager
    settings.write_text(HOST.format(manager=manager))
    done = CliRunner().invoke(
        prodgen,
        [*RENDER, "-C", str(folder), "--config", str(settings), "-o", str(out)],
        standalone_mode=False,
        catch_exceptions=False,
    )
    return Rendered(int(done.return_value), done.stderr, dict(texts(out)))


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_text("utf-8")


@needs_corpus
@pytest.mark.pitfall("D-SV3")
@pytest.mark.parametrize("manager", ["supervisor", "systemd"])
@pytest.mark.parametrize(
    "folder", [*corpus("benches"), *corpus("procfiles")], ids=lambda folder: folder.name
)
def test_it_is_rendered_whole_or_not_at_all(folder: Path, manager: str, tmp_path: Path) -> None:
    done = render_all(folder, manager, tmp_path)
    if done.code == 1:
        assert not done.files
        assert "error[PG" in done.messages
        assert "  help: " in done.messages
        return
    assert done.code == 0
    folders = {name.partition("/")[0] for name in done.files}
    assert folders >= {manager, "manifest.json"}
    has_no_web = "[PG720]" in done.messages or "[PG510]" in done.messages
    assert ("nginx" in folders) != has_no_web
    assert not FORBIDDEN.search("\n".join(done.files.values()))


def reasons(folder: Path) -> list[Diagnostic]:
    plan, found = plan_of(folder, FACTS)
    assert plan or has_errors(found)
    return found


@needs_corpus
@pytest.mark.parametrize(
    "folder", [*corpus("benches"), *corpus("procfiles")], ids=lambda folder: folder.name
)
def test_what_is_said_has_its_place_and_a_way_out(folder: Path) -> None:
    for one in reasons(folder):
        assert one.message
        assert one.location or one.code in NEEDS_NO_PLACE or one.severity is Severity.NOTE, one
        assert one.help or one.severity is not Severity.ERROR, one


@needs_corpus
def test_ordinary_benches_of_the_field_are_rendered() -> None:
    rendered = []
    for folder in corpus("benches"):
        plan, found = plan_of(folder, FACTS)
        if plan and not has_errors(found) and plan.with_role(Role.WEB, Role.WORKER):
            rendered.append(folder.name)
    assert len(rendered) >= 30, rendered


@needs_corpus
def test_half_of_the_benches_draw_one_line_at_most(tmp_path: Path) -> None:
    """A message that is always there is read by nobody."""
    counts = []
    for folder in corpus("benches"):
        done = render_all(folder, "supervisor", tmp_path / folder.name)
        if done.code == 0 and (folder / "Procfile").exists():
            counts.append(sum(line.startswith(HEADS) for line in done.messages.splitlines()))
    assert len(counts) > 30
    assert statistics.median(counts) <= 1, sorted(counts)
