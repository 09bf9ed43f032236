"""What a check of the doctor has to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Grade(Enum):
    """How bad it is."""

    BAD = "bad"
    WARNING = "warning"
    GOOD = "good"
    UNKNOWN = "unknown"
    """It could not be looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result: the check's name, what was found, and a command that mends it."""

    check: str
    grade: Grade
    text: str
    fix: str = ""


def bad(check: str, text: str, fix: str) -> Finding:
    """Something does not work, or will not."""
    return Finding(check, Grade.BAD, text, fix)


def warn(check: str, text: str, fix: str) -> Finding:
    """Something works, and will hurt some day."""
    return Finding(check, Grade.WARNING, text, fix)


def good(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, Grade.GOOD, text)


def unknown(check: str, text: str, fix: str = "") -> Finding:
    """Nobody could say."""
    return Finding(check, Grade.UNKNOWN, text, fix)
