"""Which live tests a change asks for, and that every live test is in one part."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import parts
from tests.parts import NAMES, PARTS, changed_parts, files_of, main, parts_of
from tests.support.plans import ROOT

TESTS = ROOT / "tests"


def live_files() -> set[str]:
    """The test files that have live tests."""
    return {
        str(path.relative_to(ROOT))
        for path in TESTS.rglob("test_*.py")
        if path.is_relative_to(TESTS / "live") or "pytest.mark.live" in path.read_text("utf-8")
    } - {"tests/test_parts.py"}


def test_every_live_test_is_in_one_part() -> None:
    found = [path for name in NAMES for path in files_of([name])]
    assert len(found) == len(set(found)), "in two parts"
    assert live_files() <= set(found)


@pytest.mark.parametrize("part", PARTS, ids=lambda one: one.name)
def test_every_pattern_finds_something(part: parts.Part) -> None:
    for glob in part.tests:
        assert list(TESTS.glob(glob)), glob
    own = [str(path.relative_to(ROOT)) for path in (ROOT / "prodgen").rglob("*.py")]
    assert any(part.name in parts_of(path) for path in own), part.code


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/apply.md", {"docs"}),
        ("docs/reference/commands.md", set()),
        ("CHANGELOG.md", set()),
        ("fixtures/frappe-15/expected/nginx/frappe-bench.conf", set()),
        ("prodgen/cli/main.py", {"docs"}),
        ("tests/plan/services/test_workers.py", set()),
        ("tests/live/adopt/test_killed.py", {"adopt"}),
        ("tests/live/nginx/test_nginx_sites.py", {"nginx"}),
        ("templates/nginx/bench.conf", {"nginx"}),
        ("templates/systemd/service", {"systemd"}),
        ("templates/gunicorn/gunicorn.conf.py", {"supervisor", "systemd", "rig"}),
        ("prodgen/targets/systemd/hardening.py", {"systemd"}),
        ("prodgen/targets/supervisor/groups.py", {"supervisor"}),
        ("prodgen/deploy/doctor/rights.py", {"doctor", "privilege"}),
        ("prodgen/deploy/jobs/graceful_stop.py", {"apply", "restart"}),
        ("prodgen/deploy/apply/journal.py", {"apply"}),
        ("prodgen/deploy/apply/takeover.py", {"adopt", "apply"}),
        ("prodgen/plan/services/workers.py", set(NAMES)),
        ("tests/support/rig/machine.py", set(NAMES)),
    ],
)
def test_what_a_change_asks_for(path: str, expected: set[str]) -> None:
    assert parts_of(path) == expected


def test_each_room_that_acts_on_a_host_is_tried() -> None:
    """A file under deploy/ or targets/ that no part wants would be tried by no matrix."""
    paths = [
        str(path.relative_to(ROOT))
        for room in ("deploy", "targets")
        for path in (ROOT / "prodgen" / room).rglob("*.py")
    ]
    assert [path for path in paths if not parts_of(path)] == []


def test_ci_and_the_guide_know_every_part() -> None:
    workflow = (ROOT / ".github/workflows/test.yml").read_text("utf-8")
    assert f"part: [{', '.join(NAMES)}]" in workflow
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert all(f"`{name}`" in guide for name in NAMES)


def changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *files: str
) -> tuple[list[str], str]:
    monkeypatch.setattr(parts, "changed_files", lambda _: list(files))
    return changed_parts(), capsys.readouterr().err


def test_what_is_left_out_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ("prodgen/deploy/apply/journal.py", "prodgen/deploy/apply/recovery.py", "README.md")
    found, said = changed(monkeypatch, capsys, *files)
    assert found == ["apply"]
    assert "matrix of apply: prodgen/deploy/apply/journal.py and 1 more changed" in said
    assert "matrix of nginx: left out, nothing of it has changed" in said


def test_a_part_without_a_matrix_is_not_run_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run of no tests would end with an error of its own."""
    monkeypatch.setattr(parts, "has_matrix", lambda name: name != "apply")
    found, said = changed(monkeypatch, capsys, "prodgen/deploy/apply/journal.py")
    assert found == []
    assert "matrix of apply: none, `make test` runs all of it" in said


def test_where_git_does_not_know_all_are_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(_: str) -> list[str]:
        raise subprocess.CalledProcessError(128, "git", stderr="not a git repository")

    monkeypatch.setattr(parts, "changed_files", unknown)
    assert changed_parts() == list(NAMES)
    assert "not a git repository" in capsys.readouterr().err


@pytest.mark.process
def test_since_where_main_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch: since it left main. main itself: since the commit before."""
    monkeypatch.setattr(parts, "ROOT", tmp_path)

    def git(*words: str) -> None:
        own = ("-c", "user.name=a", "-c", "user.email=a@b.test", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *own, *words], cwd=tmp_path, check=True, capture_output=True)

    def commit(name: str) -> None:
        tmp_path.joinpath(name).write_text("x")
        git("add", name)
        git("commit", "-m", name)

    git("init")
    for name in ("one", "two"):
        commit(name)
    assert parts.changed_files() == ["two"]
    git("checkout", "-b", "work")
    for name in ("three", "four"):
        commit(name)
    assert parts.changed_files() == ["four", "three"]
    assert parts.changed_files("HEAD^") == ["four"]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paths", "nginx", "adopt"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "tests/live/adopt/test_adopt.py" in shown
    assert main(["paths", "nothing"]) == 64
    assert "nothing: no such part" in capsys.readouterr().err
    assert main([]) == 64
