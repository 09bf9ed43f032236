"""What a bug of prodgen's says: the versions, the traceback in a file, and no password."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from prodgen import __version__
from prodgen.cli import main
from prodgen.cli.bug_report import bug_report, versions
from prodgen.cli.core.exits import Exit
from prodgen.cli.group import prodgen

SECRET = "tiger7xyz"


def raised(call: Callable[[], object]) -> Exception:
    try:
        call()
    except Exception as bug:
        return bug
    raise AssertionError


def broken() -> None:
    raise ValueError(f"no such option: --db-password {SECRET}\x1b[31m")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PRODGEN_DEBUG", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["prodgen", "render", f"--admin-password={SECRET}"])
    return tmp_path


def test_the_report_names_versions_and_what_to_send(folder: Path) -> None:
    first, second, third, *rest = bug_report(raised(broken)).splitlines()
    assert re.fullmatch(r"prodgen: internal error: ValueError: no such option: \S+ \*+", first)
    assert second == f"  versions: {versions()}"
    [kept] = folder.iterdir()
    assert third == f"  traceback: {kept}"
    assert "issue tracker" in "\n".join(rest)
    assert all(len(line) <= 90 for line in rest)


def test_the_traceback_is_kept_for_its_user_alone_without_secrets(folder: Path) -> None:
    report = bug_report(raised(broken))
    [kept] = folder.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    text = kept.read_text("utf-8")
    assert text.startswith(f"{versions()}\nprodgen render --admin-password=*")
    assert "in broken" in text
    assert "Traceback (most recent call last):" in text
    assert SECRET not in text + report
    assert "\x1b" not in report


def test_versions() -> None:
    said = versions()
    assert said.startswith(f"prodgen {__version__}, Python 3.")
    for package in ("click", "Jinja2", "PyYAML", "jsonschema"):
        assert re.search(rf"\b{package} \d+\.\d+", said), said
    assert "Linux" in said


def test_where_nothing_can_be_written_it_says_how_to_see_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "gone"))
    assert "traceback: run it again with PRODGEN_DEBUG=1\n" in bug_report(raised(broken))


def test_who_asks_gets_the_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODGEN_DEBUG", "1")
    report = bug_report(raised(broken))
    assert "Traceback (most recent call last):" in report.splitlines()
    assert list(folder.iterdir()) == []
    assert SECRET not in report


def test_a_command_that_fails_ends_with_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prodgen, "main", lambda **_: broken())
    assert main._run() == Exit.INTERNAL
    assert "prodgen: internal error: ValueError: " in capsys.readouterr().err
