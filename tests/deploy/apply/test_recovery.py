"""What an interrupted apply left is ended or undone, and the bench's keys go with its files."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest

from prodgen.deploy.apply.apply import apply
from prodgen.deploy.apply.history import DRAFT, FOLDER, former_production_keys
from prodgen.deploy.apply.journal import Journal, KeyChange, Phase, read_journal, write_journal
from prodgen.deploy.apply.recovery import settle
from prodgen.review.changes.site_config_edit import FILE, Value
from tests.deploy.apply.test_apply import OLD, STATE, job

WANTED: dict[str, Value] = {"a": True, "b": None}
FORMER: dict[str, Value] = {"a": None, "b": "kept"}
TEXT = '{\n "b": "kept",\n "c": 1\n}\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with an apply behind it, and another that was killed."""
    apply(job(tmp_path, OLD))
    bench = tmp_path / "bench"
    (bench / "sites").mkdir(parents=True)
    (bench / FILE).write_text(TEXT)
    (tmp_path / STATE / FOLDER / DRAFT).mkdir()
    return tmp_path


def leave(root: Path, phase: Phase, user: str) -> Journal:
    """What is left of an apply that came as far as `phase`, as it is read again."""
    change = KeyChange(root / "bench", user, WANTED, FORMER)
    write_journal(root / STATE, Journal(phase, (), "", change))
    left = read_journal(root / STATE)
    assert left is not None
    assert left.keys == change
    return left


def test_what_is_ended_sets_the_keys_that_it_wants(root: Path) -> None:
    left = leave(root, Phase.ACTIVATING, getpass.getuser())
    settle(root / STATE, left)
    assert json.loads((root / "bench" / FILE).read_text()) == {"a": True, "c": 1}
    assert former_production_keys(root / STATE) == FORMER


@pytest.mark.parametrize("phase", [Phase.STAGING, Phase.REPLACING])
def test_what_is_undone_leaves_the_keys_as_they_were(root: Path, phase: Phase) -> None:
    left = leave(root, phase, getpass.getuser())
    settle(root / STATE, left)
    assert (root / "bench" / FILE).read_text() == TEXT


@pytest.mark.parametrize(("user", "text"), [("nobody-here", TEXT), (getpass.getuser(), "]")])
def test_keys_that_cannot_be_set_are_told_of(root: Path, user: str, text: str) -> None:
    """At boot the user may not be known yet, or the bench's disk not be there."""
    (root / "bench" / FILE).write_text(text)
    said = settle(root / STATE, leave(root, Phase.ACTIVATING, user))
    assert f"set a = true, b = null in {root / 'bench' / FILE} by hand" in said
    assert read_journal(root / STATE) is None
