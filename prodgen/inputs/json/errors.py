"""Why a text is not JSON, in words for who wrote it: a table of rules, the first that fits counts.

The rules go by the text at the offset where Python's parser stopped, not by its messages, which
differ between versions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, error
from prodgen.inputs.core.file_kinds import FileKind
from prodgen.inputs.core.source import Source
from prodgen.inputs.core.suggest import nearest

WORD = re.compile(r"[A-Za-z_$][\w$.-]*")
MERGE_MARKER = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?=\s|$)")
NUMBER_LIKE = re.compile(r"[+.-]*[0-9][\w.+-]*")
JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
LITERALS = {"true": "true", "false": "false", "null": "null", "none": "null", "undefined": "null"}
FORGED_BLANKS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\u1680\u2000-\u200f\u2028\u2029\u202f\u2060\u3000\ufeff]"
)


class Fault(NamedTuple):
    """What is wrong at `start`, and the way out."""

    message: str
    start: int
    length: int = 1
    help: str = ""


@dataclass(frozen=True)
class Stop:
    """The place where the parser stopped, and its surroundings."""

    source: Source
    message: str
    at: int

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def rest(self) -> str:
        return self.text[self.at : self.at + 200]

    @property
    def before(self) -> str:
        return self.text[: self.at].rstrip()

    def quote(self, start: int, end: int) -> str:
        """The text between two offsets, short enough for a message, without secrets."""
        shown = self.source.shown(start, min(end, start + 40))
        return shown if end - start <= 40 else f"{shown}…"


def explain_json(source: Source, bad: json.JSONDecodeError, kind: FileKind) -> Diagnostic:
    """The error for a text that `json.loads` has refused."""
    stop = Stop(source, bad.msg, bad.pos)
    if not source.text.strip():
        return error(
            kind.not_readable, "the file is empty", source.whole, "write {} for no settings"
        )
    fault = next((found for rule in RULES if (found := rule(stop))), None) or _unknown(stop)
    return error(
        kind.not_readable, fault.message, source.locate(fault.start, fault.length), fault.help
    )


def _merge_conflict(stop: Stop) -> Fault | None:
    if MERGE_MARKER.match(stop.rest):
        way_out = "choose one side and remove the markers"
        return Fault("a merge conflict that nobody resolved", stop.at, 7, way_out)
    return None


def _trailing_comma(stop: Stop) -> Fault | None:
    """Python 3.13 stops at the comma, older ones at the bracket behind it."""
    at = len(stop.before) - 1
    if stop.rest.startswith(",") and not stop.before.endswith(","):
        at = stop.at
    if at < 0 or stop.text[at] != ",":
        return None
    following = stop.text[at + 1 : at + 1000].lstrip()[:1]
    if following in ("}", "]"):
        return Fault("a comma before the closing bracket", at, 1, "remove the comma")
    if following == ",":
        return Fault("two commas with nothing between them", at, 1, "remove one of them")
    return None


def _forged_blank(stop: Stop) -> Fault | None:
    found = FORGED_BLANKS.match(stop.rest)
    if not found:
        return None
    message = f"an invisible character (U+{ord(found[0]):04X})"
    return Fault(message, stop.at, 1, "replace it by an ordinary blank, or remove it")


def _foreign_quotes(stop: Stop) -> Fault | None:
    if stop.rest.startswith(("'", "\u201c", "\u201d", "\u2018", "\u2019", "`")):
        return Fault(
            "a string in the wrong quotes", stop.at, 1, 'JSON strings stand in double quotes: "…"'
        )
    return None


def _comment(stop: Stop) -> Fault | None:
    if stop.rest.startswith(("//", "/*", "#")):
        return Fault("a comment", stop.at, 2, "JSON has none; remove it")
    return None


def _placeholder(stop: Stop) -> Fault | None:
    before = stop.before
    start = len(before) - 1 if before.endswith("{") and stop.rest.startswith("{") else stop.at
    if stop.text.startswith(("{{", "${", "{%", "<%"), start):
        return Fault(
            "a template placeholder in place of a value",
            start,
            2,
            "fill the template in before prodgen reads it",
        )
    return None


def _open_string(stop: Stop) -> Fault | None:
    if stop.message.startswith("Unterminated string"):
        return Fault("a string that nothing closes", stop.at, 1, 'close it with "')
    if stop.message.startswith("Invalid control character"):
        return Fault(
            "a line break or a control character inside a string",
            min(stop.at, len(stop.text) - 1),
            1,
            'close the string with ", or write \\n or \\t for the character',
        )
    return None


def _bad_escape(stop: Stop) -> Fault | None:
    if stop.message.startswith(("Invalid \\escape", "Invalid \\uXXXX")):
        at = stop.text.rfind("\\", 0, stop.at + 1)
        way_out = (
            'write \\\\ for a backslash; JSON knows \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u1234'
        )
        return Fault("a backslash that starts no escape", at, 2, way_out)
    return None


def _too_short(stop: Stop) -> Fault | None:
    end = len(stop.text.rstrip())
    if stop.at < end:
        return None
    return Fault("the file ends too early", max(0, end - 1), 1, "a bracket is not closed")


def _too_long(stop: Stop) -> Fault | None:
    if stop.message.startswith("Extra data"):
        way_out = "a JSON file holds one value; remove what follows it"
        return Fault("something follows the end of the JSON", stop.at, 1, way_out)
    return None


def _missing_comma(stop: Stop) -> Fault | None:
    if not stop.message.startswith("Expecting ',' delimiter"):
        return None
    at = len(stop.before)
    if stop.rest[0] in ":;]}=":
        message = f"`{stop.rest[0]}` where a comma or a closing bracket belongs"
        return Fault(message, stop.at, 1, "close { with } and [ with ]")
    return Fault("a comma is missing here", at, 1, "put a comma between two entries")


def _bare_word(stop: Stop) -> Fault | None:
    found = WORD.match(stop.rest)
    if not found:
        return None
    near = nearest(found[0].lower(), LITERALS, 0.5)
    way_out = (
        f"did you mean {LITERALS[near]}?"
        if near
        else 'strings and keys stand in double quotes: "…"'
    )
    shown = stop.quote(stop.at, stop.at + found.end())
    return Fault(f"`{shown}` is not a JSON value", stop.at, found.end(), way_out)


def _odd_number(stop: Stop) -> Fault | None:
    """`08`, `+1`, `.5`, `5.`: the parser stops before, inside or behind such a number."""
    start = stop.at
    while start and stop.text[start - 1] in "0123456789.+-":
        start -= 1
    found = NUMBER_LIKE.match(stop.text, start)
    if not found or JSON_NUMBER.fullmatch(found[0]):
        return None
    message = f"`{stop.quote(start, found.end())}` is not a JSON number"
    way_out = "no leading zero, plus sign or bare point; put quotes around what is no number"
    return Fault(message, start, found.end() - start, way_out)


def _missing_value(stop: Stop) -> Fault | None:
    if stop.rest[:1] in (",", "}", "]") and stop.before.endswith(":"):
        return Fault("a key without a value", len(stop.before) - 1, 1, "write null for no value")
    return None


def _missing_colon(stop: Stop) -> Fault | None:
    if stop.message.startswith("Expecting ':' delimiter"):
        return Fault("a colon is missing after the key", len(stop.before), 1, 'write "KEY": VALUE')
    return None


RULES: Sequence[Callable[[Stop], Fault | None]] = (
    _merge_conflict,
    _trailing_comma,
    _too_long,
    _open_string,
    _bad_escape,
    _too_short,
    _forged_blank,
    _missing_colon,
    _foreign_quotes,
    _comment,
    _placeholder,
    _missing_value,
    _odd_number,
    _missing_comma,
    _bare_word,
)


def _unknown(stop: Stop) -> Fault:
    """What the parser itself says, which is `Expecting value` in nearly every case left."""
    shown = stop.quote(stop.at, stop.at + 1)
    way_out = "a value is a number, true, false, null, or text in double quotes"
    if stop.message.startswith("Expecting value"):
        return Fault(f"`{shown}` where a value belongs", stop.at, 1, way_out)
    if stop.message.startswith("Expecting property name"):
        return Fault(f"`{shown}` where a key belongs", stop.at, 1, 'write "KEY": VALUE')
    return Fault(f"not JSON: {stop.message}", stop.at, 1, way_out)
