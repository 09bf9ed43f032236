"""The `.env` file against Honcho itself, and a word wherever Honcho surprises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.diagnostics import Severity
from prodgen.inputs.core.source import Source
from prodgen.inputs.env.honcho_env import parse_dotenv


def values(text: str) -> dict[str, str]:
    found, _ = parse_dotenv(Source(".env", text, secret=True))
    return {variable.name: variable.value.reveal() for variable in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB = 2\n", {"A": "1", "B": "2"}),
        ('A=\'x y\'\r\nB="p\\"q"', {"A": "x y", "B": 'p"q'}),
        ('A=""', {"A": ""}),
        ("A=1 # note\n# comment\n\n", {"A": "1"}),
        ("A=a\\\\nb", {"A": "a\nb"}),
        ("A='a\\tb'", {"A": "a\tb"}),
        ("A=$B", {"A": "$B"}),
        ("A=b=c", {"A": "b=c"}),
        ("URL=http://h:1/p?q=1", {"URL": "http://h:1/p?q=1"}),
        ("A=1\nA=2", {"A": "2"}),
    ],
)
def test_values(text: str, expected: dict[str, str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "severity", "place", "message"),
    [
        ("A='x", "PG120", "error", "1:1", "a quote that nothing closes"),
        ("B=1\n  A=x\\", "PG120", "error", "2:3", "or a backslash at the end"),
        ("A=\0", "PG120", "error", "1:3", "U+0000"),
        ("A=x\u2028y", "PG120", "error", "1:4", "U+2028"),
        ("export B=2", "PG121", "warning", "1:1", "Honcho drops a line with `export`"),
        ("A=", "PG121", "warning", "1:1", "`A` has no value; Honcho drops it"),
        ("A=#x", "PG121", "warning", "1:1", "`A` has no value"),
        ("words", "PG121", "warning", "1:1", "this line is no `NAME=VALUE`"),
        ("A-B=1", "PG121", "warning", "1:1", "this line is no `NAME=VALUE`"),
        ("1A=1", "PG122", "error", "1:1", "a name that no environment variable can have"),
        ('"A B"=1', "PG122", "error", "1:1", "a name that no environment variable can have"),
        ("A=h#i", "PG123", "warning", "1:1", "Honcho cuts the value of `A` off at its `#`"),
        ("A=a b", "PG123", "warning", "1:1", "Honcho drops the blanks in the value of `A`"),
        ("A='a b' c", "PG123", "warning", "1:1", "Honcho drops the blanks"),
        ("A=1\nA=2", "PG124", "warning", "2:1", "`A` is set a second time"),
    ],
)
def test_what_is_said(text: str, code: str, severity: str, place: str, message: str) -> None:
    _, found = parse_dotenv(Source(".env", text, secret=True))
    assert [(one.code, one.severity.value, str(one.location)) for one in found] == [
        (code, severity, f".env:{place}")
    ]
    assert message in found[0].message
    assert found[0].help


@pytest.mark.parametrize("text", ["A='x y'", "A=1 # note", "A=a\\ b", "# A=x y", "A=x  "])
def test_nothing_to_say(text: str) -> None:
    assert parse_dotenv(Source(".env", text))[1] == []


def test_nothing_of_a_value_is_said() -> None:
    text = "A='hunter2\nB=hunter2 hunter2\nC=x#hunter2\nhunter2 x\nD=hunter2\nD=hunter2\n"
    variables, found = parse_dotenv(Source(".env", text, secret=True))
    assert len(found) == 5
    assert "hunter2" not in repr((variables, found))


PIECES = st.sampled_from([*"A1é= \t\n#'\"\\-:/x\x0b\0", "B_1", "\r\n", "\\n", "$A", "export"])


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_honcho_sets_the_same_or_the_difference_is_an_error(text: str) -> None:
    environ = pytest.importorskip("honcho.environ")
    _, found = parse_dotenv(Source(".env", text))
    if any(one.severity is Severity.ERROR for one in found):
        return
    assert values(text) == environ.parse(text.replace("\r\n", "\n").replace("\r", "\n"))
