"""What a check of the doctor has to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from prodgen.diagnostics import Diagnostic, Severity


class Grade(Enum):
    """How bad it is."""

    BAD = "bad"
    WARNING = "warning"
    GOOD = "good"
    UNKNOWN = "unknown"
    """It could not be looked at."""


SEVERITIES = {
    Grade.BAD: Severity.ERROR,
    Grade.WARNING: Severity.WARNING,
    Grade.UNKNOWN: Severity.NOTE,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One result: the check's name, what was found, a command that fixes it, and its code."""

    check: str
    grade: Grade
    text: str
    fix: str = ""
    code: str = ""
    """Empty if all is well."""
    accepted: str = ""
    """Why prodgen.yaml accepts it, if it does."""

    @property
    def diagnostic(self) -> Diagnostic | None:
        """The finding as every other problem is reported; None if all is well."""
        if self.grade is Grade.GOOD:
            return None
        message = f"{self.check}: {self.text}"
        severity = Severity.NOTE if self.accepted else SEVERITIES[self.grade]
        return Diagnostic(self.code, severity, message, None, self.fix, (), self.accepted)


def with_accepted(found: Iterable[Finding], reasons: Mapping[str, str]) -> list[Finding]:
    """The findings, with the reason for each that is accepted by its code; never for a bad one."""
    return [
        replace(one, accepted=reasons[one.code])
        if one.code in reasons and one.grade is not Grade.BAD
        else one
        for one in found
    ]


def bad(code: str, check: str, text: str, fix: str) -> Finding:
    """Something does not work, or will not."""
    return Finding(check, Grade.BAD, text, fix, code)


def warn(code: str, check: str, text: str, fix: str) -> Finding:
    """Something works, and will hurt some day."""
    return Finding(check, Grade.WARNING, text, fix, code)


def good(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, Grade.GOOD, text)


def unknown(check: str, text: str, fix: str = "") -> Finding:
    """The check could not be made."""
    return Finding(check, Grade.UNKNOWN, text, fix, "PG949")
