"""The README is true: its output is real, its commands and files exist."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.docs.pages import is_in_order
from tests.support.command import copy_bench, prodgen
from tests.support.plans import FIXTURES, ROOT

pytestmark = pytest.mark.process

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_the_excerpt_of_a_config_is_real() -> None:
    [excerpt] = blocks("ini")
    config = FIXTURES / "frappe-16/expected/supervisor/frappe-bench.conf"
    assert is_in_order(excerpt.splitlines(), config.read_text("utf-8"))


@pytest.mark.parametrize(("number", "case"), [(0, "frappe-16"), (1, "unknown-queue")])
def test_what_a_command_prints_is_real(number: int, case: str) -> None:
    lines = blocks("console")[number].splitlines()
    command = [line for line in lines if line.startswith("$ prodgen")][-1]
    shown = [line for line in lines if not line.startswith("$ ")]
    done = prodgen(*shlex.split(command)[2:], cwd=FIXTURES / case / "frappe-bench")
    assert is_in_order(shown, done.all)


def test_the_way_of_ci_works(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    [settings] = blocks("yaml")
    (bench / "prodgen.yaml").write_text(settings)
    [commands] = [text for text in blocks("sh") if "--locked" in text]
    codes = [
        prodgen(*shlex.split(line, comments=True)[1:], cwd=bench).code
        for line in commands.splitlines()
    ]
    assert codes == [0, 0]
    shutil.rmtree(bench / "build")
    assert prodgen("render", "--locked", "-o", "build/", "--check", cwd=bench).code == 2


def test_every_command_and_option_exists() -> None:
    lines = re.findall(r"(?:^|`|\$ )prodgen ([a-z][^`\n]*)", README, re.MULTILINE)
    assert len(lines) >= 7
    for line in lines:
        name, *words = shlex.split(line, comments=True)
        text = prodgen(name, "--help").out
        assert text.startswith("Usage:"), line
        assert all(word in text for word in words if word.startswith("-")), line


def test_every_file_and_make_target_exists() -> None:
    paths = [one for one in re.findall(r"`([\w./-]+)`", README) if "/" in one]
    names = {one for one in paths if not one.startswith(("build", "sites"))}
    assert len(names) >= 5
    assert all((ROOT / name).exists() for name in names), names
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile
