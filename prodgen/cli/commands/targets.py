"""`prodgen targets`: what can be made."""

from __future__ import annotations

import click

from prodgen.targets.registry import MODULES, load_target


@click.command("targets")
def command() -> int:
    """List what `render` can make."""
    for target in map(load_target, MODULES):
        click.echo(f"{target.name:<12} {target.summary}")
    click.echo(f"{'all':<12} what the bench's manager needs, and nginx")
    return 0
