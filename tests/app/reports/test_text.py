"""How a diagnostic looks: the excerpt, the caret under it, and nothing a terminal would obey."""

from __future__ import annotations

import re
from itertools import product
from pathlib import PurePosixPath

import pytest

from prodgen.app.reports.layout import Layout
from prodgen.app.reports.text import WIDTH, excerpt, report
from prodgen.app.terminal.text import LONGEST, printable, width, wrapped
from prodgen.diagnostics import Diagnostic, Location, error, note, warning
from tests.support.plans import ROOT


def at(line: str, column: int, length: int = 1, number: int = 7) -> Location:
    return Location("Procfile", number, column, length, line)


def text(*found: Diagnostic, folder: str = "") -> str:
    return report(found, Layout(PurePosixPath(folder)))


def test_an_error_in_full() -> None:
    place = at("web: bench serve --port x", 25)
    other = Location("sites/common_site_config.json", 2, 3)
    found = error("PG101", "`x` is no port", place, "write a number", (("port", other),))
    assert text(found) == (
        "error[PG101]: `x` is no port\n"
        "  --> Procfile:7:25\n"
        "  7 | web: bench serve --port x\n"
        "    |                         ^\n"
        "  port: sites/common_site_config.json:2:3\n"
        "  help: write a number\n"
    )


def test_a_note_is_short() -> None:
    found = note("PG607", "left out", at("watch: bench watch", 1), "nothing to do")
    assert text(found) == "note[PG607]: left out (Procfile:7:1)\n  help: nothing to do\n"


def test_places_are_found_from_here() -> None:
    found = warning("PG1", "odd", at("x", 1))
    assert "--> ../bench/Procfile:7:1\n" in text(found, folder="../bench")
    elsewhere = warning("PG1", "odd", Location("/etc/prodgen.yaml", 1))
    assert "--> /etc/prodgen.yaml:1:1\n" in text(elsewhere, folder="../bench").replace(":0", ":1")


def test_diagnostics_come_by_place_and_once() -> None:
    found = [error("PG2", "b", at("x", 1, number=9)), error("PG1", "a", at("x", 1, number=8))]
    lines = text(*found, *found).splitlines()
    assert [line for line in lines if line.startswith("error")] == [
        "error[PG1]: a",
        "error[PG2]: b",
    ]


GOLDEN = {
    "tab": (("\tweb:\tx", 7, 1), " web: x", "      ^"),
    "wide": (("会社: x", 5, 1), "会社: x", "      ^"),
    "wide meant": (("a: 会社 b", 4, 2), "a: 会社 b", "   ^^^^"),
    "combining": (("e\u0301e\u0301: x", 7, 1), "e\u0301e\u0301: x", "    ^"),
    "escape": (("a\x1b[31m: x", 9, 1), r"a\x1b[31m: x", "           ^"),
    "escape meant": (("a \x00 b", 3, 1), r"a \x00 b", "  ^^^^"),
    "invisible": (("a\u200bb: x", 6, 1), r"a\u200bb: x", "          ^"),
    "bidi": (("\u202ea: x", 5, 1), r"\u202ea: x", "         ^"),
    "end of line": (("web:", 5, 1), "web:", "    ^"),
    "beyond the end": (("web:", 40, 9), "web:", "    ^"),
    "longer than the line": (("web: x", 6, 500), "web: x", "     ^"),
    "trailing blanks": (("web: x  ", 7, 2), "web: x  ", "      ^^"),
    "byte": (("a\udcffb", 2, 1), r"a\xffb", " ^^^^"),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_the_caret_stands_under_what_is_meant(case: str) -> None:
    (line, column, length), shown, under = GOLDEN[case]
    rendered = text(error("PG1", "m", at(line, column, length))).splitlines()
    assert rendered[2:] == [f"  7 | {shown}", f"    | {under}"]


LENGTHS = (0, 1, 30, 34, 35, 36, 60, 69, 70, 71, 500)


@pytest.mark.parametrize("filler", ["x", "会", "\x1b", "\t", "e\u0301"])
def test_a_long_line_is_cut_around_what_is_meant(filler: str) -> None:
    for before, after, length in product(LENGTHS, LENGTHS, (1, 5, 300)):
        line = filler * before + "@" * length + filler * after
        shown, column, carets = excerpt(line, len(filler) * before, length)
        assert width(shown) <= WIDTH + 3
        cells = re.search("@+", shown)
        assert cells
        assert column == width(shown[: cells.start()])
        assert 1 <= carets <= len(cells[0])
        assert shown.startswith("...") == (cells.start() != len(printable(filler)) * before)


@pytest.mark.parametrize("line", ["", "   ", "\t"])
def test_an_empty_line_is_not_shown(line: str) -> None:
    assert text(error("PG1", "m", at(line, 1))) == "error[PG1]: m\n  --> Procfile:7:1\n"


def test_nothing_reaches_the_terminal_that_it_would_obey() -> None:
    evil = "\x1b]0;title\x07\x9b31m\r\u2028\U000e0001"
    place = Location(f"sites/{evil}/site_config.json", 1, 1, 1, f"{evil}x")
    found = error("PG1", evil, place, evil, ((evil, place),))
    assert text(found).replace("\n", "").isprintable()


def test_a_message_has_an_end() -> None:
    assert len(text(error("PG1", "x" * 10_000))) < LONGEST + 40


WRAPPED = {
    "whole": ("error: all of it", 16, ["error: all of it"]),
    "at a blank": ("error: all of it", 15, ["error: all of", "    it"]),
    "a command": ("help: run `a b c`; end", 14, ["help: run", "    `a b c`;", "    end"]),
    "too long": ("help: /a/path/of/many/folders", 10, ["help:", "    /a/path/of/many/folders"]),
    "one backtick": ("a ` b c", 3, ["a `", "    b", "    c"]),
    "wide": ("会社 会社", 8, ["会社", "    会社"]),
    "no terminal": ("error: all of it", 0, ["error: all of it"]),
}


@pytest.mark.parametrize("case", WRAPPED)
def test_prose_is_wrapped_and_nothing_else(case: str) -> None:
    line, columns, lines = WRAPPED[case]
    assert wrapped(line, columns, "    ") == lines


def test_a_wrapped_message_is_painted_line_by_line() -> None:
    found = warning("PG1", "a b " * 30, at("x", 1), "c d " * 30)
    plain = report([found], Layout(columns=80))
    painted = report([found], Layout(color=True, columns=80))
    assert max(map(len, plain.splitlines())) <= 80
    assert re.sub(r"\x1b\[\d*m", "", painted) == plain
    assert all(line.endswith("\x1b[0m") for line in painted.splitlines()[:2])


def test_colours_can_be_read_on_light_and_dark() -> None:
    """Not those that are lost on one of the two."""
    lost = re.compile(r'"(black|blue|yellow|white|bright_\w+)"')
    sources = (ROOT / "prodgen").rglob("*.py")
    assert [path for path in sources if lost.search(path.read_text("utf-8"))] == []
