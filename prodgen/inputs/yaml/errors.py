"""Why a text is not YAML, in words for who wrote it. Nothing here imports a YAML parser."""

from __future__ import annotations

import re
from typing import Any

from prodgen.diagnostics import Diagnostic, error
from prodgen.inputs.core.file_kinds import SETTINGS
from prodgen.inputs.core.source import Source

BEYOND_UNICODE = re.compile(r"\\U(?!0010|000[0-9A-Fa-f])[0-9A-Fa-f]{8}")
CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no YAML file may hold (YAML 1.1, 5.1)."""
SAYINGS = (
    (
        r"found character '\\t'",
        "a tab where YAML wants blanks",
        "indent with blanks; YAML takes no tabs",
    ),
    (
        r"mapping values are not allowed",
        "a colon where none can stand",
        "put a text with a colon in quotes, or correct the indentation",
    ),
    (
        r"could not find expected ':'",
        "a key without its colon",
        "write `KEY: VALUE`, and a long text in quotes",
    ),
    (
        r"expected <block end>",
        "this stands at another depth than its neighbours",
        "indent the keys of one object alike",
    ),
    (
        r"expected ',' or",
        "a comma or a closing bracket is missing here",
        "close the bracket, or put the text in quotes",
    ),
    (
        r"expected the node content.*stream end",
        "a bracket that nothing closes",
        "close it, or put a text that begins with one in quotes",
    ),
    (
        r"found undefined alias",
        "an alias for an anchor that is not there",
        "define it above with `&NAME`, or put a text that begins with * in quotes",
    ),
    (
        r"found duplicate anchor",
        "an anchor of this name stands above",
        "give each anchor its own name",
    ),
    (
        r"cannot start any token",
        "a character that cannot begin a value",
        "put the value in quotes",
    ),
    (
        r"while scanning a quoted scalar|found unexpected end of stream",
        "a quote that nothing closes",
        "close it, or put the text in quotes of the other kind",
    ),
    (
        r"expected chomping or indentation",
        "something behind the `|` or `>` that begins a text of several lines",
        "begin the text in the next line, indented; or put it in quotes",
    ),
    (r"found unknown escape", "a backslash that starts no escape", "use single quotes: '…'"),
    (
        r"expected a single document",
        "a second document (`---`)",
        "prodgen.yaml is one document; `environments:` holds what differs",
    ),
)


def explain_yaml(source: Source, bad: Any) -> Diagnostic:
    """The error for a text that PyYAML has refused with the exception `bad`."""
    said = f"{getattr(bad, 'context', '')} {getattr(bad, 'problem', '')}"
    for pattern, message, way_out in SAYINGS:
        if re.search(pattern, said):
            return _error(source, message, _offset(source, bad), way_out)
    control = CONTROL.search(source.text)
    if control and getattr(bad, "problem_mark", None) is None:
        message = f"a control character (U+{ord(control[0]):04X})"
        return _error(source, message, control.start(), "remove it")
    problem = getattr(bad, "problem", None) or getattr(bad, "reason", None) or "it cannot be read"
    way_out = "put a text with signs like `%`, `!` or `&` in quotes, or remove them"
    return _error(source, f"not YAML: {problem}", _offset(source, bad), way_out)


def explain_escape(source: Source) -> Diagnostic:
    """The error for `\\U00110000` and the like, at which PyYAML stumbles without a place."""
    found = BEYOND_UNICODE.search(source.text)
    start = found.start() if found else 0
    return _error(source, "an escape beyond Unicode", start, "the last one is \\U0010FFFF")


def _error(source: Source, message: str, offset: int, way_out: str) -> Diagnostic:
    return error(SETTINGS.not_readable, message, source.locate(offset), way_out)


def _offset(source: Source, bad: Any) -> int:
    """Where the parser stopped; at the end of the text it is the last thing that stands there."""
    marks = [getattr(bad, "problem_mark", None), getattr(bad, "context_mark", None)]
    if re.search(r"end of stream|expected ':'", str(getattr(bad, "problem", ""))):
        marks.reverse()  # the open quote, or the key without its colon, not what follows it
    mark = marks[0] or marks[1]
    offset = int(mark.index) if mark else 0
    return min(offset, max(0, len(source.text.rstrip()) - 1))
