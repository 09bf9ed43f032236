"""What prodgen has to say about its inputs: diagnostics as data, rendered elsewhere.

Every stage returns the diagnostics it found instead of printing or raising, so that one run
reports everything, sorted by place. The meaning of each code stands in `prodgen.codes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Severity(Enum):
    """How much a diagnostic matters: an error means that no artifact is made."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Location(NamedTuple):
    """A place in an input file. `line` and `column` count from 1; a column is one character."""

    file: str
    line: int = 0
    column: int = 0
    length: int = 1
    text: str = ""
    """The whole line, without its line break, for the caret under it."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Diagnostic(NamedTuple):
    """One finding: what was found, what was expected, and one line of help."""

    code: str
    severity: Severity
    message: str
    location: Location | None = None
    help: str = ""
    related: tuple[tuple[str, Location], ...] = ()
    """Other places that matter, each with a few words that say why."""
    accepted: str = ""
    """Why prodgen.yaml accepts it, if it does."""

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        place = self.location or Location("")
        return (place.file, place.line, place.column, self.code, self.message)


def error(
    code: str,
    message: str,
    location: Location | None = None,
    help: str = "",
    related: tuple[tuple[str, Location], ...] = (),
) -> Diagnostic:
    """A finding that stops the run."""
    return Diagnostic(code, Severity.ERROR, message, location, help, related)


def warning(
    code: str,
    message: str,
    location: Location | None = None,
    help: str = "",
    related: tuple[tuple[str, Location], ...] = (),
) -> Diagnostic:
    """A finding that is likely a mistake, with an answer that works all the same."""
    return Diagnostic(code, Severity.WARNING, message, location, help, related)


def note(
    code: str,
    message: str,
    location: Location | None = None,
    help: str = "",
    related: tuple[tuple[str, Location], ...] = (),
) -> Diagnostic:
    """Something the user may want to know; nothing to fix."""
    return Diagnostic(code, Severity.NOTE, message, location, help, related)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is an error."""
    return any(found.severity is Severity.ERROR for found in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics by place, each once."""
    return sorted(set(diagnostics), key=lambda found: found.sort_key)
