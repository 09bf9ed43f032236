r"""The file of secrets that `env_file` names, in the one format that all its readers take alike.

The services read it on the host: `with-env.sh` and systemd's `EnvironmentFile=` (systemd.exec(5)),
and under `bench start` Honcho reads the same `.env` (honcho/environ.py). They differ on blanks,
comments behind a value, backslashes and empty values, so those are refused. A line is

    NAME=VALUE      no blank, quote, backslash or `#` in the value
    NAME='VALUE'    no single quote
    NAME="VALUE"    `\"` and `\\` for a quote and a backslash

or a comment, or empty. Honcho makes a line break or a tab of `\n` and `\t` in any of the three.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, error, warning
from prodgen.inputs.core.source import Source
from prodgen.inputs.procfile.line_rules import UNICODE_BREAK
from prodgen.inputs.redact.patterns import Secret

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SINGLE = re.compile(r"'([^']*)'")
DOUBLE = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
BARE = re.compile(r"""([^ \t'"\\#]+)""")
GUARDED = r'\\(["\\])'
CONTROL = "[\0-\x08\x0a-\x1f\x7f\x85\u2028\u2029\ud800-\udfff\ufdd0-\ufdef]"
"""What a line cannot have for Honcho, or a value for systemd (systemd/basic/env-util.c)."""
HONCHO_ESCAPE = r"\\[nt]"
OWN_TO_SHELLS = re.compile(
    r"BASH\w*|E?UID|GROUPS|IFS|LINENO|OLDPWD|OPT(?:ARG|IND)|PPID|PWD|RANDOM|SECONDS|SHELLOPTS"
    r"|SHLVL|_|prodgen_\w*"
)
"""Names that a shell sets by itself, and those of `with-env.sh`."""


class Variable(NamedTuple):
    """One variable of the file, which nobody but its readers sees."""

    name: str
    value: Secret


class _Line(NamedTuple):
    """A line that begins at the offset `start`."""

    source: Source
    start: int
    text: str

    @property
    def name(self) -> str:
        return self.text.partition("=")[0]

    @property
    def written(self) -> str:
        """The value with its quotes."""
        return self.text.partition("=")[2]

    @property
    def value(self) -> str | None:
        """What all readers make of the value; None where they differ."""
        for form in (SINGLE, DOUBLE, BARE):
            found = form.fullmatch(self.written)
            if found:
                return re.sub(GUARDED, r"\1", found[1]) if form is DOUBLE else found[1]
        return None

    def error(self, at: int, message: str, way_out: str) -> Diagnostic:
        """The error at a column of the line; nothing of the line is shown."""
        return error("PG125", message, self.source.locate(self.start + at), way_out)


def parse_env_file(source: Source) -> tuple[tuple[Variable, ...], list[Diagnostic]]:
    """The variables, each once, and an error for each line that some reader takes otherwise."""
    source = Source(source.name, source.text, bom=source.bom, secret=True)
    found: list[Diagnostic] = []
    variables: dict[str, Variable] = {}
    if source.bom:
        found.append(_Line(source, 0, "").error(0, "a byte order mark", "save it without"))
    for number, start in enumerate(source.line_starts, 1):
        line = _Line(source, start, source.line_text(number))
        fault = next((fault for rule in RULES if (fault := rule(line))), None)
        if fault:
            found.append(fault)
        elif line.value is not None and not line.text.startswith("#"):
            if line.name in variables:
                place = source.locate(start, len(line.name))
                message = f"`{line.name}` is set a second time; this value counts"
                found.append(warning("PG124", message, place, "remove one of the two"))
            variables[line.name] = Variable(line.name, Secret(line.value))
    return tuple(variables.values()), found


def _control(line: _Line) -> Diagnostic | None:
    patterns = (CONTROL, UNICODE_BREAK)
    hits = (re.search(pattern, line.text) for pattern in patterns)
    found = next(filter(None, hits), None) or _no_character(line)
    if not found:
        return None
    message = f"a control character (U+{ord(found[0]):04X})"
    return line.error(found.start(), message, "remove it")


def _no_character(line: _Line) -> re.Match[str] | None:
    """The last two code points of each plane are no characters."""
    odd = next((char for char in line.text if ord(char) & 0xFFFE == 0xFFFE), "")
    return re.search(re.escape(odd), line.text) if odd else None


def _line_end(line: _Line) -> Diagnostic | None:
    end = line.start + len(line.text)
    if not line.source.text.startswith("\r", end):
        return None
    return line.error(len(line.text), "a line end of Windows (CR)", "save it with LF alone")


def _comment(line: _Line) -> Diagnostic | None:
    if not line.text.startswith("#") or not line.text.endswith("\\"):
        return None
    message = "a comment that ends in a backslash, which swallows the next line"
    return line.error(len(line.text) - 1, message, "remove the backslash")


def _blanks(line: _Line) -> Diagnostic | None:
    name, equals, value = line.text.partition("=")
    if line.text.startswith("#") or not line.text:
        return None
    outer = (0 if line.text[0] in " \t" else None,
             len(name) - 1 if name[-1:] in (" ", "\t") and equals else None,
             len(name) + 1 if value[:1] in (" ", "\t") and value else None,
             len(line.text) - 1 if line.text[-1] in " \t" else None)  # fmt: skip
    at = next((place for place in outer if place is not None), None)
    if at is None:
        return None
    return line.error(at, "a blank around the name or the value", "write NAME=VALUE without")


def _name(line: _Line) -> Diagnostic | None:
    if line.text.startswith("#") or not line.text:
        return None
    way_out = "write NAME=VALUE, or make it a comment with `#`"
    if line.text.startswith("export "):
        return line.error(0, "`export` is for a shell", "remove that word")
    if "=" not in line.text or not NAME.fullmatch(line.name):
        return line.error(0, "this line is no NAME=VALUE", way_out)
    if OWN_TO_SHELLS.fullmatch(line.name):
        return line.error(0, f"`{line.name}` is a variable that shells set", "choose another name")
    return None


def _value(line: _Line) -> Diagnostic | None:
    if line.text.startswith("#") or not line.text:
        return None
    at = len(line.name) + 1
    if not line.written:
        message = f"`{line.name}` has no value, and Honcho drops it"
        return line.error(at, message, "write NAME='' for an empty one")
    if line.value is None:
        message = f"the value of `{line.name}` means something else to each of its readers"
        way_out = 'put all of it in single quotes; in double quotes, a backslash before " and \\'
        return line.error(at, message, way_out)
    if re.search(HONCHO_ESCAPE, line.value):
        message = f"the value of `{line.name}` has `\\n` or `\\t` in it, which Honcho replaces"
        return line.error(at, message, "choose a value without a backslash before n and t")
    return None


RULES: Sequence[Callable[[_Line], Diagnostic | None]] = (
    _control,
    _line_end,
    _comment,
    _blanks,
    _name,
    _value,
)
"""What is wrong with a line; the first that fits counts."""
