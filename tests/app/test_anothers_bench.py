"""A bench whose prodgen.yaml names the bench of another user, as root plans it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.deploy.privilege.admission import bars
from tests.support.accounts import ALICE, BOB, invent, needs_root
from tests.support.command import copy_bench

pytestmark = needs_root


@pytest.fixture
def benches(ground: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The benches of alice and bob, in their homes."""
    invent(monkeypatch, users={"root": (0, 0), "alice": (ALICE, ALICE), "bob": (BOB, BOB)})
    for name, uid in (("alice", ALICE), ("bob", BOB)):
        (ground / name).mkdir()
        copy_bench(ground / name / "bench")
        own(ground / name, uid)
    return ground


def own(folder: Path, uid: int) -> None:
    for one in (folder, *folder.rglob("*")):
        os.chown(one, uid, uid, follow_symlinks=False)


def barred(source: Path, path: Path, user: str) -> list[str]:
    """Why root may not act, with these settings in the source's prodgen.yaml."""
    settings = source / "prodgen.yaml"
    settings.write_text(f"version: 1\nuser: {user}\nhost: {{path: {path}}}\n")
    outcome = plan_bench(Selection(source), locked=False, programs=())
    assert outcome.plan is not None, outcome.diagnostics
    return [one.message for one in bars(outcome.door, outcome.plan)]


def test_nobody_names_the_bench_of_another(benches: Path) -> None:
    """Else alice's commands would be installed for bob."""
    mine, other = benches / "alice/bench", benches / "bob/bench"
    assert barred(mine, mine, "alice") == []
    assert barred(mine, other, "bob") == [
        f"the bench {other} cannot be seen: {mine}, which names it, belongs to alice"
    ]


def test_nor_through_a_link_that_leads_to_it(benches: Path) -> None:
    (benches / "alice/linked").symlink_to(benches / "bob/bench")
    assert barred(benches / "alice/bench", benches / "alice/linked", "bob") != []


def test_root_may(benches: Path) -> None:
    """A checkout of root's that says how bob's bench runs."""
    own(benches / "alice", 0)
    assert barred(benches / "alice/bench", benches / "bob/bench", "bob") == []
