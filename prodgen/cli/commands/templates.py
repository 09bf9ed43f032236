"""`prodgen templates`: the texts that config is made from, and a user's own in their place."""

from __future__ import annotations

from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

import click

from prodgen.app.reports.text import show_diagnostics
from prodgen.app.terminal.text import printable, write_stderr
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import F, NamedChoice, colors_messages
from prodgen.deploy.output.user_templates import (
    OwnTemplates,
    accept_templates,
    compare_templates,
    copy_templates,
    read_templates,
)
from prodgen.diagnostics import Diagnostic, error, has_errors
from prodgen.host.door import rights_for
from prodgen.targets.core.templating import shipped_templates
from prodgen.targets.registry import MODULES

FOLDER = click.Path(path_type=Path)


def _target_option(function: F) -> F:
    return click.option(
        "-t",
        "--target",
        "targets",
        type=NamedChoice(tuple(MODULES)),
        metavar="NAME",
        multiple=True,
        help=f"Only those of {', '.join(MODULES)}; may be given several times.",
    )(function)


def _chosen(targets: tuple[str, ...]) -> dict[str, str]:
    """The shipped templates of these targets, or of all."""
    texts = shipped_templates().items()
    return {name: text for name, text in texts if not targets or name.split("/")[0] in targets}


@click.group("templates", no_args_is_help=False)
def command() -> None:
    """Change the text of the config itself.

    Copy what you want to change into a folder of yours, and render with
    `--templates DIR`; a file there takes the place of prodgen's own. What the
    templates can use is in docs/templates.md.
    """


@command.command("list")
@_target_option
def list_names(*, targets: tuple[str, ...]) -> int:
    """List the templates."""
    for name in _chosen(targets):
        click.echo(name)
    return Exit.DONE


@command.command("copy")
@click.argument("folder", type=FOLDER, metavar="DIR")
@_target_option
def copy(*, folder: Path, targets: tuple[str, ...]) -> int:
    """Copy templates into DIR, to be changed there; no file is overwritten."""
    texts = _chosen(targets)
    found = _guarded(lambda: copy_templates(folder, texts), folder)
    if _failed(found):
        return Exit.ERROR
    for name in texts:
        write_stderr(f"create    {printable(str(folder / name))}\n")
    return Exit.DONE


@command.command("diff")
@click.argument("folder", type=FOLDER, metavar="DIR")
def diff(*, folder: Path) -> int:
    """Show what the templates in DIR change, and what prodgen changed since.

    The second needs to know what a copy was made from: `copy` keeps that in
    DIR/.prodgen.
    """
    own, found = _read(folder)
    if _failed(found):
        return Exit.ERROR
    for one in compare_templates(own, folder):
        before, after = (text.splitlines() for text in (one.before, one.after))
        click.echo(f"# {printable(one.title)}")
        for line in unified_diff(before, after, *one.names, lineterm=""):
            click.echo(line)
    return Exit.DONE


@command.command("accept")
@click.argument("folder", type=FOLDER, metavar="DIR")
def accept(*, folder: Path) -> int:
    """Note that the templates in DIR go with this version of prodgen.

    Do it once you have taken over what `diff` shows of prodgen's changes.
    """
    own, found = _read(folder)
    if _failed([one for one in found if one.code != "PG743"]):
        return Exit.ERROR
    return _accept(folder, own)


def _accept(folder: Path, own: OwnTemplates) -> int:
    noted: list[str] = []
    if _failed(_guarded(lambda: noted.extend(accept_templates(folder, own)), folder)):
        return Exit.ERROR
    for name in noted:
        write_stderr(f"accept    {printable(str(folder / name))}\n")
    return Exit.DONE


def _read(folder: Path) -> tuple[OwnTemplates, list[Diagnostic]]:
    with rights_for(folder):
        return read_templates(folder)


def _guarded(write: Callable[[], list[Diagnostic] | None], folder: Path) -> list[Diagnostic]:
    """Run `write`; returns its diagnostics, or why the folder cannot be written."""
    try:
        with rights_for(folder):
            return write() or []
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        return [error("PG801", f"cannot write {failure.filename or folder}: {reason}")]


def _failed(found: list[Diagnostic]) -> bool:
    """Show the diagnostics; returns whether one of them is an error."""
    show_diagnostics(found, color=colors_messages("auto"))
    return has_errors(found)
