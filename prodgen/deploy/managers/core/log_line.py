"""One line of a bench's logs, wherever it was read."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_LINE = 64 * 1024
"""Characters; the rest of a longer line is left out."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a process."""

    process: str
    text: str
