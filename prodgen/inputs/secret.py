"""What must never be shown: the wrapper for such a value, and a mask for lines that quote one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SENSITIVE = (
    r"(?:pass(?:word|wd|phrase|(?![A-Za-z]))|secret|token|credential|api[_-]?key|access[_-]?key"
    r"|encryption[_-]?key|private[_-]?key|signing[_-]?key|auth[_-]?key|_sid(?![A-Za-z0-9])|_dsn(?![A-Za-z0-9]))"
)
SENSITIVE_NAME = re.compile(SENSITIVE, re.IGNORECASE)
ASSIGNED = re.compile(
    rf"""{SENSITIVE}[\w.-]{{0,64}}["']?\s{{0,40}}[:=]\s{{0,40}}
    (?: "(?P<double>(?:[^"\\\n]|\\.)*)
      | '(?P<single>[^'\n]*)
      | (?P<bare>[^\s"'{{\[,]\S*) )""",
    re.IGNORECASE | re.VERBOSE,
)
OPTION = re.compile(
    rf"(?<![\w-])--(?=[A-Za-z])[\w-]{{0,64}}?{SENSITIVE}[\w-]{{0,64}}[ \t]+(?P<bare>\S+)",
    re.IGNORECASE,
)
USER_INFO = re.compile(r"://[^\s\"'@/:]{0,256}:(?P<bare>[^\s\"'@]{1,1024})@")


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that shows itself only to who calls `reveal`."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The value, for the one file (mode 0600) that hands it to a process."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"


def is_secret_name(name: str) -> bool:
    """Whether the value of a key or variable of this name must not be shown."""
    return bool(SENSITIVE_NAME.search(name))


def mask(text: str) -> str:
    """The text with each value of a secret name as stars, every character in its old place."""
    for pattern in (ASSIGNED, OPTION, USER_INFO):
        text = pattern.sub(_hide, text)
    return text


def _hide(found: re.Match[str]) -> str:
    """The match with its one named group, the value, made unreadable."""
    name = found.lastgroup
    if name is None:
        return found[0]
    start, end = (offset - found.start() for offset in found.span(name))
    return found[0][:start] + "*" * (end - start) + found[0][end:]
