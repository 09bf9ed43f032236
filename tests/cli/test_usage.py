"""The command line itself: help, wrong usage, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prodgen import __version__
from prodgen.cli.command_list import COMMANDS
from prodgen.targets.registry import MODULES
from tests.support.command import prodgen

WRONG = {
    "rendr": "there is no command `rendr`; did you mean `render`?",
    "nothing-like-it": "there is no command `nothing-like-it`",
    "--bogus": "No such option",
    "render --tarrget x": "Did you mean",
    "render --target nginxx": "there is no `nginxx`; did you mean `nginx`?",
    "render --target": "requires an argument",
    "render extra": "unexpected extra argument",
    "restart --migrate web": "it goes with no PART",
    "render --check": "name it with -o",
    "render --check -o -": "name it with -o",
    "render -o .tar": "`.tar` is a suffix without a name",
    "render -o a/.tar.gz": "`a/.tar.gz` is a suffix without a name",
    "render -o out.zip": "the archives are .tar, .tar.gz and .tgz",
    "render --color sometimes": "'sometimes' is not one of",
    "schema prodgne": "there is no `prodgne`; did you mean `prodgen`?",
    "explain PG000": "PG000",
    "diff --templates own x.tar": "--templates goes with a bench",
    "apply -t nginx x.tar": "x.tar is rendered already: --target goes with a bench",
    "apply --rollback x.tar": "it goes without x.tar",
    "apply --rollback -t nginx": "it goes without --target",
    "apply --rollback --reviewed r.json": "it goes without --reviewed",
    "templates": "Missing command",
}


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_says_the_right_one(line: str, tmp_path: Path) -> None:
    done = prodgen(*line.split(), cwd=tmp_path)
    assert (done.code, done.out) == (64, "")
    first, second = done.err.splitlines()
    assert first.startswith("error: ")
    assert WRONG[line] in first
    assert re.fullmatch(r"  help: `prodgen( [a-z]+)? --help` shows the usage", second)


@pytest.mark.parametrize("arguments", [("render", "-o", ""), ("render", "-C", "")])
def test_an_empty_path_is_no_path(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = prodgen(*arguments, cwd=tmp_path)
    assert done.code == 64
    assert "the path is empty" in done.err
    assert not list(tmp_path.iterdir())


def test_a_folder_does_not_begin_with_a_blank(tmp_path: Path) -> None:
    """sudo takes `-C /path` in one argument for the two that it allows."""
    (tmp_path / " /home").mkdir(parents=True)
    done = prodgen("restart", "-C /home", cwd=tmp_path)
    assert done.code == 64
    assert "begins with a blank" in done.err


def test_control_characters_of_an_argument_do_not_reach_the_terminal(tmp_path: Path) -> None:
    for arguments in (["\x1b[31m"], ["render", "-t", "\x1b[31m"], ["render", "-C", "\x1b[31m"]):
        done = prodgen(*arguments, cwd=tmp_path)
        assert "\x1b" not in done.err
        assert r"\x1b[31m" in done.err


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal_of_80_columns(command: str) -> None:
    done = prodgen(*command.split(), "--help", env={"COLUMNS": "200"})
    assert (done.code, done.err) == (0, "")
    assert done.out.isascii()
    assert max(map(len, done.out.splitlines())) <= 80
    assert prodgen(*command.split(), "-h").out == done.out


def test_the_list_of_commands_is_whole_sentences() -> None:
    listed = prodgen("--help").out.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


def test_the_version(tmp_path: Path) -> None:
    assert prodgen("--version", cwd=tmp_path).out == f"prodgen {__version__}\n"


def test_targets_are_listed(tmp_path: Path) -> None:
    listed = prodgen("targets", cwd=tmp_path).out.splitlines()
    assert [line.split()[0] for line in listed] == [*MODULES, "all"]


def test_no_environment_variable_is_an_option(tmp_path: Path) -> None:
    env = {"PRODGEN_RENDER_OUTPUT": str(tmp_path / "out"), "PRODGEN_OUTPUT": str(tmp_path / "out")}
    assert prodgen("render", "-t", "supervisor", env=env).out
    assert not list(tmp_path.iterdir())
