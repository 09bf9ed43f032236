"""Offsets, lines and columns, whatever the line breaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prodgen.inputs.core.source import Source

BREAKS = st.lists(st.sampled_from([*"\n\raé\u2028\x0b ", "\r\n"])).map("".join)


def test_lines() -> None:
    source = Source("f", "a\r\nb\rc\n\n\u2028d")
    assert [source.line_text(line) for line in range(1, 6)] == ["a", "b", "c", "", "\u2028d"]
    assert str(source.locate(3)) == "f:2:1"
    place = source.locate(len(source.text))
    assert (place.line, place.column, place.text) == (5, 3, "\u2028d")
    assert str(source.whole) == "f"


@given(BREAKS)
def test_lines_are_those_of_universal_newlines(text: str) -> None:
    source = Source("f", text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert [source.line_text(n + 1) for n in range(len(source.line_starts))] == lines


@given(BREAKS)
def test_every_offset_is_found_again(text: str) -> None:
    source = Source("f", text)
    for offset in range(len(text) + 1):
        place = source.locate(offset)
        assert source.line_starts[place.line - 1] + place.column - 1 == offset
