"""The `.env` file beside the Procfile: what Honcho reads in it, and a word where that surprises.

Honcho splits each line with Python's shlex, takes `NAME = value` by its first two words and joins
the rest without blanks; it ignores every other line in silence (honcho/environ.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, Location, error, warning
from prodgen.inputs.core.source import Source
from prodgen.inputs.procfile.line_rules import UNICODE_BREAK
from prodgen.inputs.redact.patterns import Secret

VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
FIRST_WORD = r"[^\s=]+"
QUOTED = r"""(?s)'[^']*'|"(?:[^"\\]|\\.)*"|\\."""
INNER_BLANK = r"\S\s+\S"
NUL = "\0"
COMMENT = r"(?s)(?:^|(?<=\s))#.*"


class Variable(NamedTuple):
    """One variable of an environment file, with the place of its name."""

    name: str
    value: Secret
    location: Location


class _Line(NamedTuple):
    """A line that begins at the offset `start`, with its words as shlex splits them."""

    source: Source
    start: int
    text: str
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def assigns(self) -> bool:
        return self.words[1:2] == ("=",)

    @property
    def location(self) -> Location:
        """The place of the first word. Of the rest nothing may be shown."""
        found = re.search(FIRST_WORD, self.text)
        start, end = found.span() if found else (0, 1)
        return self.source.locate(self.start + start, end - start)

    @property
    def bare_value(self) -> str:
        """What stands behind the equals sign, each quoted part as one letter, no comment."""
        value = re.sub(QUOTED, "q", self.text.partition("=")[2])
        return re.sub(COMMENT, "", value).strip()


def parse_dotenv(source: Source) -> tuple[tuple[Variable, ...], list[Diagnostic]]:
    """The variables as Honcho would set them, each once, and what is wrong with the file."""
    source = Source(source.name, source.text, bom=source.bom, secret=True)
    found: list[Diagnostic] = []
    variables: dict[str, Variable] = {}
    for number, start in enumerate(source.line_starts, 1):
        line = _Line(source, start, source.line_text(number))
        fault = _unreadable(line)
        if fault:
            found.append(fault)
            continue
        line = line._replace(words=_words(line.text))
        if not line.words:
            continue
        fault = next((fault for rule in FAULTS if (fault := rule(line))), None)
        if fault:
            found.append(fault)
            continue
        found += [word for remark in REMARKS if (word := remark(line))]
        if line.name in variables:
            found.append(_set_again(line, variables[line.name]))
        variables[line.name] = Variable(line.name, _value(line), line.location)
    return tuple(variables.values()), found


def _words(text: str) -> tuple[str, ...]:
    """The words of a line as Honcho splits it; raises ValueError where it cannot."""
    import shlex  # few benches have a .env

    return tuple(shlex.shlex(text, posix=True))


def _value(line: _Line) -> Secret:
    joined = "".join(line.words[2:])
    return Secret(joined.replace("\\n", "\n").replace("\\t", "\t"))


def _unreadable(line: _Line) -> Diagnostic | None:
    """The error for a line at which Honcho breaks off, or which it splits in two."""
    control = re.search(UNICODE_BREAK, line.text) or re.search(NUL, line.text)
    if control:
        message = f"a control character (U+{ord(control[0]):04X})"
        place = line.source.locate(line.start + control.start())
        return error("PG120", message, place, "remove it")
    try:
        _words(line.text)
    except ValueError:
        return error(
            "PG120",
            "a quote that nothing closes, or a backslash at the end",
            line.location,
            "Honcho refuses such a file; quote the whole value, with the other kind of quotes",
        )
    return None


def _exported(line: _Line) -> Diagnostic | None:
    if line.name != "export" or line.assigns:
        return None
    return warning("PG121", "Honcho drops a line with `export`", line.location, "remove that word")


def _without_value(line: _Line) -> Diagnostic | None:
    if not line.assigns or len(line.words) > 2:
        return None
    message = f"`{line.name}` has no value; Honcho drops it"
    return warning("PG121", message, line.location, 'write NAME="" for an empty one')


def _no_assignment(line: _Line) -> Diagnostic | None:
    if line.assigns:
        return None
    message = "this line is no `NAME=VALUE`; Honcho drops it"
    return warning("PG121", message, line.location, "make it a comment with `#`, or remove it")


def _strange_name(line: _Line) -> Diagnostic | None:
    if re.fullmatch(VARIABLE, line.name):
        return None
    return error(
        "PG122",
        "a name that no environment variable can have",
        line.location,
        "use the letters A to Z, digits and `_`, and no digit first",
    )


def _cut_value(line: _Line) -> Diagnostic | None:
    if "#" not in line.bare_value:
        return None
    message = f"Honcho cuts the value of `{line.name}` off at its `#`"
    return warning("PG123", message, line.location, "put the value in quotes")


def _joined_value(line: _Line) -> Diagnostic | None:
    if not re.search(INNER_BLANK, line.bare_value):
        return None
    message = f"Honcho drops the blanks in the value of `{line.name}`"
    return warning("PG123", message, line.location, "put the value in quotes")


def _set_again(line: _Line, first: Variable) -> Diagnostic:
    return warning(
        "PG124",
        f"`{line.name}` is set a second time; this value counts",
        line.location,
        "remove one of the two",
        (("the first one", first.location),),
    )


FAULTS: Sequence[Callable[[_Line], Diagnostic | None]] = (
    _exported,
    _without_value,
    _no_assignment,
    _strange_name,
)
"""Why a line sets no variable; the first that fits counts."""
REMARKS: Sequence[Callable[[_Line], Diagnostic | None]] = (_cut_value, _joined_value)
"""Where the value is another than the one that was meant."""
