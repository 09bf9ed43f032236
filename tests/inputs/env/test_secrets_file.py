"""The file of secrets: one format that its readers take alike, and nothing of it in a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.inputs.core.source import Source
from prodgen.inputs.env.secrets_file import parse_env_file
from tests.support.plans import ROOT
from tests.support.secret_files import VALUES, file_of


def parse(text: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The variables, and the code and place of each finding."""
    variables, found = parse_env_file(Source(".env", text))
    assert all(one.help and one.location and not one.location.text for one in found)
    values = {one.name: one.value.reveal() for one in variables}
    return values, [(one.code, str(one.location)) for one in found]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("A=b=c", "b=c"),
        ("A=$HOME;`id`&|<>*~é", "$HOME;`id`&|<>*~é"),
        ("A='x  y # \\ \" $z'", 'x  y # \\ " $z'),
        ('A="it\'s"', "it's"),
        ('A="p\\"q\\\\r"', 'p"q\\r'),
        ("A=''", ""),
        ('A=""', ""),
        ("A='\t'", "\t"),
    ],
)
def test_values(line: str, value: str) -> None:
    assert parse(f"# c\n\n{line}\n") == ({"A": value}, [])


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("A=", 3),
        ("A", 1),
        ("=x", 1),
        ("1A=x", 1),
        ("A-B=x", 1),
        ("export A=x", 1),
        (" A=x", 1),
        ("A =x", 2),
        ("A= x", 3),
        ("A='x' ", 6),
        ("A=x\t", 4),
        ("A=x y", 3),
        ("A=x #y", 3),
        ("A='x' # y", 3),
        ("A='x'y", 3),
        ("A='x''y'", 3),
        ("A='x", 3),
        ("A=x'", 3),
        ('A="x', 3),
        ('A="x\\$"', 3),
        ('A="\\n"', 3),
        ("A='\\n'", 3),
        ("A=\\x", 3),
        ("A=x#y", 3),
        ('A="\\\\n"', 3),
        ("A=x\r", 4),
        ("A=x\0", 4),
        ("A=x\x1b", 4),
        ("A=x\u2028y", 4),
        ("A=x\ufffe", 4),
        ("IFS=x", 1),
        ("BASH_ENV=x", 1),
        ("prodgen_line=x", 1),
        ("# swallows \\", 12),
        ("; no comment", 1),
    ],
)
def test_refused_at_its_place(line: str, column: int) -> None:
    text = f"B=1\n{line}\nC=2\n" if "\r" not in line else f"B=1\n{line}\nC=2"
    assert parse(text) == ({"B": "1", "C": "2"}, [("PG125", f".env:2:{column}")])


def test_the_example_of_the_documentation() -> None:
    page = (ROOT / "docs/secrets.md").read_text("utf-8")
    text = page.partition("<!-- file: .env -->\n```sh\n")[2].partition("```")[0]
    assert parse(text) == (
        {
            "SENTRY_DSN": "https://abc@sentry.example.com/1",
            "DB_PASSWORD": '$ecret #1, "quoted"',
            "API_TOKEN": "it's a \\ and a \"",
        },
        [],
    )


def test_the_last_of_two_counts() -> None:
    assert parse("A=1\nA=2") == ({"A": "2"}, [("PG124", ".env:2:1")])


def test_a_byte_order_mark_hides_the_first_name() -> None:
    _, found = parse_env_file(Source(".env", "A=1", bom=True))
    assert [(one.code, str(one.location)) for one in found] == [("PG125", ".env:1:1")]


LINES = st.lists(st.text("A=1é \t#'\"\\-:/x$\x0bexport n", max_size=14)).map("\n".join)


@given(LINES)
def test_honcho_sets_the_same_where_nothing_is_refused(text: str) -> None:
    environ = pytest.importorskip("honcho.environ")
    values, found = parse(text)
    if "PG125" not in {code for code, _ in found}:
        assert values == environ.parse(text)


@given(VALUES)
def test_honcho_reads_every_form_of_a_value(values: list[str]) -> None:
    environ = pytest.importorskip("honcho.environ")
    text, expected = file_of(values)
    assert parse(text) == (expected, [])
    assert environ.parse(text) == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_nothing_of_a_value_is_said(value: str) -> None:
    secret = f"hunter2{value}hunter2"
    variables, found = parse_env_file(Source(".env", f"A={secret}\nA='{secret}'\nB {secret}"))
    assert "hunter2" not in repr((variables, found))
