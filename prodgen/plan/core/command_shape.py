"""A Procfile command taken apart: its simple commands, each without the wrappers around it.

`cd sites && exec nice ../env/bin/python -m debugpy --listen 5678 -m frappe.utils.bench_helper
frappe serve` is `cd sites`, and then `bench serve` under `nice` and `debugpy`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.inputs.procfile.shell_command import (
    ASSIGNMENT,
    Command,
    Token,
    UnbalancedQuote,
    tokenize,
)
from prodgen.plan.core.wrappers import Unwrapped, canonical_words, unwrap

REDIRECTIONS = frozenset({">", ">>", "<", ">|", ">&", "<&", "<>", "<<", "<<-"})
SEPARATORS = frozenset({"&&", "||", ";", ";;", "&", "|", "\n", "(", ")"})
OPENING_WORDS = frozenset(
    "if then elif else while until do { ! time coproc".split()  # noqa: SIM905
)
"""Reserved words after which a command follows."""
OTHER_RESERVED = frozenset(
    "for case select fi done esac } in function".split()  # noqa: SIM905
)
LOOPS = frozenset({"while", "until"})
SETUP = frozenset(
    "cd source . export set [ [[ test true false : sleep echo wait trap unset".split()  # noqa: SIM905
) | frozenset(
    "printf exit ulimit umask return pushd popd shopt local read shift eval exec kill".split()  # noqa: SIM905
)
"""Programs and builtins that prepare for another command, or only wait or print."""
AFTER_BACKGROUND = frozenset({"disown", "exit", "true", ":", "echo", "sleep"})
"""Commands that leave a command in the background behind."""
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
DEEPEST = 4
"""Levels of `sh -c` that are looked into."""


class SimpleCommand(NamedTuple):
    """One simple command of a line.

    `words` begin with the program that runs in the end: `bench` also stands for
    `python -m frappe.utils.bench_helper frappe`. `written` are its own words, with its path.
    """

    words: tuple[str, ...]
    written: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    wrappers: tuple[str, ...] = ()
    text: str = ""

    @property
    def program(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def is_setup(self) -> bool:
        return self.program in SETUP


class Shape(NamedTuple):
    """The simple commands of a line in their order."""

    commands: tuple[SimpleCommand, ...] = ()
    is_background: bool = False
    """Whether the line ends while its last command still runs."""
    is_loop: bool = False

    @property
    def acting(self) -> list[SimpleCommand]:
        """The commands that do more than prepare for another one."""
        return [one for one in self.commands if not one.is_setup]


def find_shape(command: Command, depth: int = 0) -> Shape:
    """The shape of a command; one with an unclosed quote has no commands."""
    if not command.needs_shell:
        return _shape_of_words(command.argv, command.environment, command.text, depth)
    try:
        tokens = tokenize(command.text)
    except UnbalancedQuote:
        return Shape()
    found: list[SimpleCommand] = []
    exported: list[tuple[str, str]] = []
    is_background = is_loop = False
    for part, separator in _parts(tokens):
        text = command.text[part[0].start : _end(tokens, part, command.text)].strip()
        words, environment, opens_loop = _words_of(part)
        is_loop = is_loop or opens_loop
        if not words:
            exported += environment
            continue
        if words[0] == "export":
            exported += _assignments(words[1:])
        inner = _shape_of_words(words, (*exported, *environment), text, depth)
        found += inner.commands
        is_loop = is_loop or inner.is_loop
        if separator == "&" or inner.is_background:
            is_background = True
        elif words[0] not in AFTER_BACKGROUND:
            is_background = False
    return Shape(tuple(found), is_background, is_loop)


def _shape_of_words(
    words: tuple[str, ...], environment: tuple[tuple[str, str], ...], text: str, depth: int
) -> Shape:
    """The shape of one simple command, or of the script that a shell in it is given."""
    unwrapped = unwrap(words)
    environment = (*environment, *unwrapped.environment)
    script = shell_script(unwrapped.words)
    if script is not None and depth < DEEPEST:
        inner = find_shape(Command(script, needs_shell="it is a script"), depth + 1)
        commands = tuple(
            one._replace(
                environment=(*environment, *one.environment),
                wrappers=(*unwrapped.wrappers, *one.wrappers),
            )
            for one in inner.commands
        )
        return inner._replace(
            commands=commands, is_background=inner.is_background or unwrapped.is_background
        )
    return Shape((_simple(unwrapped, environment, text),), unwrapped.is_background)


def _simple(
    unwrapped: Unwrapped, environment: tuple[tuple[str, str], ...], text: str
) -> SimpleCommand:
    words = canonical_words(unwrapped.words)
    return SimpleCommand(words, unwrapped.words, environment, unwrapped.wrappers, text)


def shell_script(words: tuple[str, ...]) -> str | None:
    """The script of `sh -c SCRIPT`, with any options before it; None for another command."""
    if not words or PurePosixPath(words[0]).name not in SHELLS:
        return None
    rest = list(words[1:])
    while rest and rest[0].startswith(("-", "+")):
        option = rest.pop(0)
        if option.startswith("-") and not option.startswith("--") and "c" in option:
            return rest[0] if rest else None
        takes_value = option in ("--rcfile", "--init-file") or re.fullmatch(r"[-+]\w*o", option)
        if takes_value and rest:
            rest.pop(0)
    return None


def _parts(tokens: list[Token]) -> Iterator[tuple[list[Token], str]]:
    """The tokens of each simple command, and the operator after it."""
    part: list[Token] = []
    for token in tokens:
        if token.operator and token.text in SEPARATORS:
            if part:
                yield part, token.text
            part = []
        else:
            part.append(token)
    if part:
        yield part, ""


def _end(tokens: list[Token], part: list[Token], text: str) -> int:
    """The offset at which the part ends: that of the operator after it."""
    following = tokens.index(part[-1]) + 1
    return tokens[following].start if following < len(tokens) else len(text)


def _words_of(
    part: list[Token],
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], bool]:
    """Words and assignments without redirections and reserved words; whether a loop begins."""
    words: list[str] = []
    environment: list[tuple[str, str]] = []
    opens_loop = False
    rest = iter(part)
    for token in rest:
        if token.operator:
            if token.text in REDIRECTIONS:
                next(rest, None)
        elif not words and not token.quoted and token.text in OPENING_WORDS:
            opens_loop = opens_loop or token.text in LOOPS
        elif not words and not token.quoted and token.text in OTHER_RESERVED:
            return (), tuple(environment), opens_loop
        elif not words and token.assigns:
            environment += _assignments((token.text,))
        else:
            words.append(token.text)
    return tuple(words), tuple(environment), opens_loop


def _assignments(words: tuple[str, ...]) -> list[tuple[str, str]]:
    found = (ASSIGNMENT.fullmatch(word) for word in words)
    return [(one[1], one[2]) for one in found if one]
