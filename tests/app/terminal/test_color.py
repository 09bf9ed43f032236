"""One rule for colour: the option, then NO_COLOR, then FORCE_COLOR, then what the terminal is."""

from __future__ import annotations

import io

import pytest

from prodgen.app.terminal.color import style, wants_color


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "in_terminal", "in_pipe"),
    [
        ("auto", {}, True, False),
        ("auto", {"TERM": "dumb"}, False, False),
        ("auto", {"NO_COLOR": "1"}, False, False),
        ("auto", {"NO_COLOR": "0"}, False, False),
        ("auto", {"NO_COLOR": ""}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, True, True),
        ("auto", {"FORCE_COLOR": "", "TERM": "dumb"}, False, False),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
        ("never", {"FORCE_COLOR": "1"}, False, False),
    ],
)
def test_the_rule(
    choice: str, environment: dict[str, str], in_terminal: bool, in_pipe: bool
) -> None:
    assert wants_color(choice, Terminal(), environment) is in_terminal
    assert wants_color(choice, io.StringIO(), environment) is in_pipe


def test_codes() -> None:
    assert style("x", "red", bold=True) == "\x1b[31m\x1b[1mx\x1b[0m"
    assert style("x", dim=True) == "\x1b[2mx\x1b[0m"
    assert style("x") == "x"
