"""commands.md and exit-codes.md: what `--help` knows, a section a command."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from prodgen.cli.core.exits import Exit
from prodgen.cli.group import prodgen
from prodgen.cli.manpages import ENVIRONMENT, EXITS
from tests.docs.reference.markdown import code, head, plain, table

PIPE = (str(Exit.PIPE.value), "The reader of standard output went away, as `head` does.")


def commands() -> Iterator[str]:
    """The lines of commands.md."""
    yield from head(
        "Commands",
        "`prodgen COMMAND --help` and `man prodgen-COMMAND` say the same. Without a command, "
        "prodgen says what it sees here and what to type next.",
    )
    yield from _command(prodgen, "prodgen")
    yield ""
    yield "## Environment"
    yield ""
    for name, words in ENVIRONMENT:
        yield f"- `{name}`: {plain(words)}"


def exit_codes() -> Iterator[str]:
    """The lines of exit-codes.md."""
    yield from head(
        "Exit codes",
        "Every command ends with one of these. Artifacts, diffs and JSON go to standard output, "
        "messages to standard error.",
    )
    yield ""
    yield from table(("code", "what it means"), ((f"`{one}`", plain(text)) for one, text in EXITS))
    yield ""
    yield f"And `{PIPE[0]}`: {plain(PIPE[1])}"


def _command(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, **prodgen.context_settings)
    yield ""
    yield f"## {path}"
    yield ""
    yield "```text"
    yield " ".join([path, *command.collect_usage_pieces(context)])
    yield "```"
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        yield ""
        yield from _paragraph(paragraph)
    yield ""
    for parameter in command.get_params(context):
        yield from _option(parameter, context)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        inner = command.get_command(context, name)  # type: ignore[attr-defined]
        if inner and not inner.hidden:
            yield from _command(inner, f"{path} {name}")


def _option(parameter: click.Parameter, context: click.Context) -> Iterator[str]:
    """One line: how it is written, what it does, and its default where that is no text of it."""
    record = parameter.get_help_record(context)
    if record and record[1]:
        written, words = record
        words, _, default = words.partition("  [default: ")
        shown = f" Default: {code(default.rstrip(']'))}." if default else ""
        yield f"- {code(written)}: {plain(words)}{shown}"


def _paragraph(text: str) -> Iterator[str]:
    """A paragraph of the help; one that keeps its lines (click's \\b, or indented) is code."""
    lines = text.removeprefix("\b").strip("\n").splitlines()
    if text.startswith("\b") or all(line.startswith("    ") for line in lines):
        yield "```text"
        yield from inspect.cleandoc("\n".join(lines)).splitlines()
        yield "```"
        return
    yield plain(" ".join(lines))
