"""Every command that colours obeys one rule, and no format for programs is ever coloured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.command import copy_bench, prodgen

CODES = r"\x1b\[\d+m"
FORCED, REFUSED = {"FORCE_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}
NOWHERE = "--supervisor-config /none.conf"
COLOURED = [
    "validate",
    "render --env nowhere",
    "plan --env nowhere",
    "explain plan --env nowhere",
    "init --env nowhere",
    "diff",
    "diff --env nowhere",
    "apply -n",
    "adopt --env nowhere",
    f"doctor {NOWHERE}",
    f"status {NOWHERE}",
    f"logs {NOWHERE}",
    f"restart {NOWHERE}",
    "verify .",
    "templates diff /none",
]
FOR_PROGRAMS = [
    "validate --format json",
    "validate --format github",
    "validate --format gitlab",
    "validate --format sarif",
    "plan --format json",
    "plan --format mermaid",
    "plan --format svg",
    "diff --format json",
    "diff --format markdown",
    "diff --format github",
    "verify . --format json",
    f"doctor {NOWHERE} --format json",
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bench that has something to say at each command."""
    bench = copy_bench(tmp_path_factory.mktemp("colours") / "frappe-bench")
    with (bench / "Procfile").open("a") as procfile:
        procfile.write("mailer: python3 mailer.py\n")
    return bench


@pytest.mark.parametrize("words", COLOURED)
def test_a_command_colours_when_it_is_told_to(words: str, bench: Path) -> None:
    forced = prodgen(*words.split(), cwd=bench, env=FORCED).all
    plain = prodgen(*words.split(), cwd=bench).all
    assert re.search(CODES, forced)
    assert "\x1b" not in plain
    assert re.sub(CODES, "", forced) == plain
    assert prodgen(*words.split(), cwd=bench, env=REFUSED).all == plain


@pytest.mark.parametrize("words", ["validate", "diff", f"doctor {NOWHERE}", f"logs {NOWHERE}"])
def test_the_option_has_the_last_word(words: str, bench: Path) -> None:
    painted = prodgen(*words.split(), "--color", "always", cwd=bench, env={"NO_COLOR": "1"}).all
    plain = prodgen(*words.split(), "--color", "never", cwd=bench, env=FORCED).all
    assert re.sub(CODES, "", painted) == plain != painted


@pytest.mark.parametrize("words", FOR_PROGRAMS)
def test_what_is_for_programs_has_no_colour(words: str, bench: Path) -> None:
    made = prodgen(*words.split(), cwd=bench, env=FORCED).out
    assert made
    assert "\x1b" not in made
