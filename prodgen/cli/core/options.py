"""Options that mean the same in every command that has them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.terminal.color import wants_color
from prodgen.targets.registry import MODULES

F = TypeVar("F", bound=Callable[..., Any])

TARGET_NAMES = (*MODULES, "all")


class NamedChoice(click.Choice[str]):
    """A choice that suggests the nearest name for a misspelt one."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.choices:
            return value
        from difflib import get_close_matches

        near = get_close_matches(value, self.choices, 1)
        guess = f"; did you mean `{near[0]}`?" if near else ""
        raise click.BadParameter(f"there is no `{value}`{guess}", ctx, param)


def folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG001
    """Shell completion of a folder."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


def environment_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG001
    """Shell completion of an environment."""
    from prodgen.cli.core import completions

    return completions.environments(ctx, incomplete)


def _folder(ctx: click.Context, param: click.Parameter, value: str | None) -> Path | None:
    """The path of a folder; reading it tells whether it is a bench.

    sudo cannot tell `-C /path` as one argument from two: it would let `-C` and a folder ` /path`
    of the current one pass for them.
    """
    if value == "":
        raise click.BadParameter("the path is empty", ctx, param)
    if value and value[0].isspace():
        raise click.BadParameter(f"the path {value!r} begins with a blank", ctx, param)
    return None if value is None else Path(value)


def bench_option(function: F) -> F:
    """`-C`, `--env` and `--config`, handed to the command as one `bench`."""

    @wraps(function)
    def call(*, bench: Selection, environment: str | None, **rest: object) -> object:
        chosen = Selection(bench.folder, environment, bench.settings)
        return function(bench=chosen, **rest)

    environment = click.option(
        "--env",
        "environment",
        default=None,
        shell_complete=environment_names,
        metavar="NAME",
        help="One of the environments in prodgen.yaml.",
    )
    return cast("F", settings_option(environment(call)))


def settings_option(function: F) -> F:
    """`-C` and `--config`, for a command that has its own `--env`."""

    @wraps(function)
    def call(*, bench: Path | None, config: Path | None, **rest: object) -> object:
        return function(bench=Selection(bench, None, config), **rest)

    config = click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=None,
        metavar="FILE",
        help="The settings. Default: prodgen.yaml of the bench, if there is one.",
    )
    bench = click.option(
        "-C",
        "--bench",
        default=None,
        callback=_folder,
        shell_complete=folders,
        metavar="DIR",
        help="The bench, or a folder inside it. Default: the current folder.",
    )
    return cast("F", bench(config(call)))


def locked_option(function: F) -> F:
    """`--locked`."""
    return click.option(
        "--locked",
        is_flag=True,
        help="Detect nothing on this machine: a fact that is needed but not declared is an error.",
    )(function)


def templates_option(function: F) -> F:
    """`--templates`."""
    return click.option(
        "--templates",
        type=click.Path(path_type=Path),
        default=None,
        metavar="DIR",
        help="A folder of your own templates (`prodgen templates copy` fills one).",
    )(function)


def format_option(words: str, names: Iterable[str] = ("text", "json")) -> Callable[[F], F]:
    """`--format` with the names of formats that a command has; text, the first, is the default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(list(names)),
        default="text",
        show_default=True,
        help=words,
    )


def report_options(function: F) -> F:
    """`--color`, `-q` and `--strict`."""
    color = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="When to colour; auto is on a terminal. NO_COLOR turns it off, FORCE_COLOR on.",
    )
    quiet = click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
    strict = click.option("--strict", is_flag=True, help="Treat warnings as errors.")
    return strict(quiet(color(function)))


def colors_messages(choice: str) -> bool:
    """Whether messages, which go to standard error, are coloured; `choice` is `--color`."""
    return wants_color(choice, sys.stderr)


def supervisor_option(function: F) -> F:
    """`--supervisor-config`."""
    return click.option(
        "--supervisor-config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The supervisord.conf of the supervisord to use. Default: the machine's own.",
    )(function)
