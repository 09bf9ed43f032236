"""The Procfile against Honcho itself: the same processes, and no line dropped without a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.diagnostics import Diagnostic, Severity
from prodgen.inputs.core.source import Source
from prodgen.inputs.procfile.parser import MOST_LINES, Procfile, parse_procfile
from tests.support.corpus import corpus, needs_corpus


def parse(text: str, *, bom: bool = False) -> tuple[Procfile, list[Diagnostic]]:
    return parse_procfile(Source("Procfile", text, bom=bom))


def processes(text: str) -> dict[str, str]:
    return {entry.name: entry.command.text for entry in parse(text)[0].entries}


def what_honcho_runs(text: str) -> dict[str, str] | None:
    """The processes by name; None where Honcho refuses the file."""
    environ = pytest.importorskip("honcho.environ")
    try:
        found = environ.parse_procfile(text).processes
    except AssertionError:
        return None
    return {name: command.rstrip(" \t") for name, command in found.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web: bench serve", {"web": "bench serve"}),
        ("web:bench serve", {"web": "bench serve"}),
        ("web:\tbench serve \t", {"web": "bench serve"}),
        ("# a comment\n\n  # another\nweb: x", {"web": "x"}),
        ("web: x\r\nworker: y\r\n", {"web": "x", "worker": "y"}),
        ("web: x\rworker: y", {"web": "x", "worker": "y"}),
        ("web: x\xa0 ", {"web": "x\xa0"}),
        ("worker-2: a # b", {"worker-2": "a # b"}),
        ("worker_short: a: b", {"worker_short": "a: b"}),
        ("1: x", {"1": "x"}),
        ("über: x\nweb: y", {"web": "y"}),
        ("web: x", {"web": "x"}),
    ],
)
def test_processes(text: str, expected: dict[str, str]) -> None:
    assert processes(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "severity", "place", "message"),
    [
        ("web : x", "PG101", "error", "1:1", "a blank before the colon of `web`"),
        (" web: x", "PG101", "error", "1:2", "the process `web` is indented"),
        ("\tweb: x", "PG101", "error", "1:2", "the process `web` is indented"),
        ("web.1: x", "PG101", "error", "1:1", "`web.1` is no name for a process"),
        ("w/b: x", "PG101", "error", "1:1", "`w/b` is no name for a process"),
        ("\ufeffweb: x", "PG101", "error", "1:1", "a byte order mark before the name"),
        ("a: b\nweb bench serve", "PG101", "error", "2:1", "a process without its colon"),
        ("a: b\nweb:", "PG102", "error", "2:1", "the process `web` has no command"),
        ("web:   \na: b", "PG102", "error", "1:1", "the process `web` has no command"),
        ("web: a\nx: b\nweb: c", "PG103", "error", "3:1", "a second process called `web`"),
        ("# only this", "PG104", "error", "", "the Procfile names no process"),
        ("", "PG104", "error", "", "the Procfile names no process"),
        ("web: a\x0cb", "PG105", "error", "1:7", "U+000C"),
        ("# a\u2028web: b", "PG105", "error", "1:4", "U+2028"),
        ("web: a\0b", "PG105", "error", "1:7", "a NUL character"),
        ("web: a \\\n  b", "PG106", "error", "1:8", "no line continuation"),
        (f"{'a' * 64}: x", "PG107", "warning", "1:1", "a name of 64 characters"),
        ("a: b\n<<<<<<< HEAD", "PG108", "error", "2:1", "a merge conflict"),
        ("a: b\n=======", "PG108", "error", "2:1", "a merge conflict"),
        ("a: b\nsome words", "PG109", "warning", "2:1", "this line is no process"),
        ("a: b\nsee https://x.org", "PG109", "warning", "2:1", "this line is no process"),
        ("web: a\xa0b", "PG110", "warning", "1:7", "U+00A0"),
    ],
)
def test_what_is_said(text: str, code: str, severity: str, place: str, message: str) -> None:
    found = [one for one in parse(text)[1] if one.code == code]
    assert len(found) == 1, parse(text)[1]
    assert found[0].severity.value == severity
    assert str(found[0].location).removeprefix("Procfile").removeprefix(":") == place
    assert message in found[0].message


@pytest.mark.parametrize(
    ("line", "way_out"),
    [
        ("web : x", "write `web: COMMAND`"),
        (" web: x", "begin it in the first column"),
        ("w/b: x", "use letters, digits, `_` and `-`"),
        ("web bench serve", "write `web: COMMAND`"),
    ],
)
def test_the_way_out(line: str, way_out: str) -> None:
    found = parse(line)[1]
    assert [one.code for one in found] == ["PG101"]
    assert found[0].help.startswith(way_out)


def test_a_warning_keeps_the_process() -> None:
    assert processes(f"{'a' * 64}: x\xa0y") == {"a" * 64: "x\xa0y"}


def test_byte_order_mark_hides_the_first_process_only() -> None:
    procfile, found = parse("web: x\nworker: y", bom=True)
    assert [entry.name for entry in procfile.entries] == ["worker"]
    assert [(one.code, one.location and one.location.line) for one in found] == [("PG101", 1)]
    assert parse("# a comment\nweb: x", bom=True)[1] == []


def test_places_of_name_and_command() -> None:
    entry = parse("\nworker:   bench worker  ")[0].entries[0]
    name, command = entry.location, entry.command_location
    assert (name.line, name.column, name.length) == (2, 1, 6)
    assert (command.line, command.column, command.length) == (2, 11, 12)


def test_second_of_a_name_points_at_the_first() -> None:
    found = parse("web: a\nweb: b")[1][0]
    assert [(words, str(place)) for words, place in found.related] == [
        ("the first one", "Procfile:1:1")
    ]


PIECES = st.sampled_from(
    [
        *": \t\n\r#\\xé\ufeff\x0b\x85\u2028\x00\xa0=./",
        ": ",
        "\r\n",
        "web",
        "worker_long",
        "a-b",
        "<<<<<<<",
        "bench serve",
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_honcho_runs_the_same_or_the_difference_is_an_error(text: str) -> None:
    honcho = what_honcho_runs(text.replace("\r\n", "\n").replace("\r", "\n"))
    procfile, found = parse(text)
    ours = {entry.name: entry.command.text for entry in procfile.entries}
    if not any(one.severity is Severity.ERROR for one in found):
        assert ours == honcho
    for name, command in ours.items():
        assert honcho is None or honcho.get(name) == command


@given(st.lists(PIECES).map("".join))
def test_no_line_is_dropped_in_silence(text: str) -> None:
    procfile, found = parse(text)
    source = Source("Procfile", text)
    spoken_of = {one.location.line for one in found if one.location}
    spoken_of |= {entry.location.line for entry in procfile.entries}
    for number in range(1, len(source.line_starts) + 1):
        line = source.line_text(number).strip()
        silent = not line or line.startswith("#")
        above = source.line_text(number - 1).strip() if number > 1 else ""
        if number - 1 in spoken_of and above.endswith("\\"):
            spoken_of.add(number)  # said with the line that it continues
        assert silent or number in spoken_of


@needs_corpus
@pytest.mark.parametrize("folder", corpus("procfiles") + corpus("benches"), ids=lambda f: f.name)
def test_corpus_agrees_with_honcho(folder: Path) -> None:
    for path in sorted(folder.glob("Procfile*")):
        text = path.read_text("utf-8")
        honcho = what_honcho_runs(text)
        procfile, found = parse(text)
        ours = {entry.name: entry.command.text for entry in procfile.entries}
        if not any(one.severity is Severity.ERROR for one in found):
            assert ours == honcho


def test_a_procfile_of_too_many_lines_is_refused_at_once() -> None:
    procfile, found = parse_procfile(Source("Procfile", "x: y\n" * (MOST_LINES + 1)))
    assert procfile.entries == ()
    assert [one.code for one in found] == ["PG002"]
    assert "5,000 lines" in found[0].message
