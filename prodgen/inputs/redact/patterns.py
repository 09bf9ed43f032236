"""What must never be shown: the wrapper for such a value, and a mask for lines that quote one."""

from __future__ import annotations

import re
from collections.abc import Iterator

SENSITIVE = (
    r"(?:pass(?:word|wd|phrase|(?![A-Za-z]))|secret|token|credential|api[_-]?key|access[_-]?key"
    r"|encryption[_-]?key|private[_-]?key|signing[_-]?key|auth[_-]?key|_sid(?![A-Za-z0-9])|_dsn(?![A-Za-z0-9])"
    r"|(?-i:_KEY(?![A-Za-z])))"
)
HINTS = ("pass", "secret", "token", "credent", "key", "_sid", "_s\u0131d", "_dsn")
"""One of them is in every text that SENSITIVE finds something in, once its case is folded. Most
texts have none, and compiling SENSITIVE takes as long as all other patterns of a start together.
"""
KEY_NAME = r"(?i)(?:^|_)KEY(?![\s\S])"
PUBLIC_NAME = r"(?i)(?:_(?:FILE|PATH|DIR)|(?:^|_)PUBLIC_KEY)(?![\s\S])"
"""Ends of names that say where a secret is kept, or that it is none."""
PUBLIC_VALUE = r"(?i)|true|false|yes|no|on|off"
ASSIGNED = rf"""(?ix){SENSITIVE}[\w.-]{{0,64}}["']?\s{{0,40}}[:=]\s{{0,40}}
    (?: "(?P<double>(?:[^"\\\n]|\\.)*)
      | '(?P<single>[^'\n]*)
      | (?P<bare>[^\s"'{{\[,]\S*) )"""
OPTION = rf"(?i)(?<![\w-])--(?=[A-Za-z])[\w-]{{0,64}}?{SENSITIVE}[\w-]{{0,64}}[ \t]+(?P<bare>\S+)"
USER_INFO = r"://[^\s\"'@/:]{0,256}:(?P<bare>[^\s\"'@]{1,1024})@"


class Secret:
    """A value that shows itself only to who calls `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def reveal(self) -> str:
        """The value, for the one file (mode 0600) that hands it to a process."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"


def secret_names(text: str) -> Iterator[re.Match[str]]:
    """Every name in the text that a secret may go by."""
    folded = text.casefold()
    if any(hint in folded for hint in HINTS):
        yield from re.finditer(SENSITIVE, text, re.IGNORECASE)


def has_secret_name(text: str) -> bool:
    """Whether a name in the text is one that a secret may go by."""
    return next(secret_names(text), None) is not None


def is_secret_name(name: str) -> bool:
    """Whether the value of a key or variable of this name must not be shown."""
    return has_secret_name(name)


def is_secret_variable(name: str, value: str) -> bool:
    """Whether an environment variable must not stand in the open, by its name or its value."""
    if re.search(USER_INFO, value):
        return True
    if re.fullmatch(PUBLIC_VALUE, value) or re.search(PUBLIC_NAME, name):
        return False
    return is_secret_name(name) or bool(re.search(KEY_NAME, name))


def mask(text: str) -> str:
    """The text with each value of a secret name as stars, every character in its old place."""
    for pattern in (ASSIGNED, OPTION, USER_INFO) if has_secret_name(text) else (USER_INFO,):
        text = re.sub(pattern, _hide, text)
    return text


def _hide(found: re.Match[str]) -> str:
    """The match with its one named group, the value, made unreadable."""
    name = found.lastgroup
    if name is None:
        return found[0]
    start, end = (offset - found.start() for offset in found.span(name))
    return found[0][:start] + "*" * (end - start) + found[0][end:]
