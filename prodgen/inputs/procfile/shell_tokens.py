"""Shell text split into words and operators, as a POSIX shell does it (POSIX.1-2017, 2.2, 2.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
OPERATOR = re.compile(r"&&|\|\||;;|<<-|<<|>>|<&|>&|<>|>\||[&|;()<>\n]")
IO_NUMBER = re.compile(r"[0-9]+(?=[<>])")
PLAIN = re.compile(r"[^ \t\n'\"\\$`~*?\[{&|;()<>]+")
"""A run of characters that mean themselves."""
BLANK = " \t"
EXPANDED = frozenset("$`~")
MATCHED = frozenset("*?[{")
ESCAPABLE = frozenset('$`"\\')
"""What a backslash quotes inside double quotes (2.2.3)."""


class Token(NamedTuple):
    """A word or an operator.

    A shell would expand what is `expanded` (`$NAME`), and what is `matched` (`*.log`) unless it
    stands in an assignment. One that `assigns` begins with an unquoted `NAME=`.
    """

    text: str
    start: int
    operator: bool = False
    expanded: bool = False
    matched: bool = False
    quoted: bool = False
    assigns: bool = False

    @property
    def dynamic(self) -> bool:
        return self.expanded or self.matched


class UnbalancedQuote(ValueError):
    """A quote that nothing closes; `start` is its offset."""

    def __init__(self, quote: str, start: int) -> None:
        super().__init__(f"unclosed {quote}")
        self.quote = quote
        self.start = start


def tokenize(text: str) -> list[Token]:
    """The words and operators of `text`, as a POSIX shell splits them.

    An IO number (the `2` of `2>`) comes back as an operator of its own.

    Raises UnbalancedQuote.
    """
    tokens: list[Token] = []
    at, size = 0, len(text)
    while at < size:
        if text[at] in BLANK:
            at += 1
        elif text.startswith("\\\n", at):
            at += 2
        elif text[at] == "#":
            end = text.find("\n", at)
            at = size if end < 0 else end
        elif found := OPERATOR.match(text, at) or IO_NUMBER.match(text, at):
            tokens.append(Token(found[0], at, operator=True))
            at = found.end()
        else:
            word = _Word(text, at)
            tokens.append(word.read())
            at = word.at
    return tokens


class _Word:
    """One word while it is read, from `start` up to `at`."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = self.at = start
        self.parts: list[str] = []
        self.expanded = self.matched = self.quoted = False

    def read(self) -> Token:
        while self.at < len(self.text) and self._read_on():
            pass
        content = "".join(self.parts)
        assigns = bool(ASSIGNMENT.match(self.text, self.start) and ASSIGNMENT.match(content))
        return Token(content, self.start, False, self.expanded, self.matched, self.quoted, assigns)

    def _read_on(self) -> bool:
        """Takes the next piece of the word; false where the word ends."""
        char = self.text[self.at]
        if reader := _QUOTES.get(char):
            reader(self)
        elif char in BLANK or OPERATOR.match(self.text, self.at):
            return False
        else:
            plain = PLAIN.match(self.text, self.at)
            piece = plain[0] if plain else char
            self.expanded = self.expanded or char in EXPANDED
            self.matched = self.matched or char in MATCHED
            self.parts.append(piece)
            self.at += len(piece)
        return True

    def single_quoted(self) -> None:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise UnbalancedQuote("'", self.at)
        self.parts.append(self.text[self.at + 1 : end])
        self.at, self.quoted = end + 1, True

    def escaped(self) -> None:
        """A backslash and what it quotes; with a line break it vanishes, at the end it stands."""
        following = self.text[self.at + 1 : self.at + 2]
        if following != "\n":
            self.parts.append(following or "\\")
            self.quoted = True
        self.at += 2

    def double_quoted(self) -> None:
        start = self.at
        self.at, self.quoted = start + 1, True
        while self.at < len(self.text):
            char, following = self.text[self.at], self.text[self.at + 1 : self.at + 2]
            if char == '"':
                self.at += 1
                return
            if char == "\\" and following in ESCAPABLE and following:
                self.parts.append(following)
                self.at += 2
            elif char == "\\" and following == "\n":
                self.at += 2
            else:
                self.expanded = self.expanded or char in "$`"
                self.parts.append(char)
                self.at += 1
        raise UnbalancedQuote('"', start)


_QUOTES: dict[str, Callable[[_Word], None]] = {
    "'": _Word.single_quoted,
    '"': _Word.double_quoted,
    "\\": _Word.escaped,
}
