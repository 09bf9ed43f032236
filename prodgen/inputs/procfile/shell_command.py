"""POSIX shell words: enough of the grammar to tell a plain command from a shell script.

A plain command is what `execve` can run: words, leading `NAME=value` assignments and file
redirections, with nothing that a shell would have to compute. Everything else is left to a
shell (POSIX.1-2017, Shell Command Language, sections 2.2 to 2.10).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from prodgen.inputs.procfile.shell_tokens import ASSIGNMENT, Token, UnbalancedQuote, tokenize
from prodgen.inputs.redact.patterns import mask

__all__ = [
    "ASSIGNMENT",
    "Command",
    "Redirect",
    "Token",
    "UnbalancedQuote",
    "parse_command",
    "tokenize",
]

RESERVED = (
    "if then else elif fi do done case esac while until for in { } ! function select time coproc"
)
BUILTINS = (
    ". : alias bg break builtin cd command continue declare dirs disown enable eval exec exit "
    "export fg getopts hash jobs let local popd pushd read readonly return set shift shopt source "
    "times trap type typeset ulimit umask unalias unset wait"
)
LONGEST_SHOWN = 60
"""Characters of a word that a message quotes."""
SHELL_WORDS = frozenset(f"{RESERVED} {BUILTINS}".split())
"""Words of sh and bash that no program stands for, or that act on the shell itself."""


class Redirect(NamedTuple):
    """One file redirection: `2>> logs/x.log` is `Redirect(2, ">>", "logs/x.log")`."""

    descriptor: int
    operator: str
    target: str


class Command(NamedTuple):
    """A command line, taken apart where it is plain.

    Where `needs_shell` is a reason, `argv` is empty and only `text` counts.
    """

    text: str
    argv: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    redirects: tuple[Redirect, ...] = ()
    needs_shell: str = ""


def parse_command(text: str) -> Command:
    """The command in `text`; one that is not plain comes back whole, with the reason."""
    try:
        return _Assembly(text).assemble()
    except UnbalancedQuote as bad:
        return Command(text, needs_shell=f"it has an unclosed {bad.quote}")
    except _NeedsShell as reason:
        return Command(text, needs_shell=str(reason))


def _shown(word: str) -> str:
    """The word for a message: without secrets, and cut where it is a whole script."""
    text = mask(word)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


class _NeedsShell(Exception):
    """The reason why a command is not plain."""


class _Assembly:
    """A command on the way from its tokens to its parts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.argv: list[str] = []
        self.environment: list[tuple[str, str]] = []
        self.redirects: list[Redirect] = []

    def assemble(self) -> Command:
        rest = iter(tokenize(self.text))
        for token in rest:
            if token.operator:
                self.redirects.append(self._redirect(token, rest))
            else:
                self._add_word(token)
        if not self.argv:
            raise _NeedsShell("it names no program")
        return Command(self.text, tuple(self.argv), tuple(self.environment), tuple(self.redirects))

    def _add_word(self, token: Token) -> None:
        """A word is an assignment before the program's name, and an argument after it."""
        if not self.argv and not token.expanded and token.assigns:
            name, _, value = token.text.partition("=")
            self.environment.append((name, value))
            return
        if token.dynamic:
            raise _NeedsShell(f"`{_shown(token.text)}` is for a shell to expand")
        if not self.argv and not token.quoted and token.text in SHELL_WORDS:
            raise _NeedsShell(f"`{token.text}` is a word of the shell")
        self.argv.append(token.text)

    def _redirect(self, token: Token, rest: Iterator[Token]) -> Redirect:
        descriptor = "1"
        if token.text.isdigit():
            descriptor, token = token.text.lstrip("0") or "0", next(rest)
        operator = token.text
        if operator not in (">", ">>", ">|", ">&"):
            raise _NeedsShell(f"`{operator}` is an operator of the shell")
        target = next(rest, None)
        if target is None or target.operator:
            raise _NeedsShell(f"`{operator}` lacks its file")
        if target.dynamic:
            raise _NeedsShell(f"`{_shown(target.text)}` is for a shell to expand")
        if descriptor not in ("1", "2"):
            raise _NeedsShell(f"it redirects descriptor {descriptor}")
        if operator == ">&":
            return self._duplicate(int(descriptor), target)
        return Redirect(int(descriptor), operator, target.text)

    def _duplicate(self, descriptor: int, target: Token) -> Redirect:
        """`>> FILE 2>&1`: where the other descriptor goes to a file, this one goes there too."""
        for earlier in reversed(self.redirects):
            if str(earlier.descriptor) == target.text:
                return Redirect(descriptor, earlier.operator, earlier.target)
        raise _NeedsShell(f"it joins descriptor {descriptor} to `{target.text}`")
