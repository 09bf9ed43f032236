"""Root looks at a bench that another user could swap: each command goes on, and says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.accounts import ALICE, BOB, needs_root
from tests.support.command import copy_bench, prodgen

LOOKING = ("plan", "validate", "render", "diff", "status", "logs", "doctor")


@needs_root
@pytest.mark.parametrize("command", LOOKING)
def test_a_link_in_the_folder_of_another_user(command: str, ground: Path) -> None:
    bench = copy_bench(ground / "bench")
    for path in (bench, *bench.rglob("*")):
        os.chown(path, ALICE, ALICE, follow_symlinks=False)
    (ground / "bob").mkdir()
    os.chown(ground / "bob", BOB, BOB)
    (ground / "bob/way").symlink_to(bench)
    done = prodgen(command, "-C", str(ground / "bob/way"), cwd=Path("/"))
    assert f"warning[PG820]: {BOB} can change {ground}/bob" in done.err
    assert "PG820" not in prodgen(command, "-C", str(bench), cwd=Path("/")).err
