"""Man pages, one a command, made of what `--help` knows (man(7), man-pages(7)).

The pages in share/man are made by `make golden`; a test tells where they are not up to date.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence

import click

from prodgen.cli.group import prodgen

FILES = (
    ("Procfile", "What runs: the file that prodgen starts from."),
    ("sites/common_site_config.json", "Ports, workers, queues, Redis."),
    ("sites/*/site_config.json", "The names and certificates of each site."),
    ("prodgen.yaml", "Settings, optional; `prodgen init` writes one that explains them all."),
)
EXITS = (
    ("0", "Done, or no change."),
    ("1", "An error; nothing was made or changed."),
    ("2", "Changes are pending; only with `--check` and `--detailed-exitcode`."),
    ("4", "Applied, or running, but a service is not healthy."),
    ("64", "Wrong usage."),
    ("70", "A bug in prodgen."),
    ("130", "Interrupted."),
)
ENVIRONMENT = (
    ("NO_COLOR", "If it is set, nothing is coloured."),
    (
        "FORCE_COLOR",
        "If it is set, and NO_COLOR is not, all is coloured, terminal or not.",
    ),
    ("PRODGEN_DEBUG", "If it is set, a bug is reported with its traceback."),
)


def pages() -> dict[str, str]:
    """The text of every page in roff, by file name."""
    return dict(_pages(prodgen, "prodgen"))


def _pages(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=path, **prodgen.context_settings)
    yield f"{path.replace(' ', '-')}.1", "\n".join(_page(command, path, context)) + "\n"
    for name, inner in _commands(command, context):
        yield from _pages(inner, f"{path} {name}")


def _commands(command: click.Command, context: click.Context) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return []
    found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    return [(name, inner) for name, inner in found if inner and not inner.hidden]


def _page(command: click.Command, path: str, context: click.Context) -> Iterator[str]:
    name = path.replace(" ", "-")
    first, *rest = re.split(r"\n\s*\n", inspect.cleandoc(command.help or ""))
    yield f'.TH {_escaped(name.upper())} 1 "" prodgen "User Commands"'
    yield ".nh\n.ad l"
    yield ".SH NAME"
    yield f"{_escaped(name)} \\- {_text(first.rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B {_escaped(path)}"
    yield _escaped(" ".join(command.collect_usage_pieces(context)))
    yield ".SH DESCRIPTION"
    yield _text(first)
    for paragraph in rest:
        yield from _paragraph(paragraph)
    records = (parameter.get_help_record(context) for parameter in command.get_params(context))
    yield from _section("OPTIONS", [one for one in records if one and one[1]])
    inner = [
        (other, f"{one.get_short_help_str(200)} See {name}-{other}(1).")
        for other, one in _commands(command, context)
    ]
    yield from _section("COMMANDS", inner)
    if command is prodgen:
        yield from _section("FILES", FILES)
        yield from _section("ENVIRONMENT", ENVIRONMENT)
    yield from _section("EXIT STATUS", EXITS)
    if command is not prodgen:
        yield ".SH SEE ALSO"
        yield ".BR prodgen (1)"


def _section(head: str, entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Terms and their descriptions under a heading; nothing if there are none."""
    if entries:
        yield f".SH {head}"
    for term, words in entries:
        yield f".TP\n.B {_escaped(term)}"
        yield _text(words)


def _paragraph(text: str) -> Iterator[str]:
    """A paragraph of the help; one that starts with click's \\b keeps its lines."""
    keeps = text.startswith("\b")
    lines = text.removeprefix("\b").strip("\n").splitlines()
    if not keeps and all(line.startswith("    ") for line in lines):
        keeps, lines = True, [line.removeprefix("    ") for line in lines]
    yield ".PP"
    if not keeps:
        yield _text(" ".join(lines))
        return
    yield ".RS 4\n.nf"
    yield from map(_text, lines)
    yield ".fi\n.RE"


def _text(text: str) -> str:
    """The text as roff; text in backticks is bold."""
    parts = re.split(r"`([^`]*)`", text.replace("\n", " "))
    made = "".join(f"\\fB{_escaped(part)}\\fR" if number % 2 else _escaped(part)
                   for number, part in enumerate(parts))  # fmt: skip
    return f"\\&{made}" if made.startswith((".", "'")) else made


def _escaped(text: str) -> str:
    """Escape what roff would interpret; a hyphen stays one that can be copied."""
    for char, escape in (("\\", r"\e"), ("-", r"\-"), ("'", r"\(aq"), ("^", r"\(ha"),
                         ("~", r"\(ti"), ("`", r"\(ga"), ('"', r"\(dq")):  # fmt: skip
        text = text.replace(char, escape)
    return text
