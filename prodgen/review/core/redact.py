"""Secrets in files that others wrote: shown as changed, never as what they are."""

from __future__ import annotations

import re
from collections.abc import Callable

from prodgen.inputs.redact.patterns import ASSIGNED, OPTION, USER_INFO

Masking = Callable[[str], str]


class Mask:
    """Hides the values of one diff: the same value is the same `***1` wherever it stands."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> str:
        """The text with its secrets masked, so that a changed one still is a change."""
        for pattern in (ASSIGNED, OPTION, USER_INFO):
            text = re.sub(pattern, self._hidden, text)
        return text

    def _hidden(self, found: re.Match[str]) -> str:
        name = found.lastgroup
        if name is None or not found[name]:
            return found[0]
        start, end = (at - found.start() for at in found.span(name))
        number = self._numbers.setdefault(found[name], len(self._numbers) + 1)
        return f"{found[0][:start]}***{number}{found[0][end:]}"
