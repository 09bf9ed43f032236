"""The search in the table of Procfile lines."""

from __future__ import annotations

import re

from prodgen.plan.core.command_shape import SimpleCommand
from prodgen.plan.core.line_forms import Form
from prodgen.plan.core.line_table import BACKGROUND, BUILDERS, DAEMON_OPTIONS, FORMS, WATCHERS
from prodgen.plan.core.wrappers import PACKAGE_RUNNERS

VALUED = frozenset({"--site", "--use-feature", "--bench-path"})
"""Options before a command of bench or Frappe whose value is the next word."""


def find_form(command: SimpleCommand) -> Form | None:
    """The first row that matches the command; None for a program that no row has."""
    words = _past_runner(command.words)
    program, text = words[0], " ".join(words[1:])
    daemon = DAEMON_OPTIONS.get(program)
    if daemon and ("-" in text or "multi" in text) and re.fullmatch(daemon, text):
        return BACKGROUND
    return next((form for form in FORMS if _matches(form, program, words[1:], text)), None)


def _past_runner(words: tuple[str, ...]) -> tuple[str, ...]:
    """`tailwindcss -w` for `yarn tailwindcss -w`, as far as the tool is in the table."""
    if words[0] in PACKAGE_RUNNERS and len(words) > 1 and words[1] in (*BUILDERS, *WATCHERS):
        return words[1:]
    return words


def _matches(form: Form, program: str, words: tuple[str, ...], text: str) -> bool:
    return (
        program in form.programs
        and (not form.commands or bench_command(words)[0] in form.commands)
        and (not form.flags or any(flag in words for flag in form.flags))
        and (not form.pattern or bool(re.fullmatch(form.pattern, text)))
    )


def bench_command(words: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The command in the words after `bench`, its arguments, and the options before it."""
    rest = list(words)
    before: list[str] = []
    while rest and rest[0].startswith("-"):
        before.append(rest.pop(0))
        if before[-1] in VALUED and rest:
            before.append(rest.pop(0))
    return (rest[0] if rest else "", tuple(rest[1:]), tuple(before))
