"""The click group that the commands belong to, and what it says to wrong usage."""

from __future__ import annotations

import importlib
import sys
from typing import cast

import click

from prodgen import __version__
from prodgen.app.terminal.text import columns_of, printable, wrapped
from prodgen.cli.command_list import COMMANDS


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module:
            return cast("click.Command", importlib.import_module(module).command)
        if ctx.resilient_parsing:
            return None
        from difflib import get_close_matches

        near = get_close_matches(cmd_name, COMMANDS, 1)
        raise click.UsageError(
            f"there is no command `{cmd_name}`" + (f"; did you mean `{near[0]}`?" if near else ""),
            ctx,
        )


def _show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.resources import files

    record = files("prodgen") / "commit.txt"  # hatch_build.py makes it; a checkout has none
    built = f" (commit {record.read_text('utf-8').strip()})" if record.is_file() else ""
    click.echo(f"prodgen {__version__}{built}")
    context.exit()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND] [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Exit codes: 0 done, 1 error, 2 changes pending (--check, --detailed-exitcode), "
    "4 not healthy, 64 wrong usage, 70 internal error, 130 interrupted.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, and the commit it was built from.",
)
@click.pass_context
def prodgen(context: click.Context) -> None:
    """Turn a Frappe bench in development into production config.

    Reads the bench's Procfile and JSON files; makes config for Supervisor,
    systemd, nginx and Gunicorn. Start in a bench with:

        prodgen render --target supervisor
    """
    if context.invoked_subcommand is None:
        from prodgen.cli.welcome import welcome

        click.echo(welcome())


def wrong_usage(wrong: click.UsageError) -> str:
    """What is wrong with the command line, and how to get help."""
    path = wrong.ctx.command_path if wrong.ctx else "prodgen"
    message = f"error: {printable(wrong.format_message())}"
    lines = wrapped(message, columns_of(sys.stderr), "  ")
    return "\n".join([*lines, f"  help: `{path} --help` shows the usage"])
