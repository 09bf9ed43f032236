"""JSON with places: every key and value against a writer that knows where it put them."""

from __future__ import annotations

import json
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.inputs.core.document import Path, dotted
from prodgen.inputs.core.file_kinds import SITE
from prodgen.inputs.core.source import Source
from prodgen.inputs.json.parser import DEEPEST, parse_json
from prodgen.inputs.json.spans import find_spans

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
BLANKS = st.lists(st.sampled_from(["", " ", "\t", "\n", "\r\n", "\r", "  "]), min_size=1)


class Writer:
    """Writes data as JSON with odd blanks, and keeps where each key and value stands."""

    def __init__(self, blanks: list[str], *, ascii_only: bool) -> None:
        self.blanks, self.ascii_only = blanks, ascii_only
        self.text = ""
        self.count = 0
        self.places: dict[Path, tuple[str, str]] = {}
        self.spans: dict[Path, tuple[int, int, int, int]] = {}

    def blank(self) -> None:
        self.text += self.blanks[self.count % len(self.blanks)]
        self.count += 1

    def scalar(self, value: object) -> tuple[int, int]:
        start = len(self.text)
        self.text += json.dumps(value, ensure_ascii=self.ascii_only)
        return start, len(self.text)

    def write(self, value: object, path: Path = (), key: tuple[int, int] | None = None) -> None:
        start = len(self.text)
        if isinstance(value, (dict, list)):
            self.text += "{" if isinstance(value, dict) else "["
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for number, (name, item) in enumerate(pairs):
                self.text += "," if number else ""
                self.blank()
                place = None
                if isinstance(name, str):
                    place = self.scalar(name)
                    self.blank()
                    self.text += ":"
                    self.blank()
                self.write(item, (*path, name), place)
                self.blank()
            self.blank()
            self.text += "}" if isinstance(value, dict) else "]"
        else:
            self.scalar(value)
        self.spans[path] = (*(key or (start, start)), start, len(self.text))


@given(DATA, BLANKS, st.booleans())
def test_every_place_is_where_it_was_written(
    data: object, blanks: list[str], ascii_only: bool
) -> None:
    writer = Writer(blanks, ascii_only=ascii_only)
    writer.blank()
    writer.write(data)
    writer.blank()
    document, found = parse_json(Source("f.json", writer.text))
    assert not found
    assert document is not None
    assert document.data == data
    assert {path: tuple(span) for path, span in document.spans.items()} == writer.spans


def test_place_in_lines_and_columns() -> None:
    text = '{\r\n "a": [1,\r\n  {"ü b": "x"}]}'
    document, _ = parse_json(Source("f.json", text))
    assert document is not None
    key = document.locate_key(("a", 1, "ü b"))
    value = document.locate_value(("a", 1, "ü b"))
    assert (key.line, key.column, key.length, key.text) == (3, 4, 5, '  {"ü b": "x"}]}')
    assert (value.line, value.column, value.length) == (3, 11, 3)
    assert str(document.locate_key(("a", 0))) == "f.json:2:8"
    assert str(document.locate_key(("no", "such"))) == "f.json"
    assert document.origin(("a", 1, "ü b")).text == 'a[1]["ü b"] in f.json'


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ((), ""),
        (("web", "workers"), "web.workers"),
        (("domains", 0, "domain"), "domains[0].domain"),
        (("sites", "erp.example.com", "domains"), 'sites["erp.example.com"].domains'),
        (("",), '[""]'),
    ],
)
def test_dotted(path: Path, words: str) -> None:
    assert dotted(path) == words


SYNTAX = [
    ("", "", "the file is empty", "write {} for no settings"),
    (" \n", "", "the file is empty", "write {} for no settings"),
    ('{"a": 1,}', "1:8", "a comma before the closing bracket", "remove the comma"),
    ('{"a": [1,\n ]}', "1:9", "a comma before the closing bracket", "remove the comma"),
    ('{"a": 1,,"b":2}', "1:8", "two commas with nothing between them", "remove one"),
    ('{"a": 1} x', "1:10", "something follows the end of the JSON", "holds one value"),
    ("{'a': 1}", "1:2", "a string in the wrong quotes", "double quotes"),
    ("{“a”: 1}", "1:2", "a string in the wrong quotes", "double quotes"),
    ('{"a": flase}', "1:7", "`flase` is not a JSON value", "did you mean false?"),
    ('{"a": True}', "1:7", "`True` is not a JSON value", "did you mean true?"),
    ('{"a": None}', "1:7", "`None` is not a JSON value", "did you mean null?"),
    ('{"a": hello}', "1:7", "`hello` is not a JSON value", "double quotes"),
    ("{a: 1}", "1:2", "`a` is not a JSON value", "double quotes"),
    ('{"a": 1 "b": 2}', "1:8", "a comma is missing here", "put a comma"),
    ('{"a": 1\n "b": 2}', "1:8", "a comma is missing here", "put a comma"),
    ('{"a" 1}', "1:5", "a colon is missing after the key", 'write "KEY": VALUE'),
    ('{"a": }', "1:5", "a key without a value", "write null for no value"),
    ('{"a": 08}', "1:7", "`08` is not a JSON number", "no leading zero"),
    ('{"a": +1}', "1:7", "`+1` is not a JSON number", "plus sign"),
    ('{"a": 0x10}', "1:7", "`0x10` is not a JSON number", "quotes"),
    ('{"a": 127.0.0.1}', "1:7", "`127.0.0.1` is not a JSON number", "quotes"),
    ('{"a": 1;}', "1:8", "`;` where a comma or a closing bracket belongs", ""),
    ('{"a": 1]', "1:8", "`]` where a comma or a closing bracket belongs", ""),
    ('{"a": <x>}', "1:7", "`<` where a value belongs", "a value is a number"),
    ('{"a": "x\ny"}', "1:9", "a line break or a control character inside a string", "\\n"),
    ('{"a": "x\ty"}', "1:9", "a line break or a control character inside a string", "\\t"),
    ('{"a": "x', "1:7", "a string that nothing closes", "close it"),
    ('{"a": "\\q"}', "1:8", "a backslash that starts no escape", "write \\\\"),
    ('{"a": {{X}}}', "1:7", "a template placeholder", "fill the template in"),
    ('{"a": ${X}}', "1:7", "a template placeholder", "fill the template in"),
    ('{"a": 1 // c\n}', "1:9", "a comment", "JSON has none"),
    ('{\n# c\n"a":1}', "2:1", "a comment", "JSON has none"),
    ('{"a":1', "1:6", "the file ends too early", "a bracket is not closed"),
    ('{"a":1,\n\n', "1:7", "the file ends too early", "a bracket is not closed"),
    ('{\xa0"a": 1}', "1:2", "an invisible character (U+00A0)", "ordinary blank"),
    ("\ufeff{}", "1:1", "an invisible character (U+FEFF)", "remove it"),
    ("\0{}", "1:1", "an invisible character (U+0000)", "remove it"),
    ('{\n<<<<<<< HEAD\n"b":2}', "2:1", "a merge conflict", "choose one side"),
    ('{"a": NaN}', "1:7", "NaN is not a JSON value", "or null"),
    ('{"a": -Infinity}', "1:7", "-Infinity is not a JSON value", "or null"),
    ('{"a": 1e999}', "1:7", "1e999 is larger than any number", "or null"),
    (f'{{"a": {"9" * 5000}}}', "1:7", "a number of 5000 digits", "or null"),
    (f'{{"a": -{"9" * 300}.5e-1}}', "", "", ""),
    ('{"a": "\\ud800"}', "1:7", "half a character", "both of its escapes"),
    ('{"\\udc00": 1}', "1:2", "half a character", "both of its escapes"),
    ("[" * 100, "1:65", "more than 64 brackets inside each other", "nothing closes"),
    ('{"a":' * 5000 + "1" + "}" * 5000, "1:321", "more than 64 brackets", "nothing closes"),
]


@pytest.mark.parametrize(("text", "place", "message", "way_out"), SYNTAX)
def test_syntax(text: str, place: str, message: str, way_out: str) -> None:
    document, found = parse_json(Source("f.json", text), SITE)
    if not message:
        assert document is not None
        return
    assert document is None
    assert [one.code for one in found] == ["PG302"]
    assert str(found[0].location).removeprefix("f.json").removeprefix(":") == place
    assert message in found[0].message
    assert way_out in found[0].help


def test_every_number_that_is_none_is_named() -> None:
    _, found = parse_json(Source("f.json", '{"a": [NaN, "NaN", 1e999],\n "b": -Infinity}'))
    assert [str(one.location) for one in found] == ["f.json:1:8", "f.json:1:20", "f.json:2:7"]


def test_surrogate_pairs_are_whole() -> None:
    document, found = parse_json(Source("f.json", '{"a": "\\ud83d\\ude00 \\\\ud800"}'))
    assert not found
    assert document is not None
    assert document.data == {"a": "😀 \\ud800"}


@pytest.mark.parametrize("rest", ["", ', "b": }', ', "b": NaN}'])
def test_a_repeated_key_is_said_after_all_that_is_worse(rest: str) -> None:
    _, found = parse_json(Source("f.json", '{"a": {"x": 1, "x": 2}' + rest))
    assert found
    assert not [one for one in found if "second time" in one.message]


def test_repeated_keys() -> None:
    text = '{"a": 1,\n "b": {"c": 1, "c": 2},\n "a": {"x": 1, "x": 2}, "\\u0061": 3}'
    document, found = parse_json(Source("f.json", text))
    assert document is None
    assert [(one.code, str(one.location), one.message) for one in found] == [
        ("PG203", "f.json:2:16", "the key `b.c` stands here a second time"),
        ("PG203", "f.json:3:16", "the key `a.x` stands here a second time"),
        ("PG203", "f.json:3:2", "the key `a` stands here a second time"),
        ("PG203", "f.json:3:25", "the key `a` stands here a second time"),
    ]
    assert [str(place) for one in found for _, place in one.related][-1] == "f.json:1:2"


def test_secrets_are_not_quoted() -> None:
    """Neither in a message nor on the line that stands under it."""
    for text in (
        '{"db_password": hunter2}',
        '{"a": 1 "admin_password": "hunter2"}',
        '{"encryption_key": "hunter2", "a": 08}',
        '{"rq_password":\n "hunter2" 1}',
        '{"redis_queue": "redis://me:hunter2@h:1", }',
    ):
        _, found = parse_json(Source("f.json", text))
        assert found
        assert "hunter2" not in repr(found), text


@pytest.mark.slow
def test_ten_megabytes() -> None:
    """A text of that size is read in seconds, a bad one too, in whatever shape."""
    many = "{" + ", ".join(f'"key{number}": "value"' for number in range(450_000)) + "}"
    for text in (
        many,
        many[:-1],
        many[:-1] + ",}",
        "[" * 10**7,
        '"' + "\\" * 10**7,
        '{"a": 1' * 10**6,
    ):
        started = time.process_time()
        document, found = parse_json(Source("f.json", text))
        assert (document is None) == bool(found)
        for one in found:
            assert len(one.message) < 200
        assert time.process_time() - started < 60


@pytest.mark.parametrize("levels", [DEEPEST - 1, DEEPEST])
def test_deepest(levels: int) -> None:
    text = "[" * levels + "]" * levels
    document, found = parse_json(Source("f.json", text))
    assert document is not None, found
    assert len(find_spans(text)) == levels
    assert sys.getrecursionlimit() > 3 * DEEPEST


def test_a_byte_order_mark_is_what_frappe_refuses() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads("\ufeff{}")
    document, found = parse_json(Source("f.json", "{}", bom=True))
    assert document is None
    assert [(one.code, str(one.location)) for one in found] == [("PG202", "f.json:1:1")]
