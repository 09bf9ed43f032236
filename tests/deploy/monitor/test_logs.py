"""What processes write to their logs is shown to root: it crashes nothing, and tells no lies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prodgen.app.terminal.text import with_colors
from prodgen.deploy.managers.core.log_line import LONGEST_LINE, LogLine
from prodgen.deploy.managers.systemd.journal import parse_entry
from prodgen.deploy.monitor import logs
from prodgen.deploy.monitor.logs import Follower, last_lines, open_log

UNIT = "frappe-bench-web@1.service"


def entry(**fields: object) -> LogLine | None:
    return parse_entry(json.dumps({"_SYSTEMD_UNIT": UNIT, "_PID": "77", **fields}))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("one", "one"),
        (["one", "two"], "one two"),
        ([[104, 105], "two"], "hi two"),
        ([104, 255], "h\ufffd"),
        ([104, 1000], "104 1000"),
        ([], ""),
        (5, "5"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_a_message_of_any_form(message: object, text: str) -> None:
    assert entry(MESSAGE=message) == LogLine("frappe-bench-web@1", text)


@pytest.mark.parametrize("text", ["[]", "5", "null", "{", "[" * 100_000, '{"MESSAGE": null}'])
def test_what_is_no_entry(text: str) -> None:
    assert parse_entry(text) is None


def test_only_systemd_says_which_unit_it_is_about() -> None:
    assert entry(MESSAGE="x", UNIT="nginx.service") == LogLine("frappe-bench-web@1", "x")
    of_systemd = entry(MESSAGE="x", UNIT="a.service", _PID="1", _SYSTEMD_UNIT="init.scope")
    assert of_systemd == LogLine("a", "x")


def test_a_log_that_is_made_endless_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_NEWS", 10_000)
    path = tmp_path / "web.log"
    path.write_text("begin\n")
    follower = Follower("web", path)
    with follower.file:
        assert [one.text for one in follower.tail(5)] == ["begin"]
        with path.open("r+b") as file:
            file.truncate(1 << 42)
            file.seek(0, 2)
            file.write(b"\nend\n")
        assert [one.text for one in follower.news()][-1] == "end"
        assert len(follower.rest) <= LONGEST_LINE


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_bytes(b"a" * 3_000_000)
    with open_log(path) as file:
        [line] = last_lines(file, 10)
    assert len(line) == LONGEST_LINE


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain é", "plain é"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x1b[1mx", "\\x1b[2J\x1b[1mx\x1b[0m"),
        ("a\rb\nweb | c", "a\\x0db web | c"),
        ("\x9b5n\u202e", "\\x9b5n\\u202e"),
    ],
)
def test_a_terminal_obeys_no_line_of_a_log_but_for_its_colours(written: str, shown: str) -> None:
    assert with_colors(written) == shown
