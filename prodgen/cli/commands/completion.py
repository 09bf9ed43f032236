"""`prodgen completion`: what a shell needs to complete prodgen's command line."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

VARIABLE = "_PRODGEN_COMPLETE"
"""With it the shell's function asks prodgen for words (click's name for a program `prodgen`)."""
SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print what SHELL needs to complete the commands and options.

    \b
    ~/.bashrc                    source <(prodgen completion bash)
    ~/.zshrc, after compinit     source <(prodgen completion zsh)
    ~/.config/fish/config.fish   prodgen completion fish | source
    """
    click.echo(script(context.find_root().command, shell), nl=False)
    return 0


def script(program: click.Command, shell: str) -> str:
    """The completion function of a shell, as click writes it."""
    maker = SHELLS[shell](program, {}, "prodgen", VARIABLE)
    return (maker.source_template % maker.source_vars()).strip() + "\n"
