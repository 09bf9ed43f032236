"""`prodgen diff`: what would change, and what that does to what runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.diff import DiffOptions, compare
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.review import (
    Stopped,
)
from prodgen.app.saved_review import write_review
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import (
    TARGET_NAMES,
    NamedChoice,
    colors_messages,
    environment_names,
    format_option,
    locked_option,
    report_options,
    settings_option,
    templates_option,
)
from prodgen.cli.core.print_review import print_review
from prodgen.cli.core.report import has_failed
from prodgen.review.report.reporters import REPORTERS


@click.command("diff")
@click.argument("rendered", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@settings_option
@click.option(
    "--env",
    "environments",
    multiple=True,
    shell_complete=environment_names,
    metavar="NAME",
    help="One of the environments in prodgen.yaml; two are compared with each other.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Compare with this folder or archive of `render -o`, not with what is installed.",
)
@click.option(
    "-t",
    "--target",
    "names",
    type=NamedChoice(TARGET_NAMES),
    metavar="NAME",
    multiple=True,
    default=("all",),
    help="What to compare; may be given several times. Default: all.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("/"),
    metavar="DIR",
    help="The root of the host whose installed files are compared. Default: /.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the review, for `prodgen apply --reviewed FILE`.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if anything would change.")
@templates_option
@locked_option
@format_option(
    "Text, one JSON object, a comment for a pull request, or annotations of GitHub Actions.",
    REPORTERS,
)
@report_options
def command(
    *,
    rendered: Path | None,
    bench: Selection,
    environments: tuple[str, ...],
    against: Path | None,
    names: tuple[str, ...],
    root: Path,
    output: Path | None,
    detailed_exitcode: bool,
    templates: Path | None,
    locked: bool,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Show what would change on this host, and what that restarts.

    Compares the bench's config, or the folder or archive PATH that `render -o`
    made, with what is installed. First the lines that differ, then what happens
    to each process, unit and server, why, and how long it may take.
    """
    targets = () if names == ("all",) else names
    of_bench = {"--env": environments, "--templates": templates, "--target": targets}
    _check_usage(rendered, environments, against, of_bench, root)
    options = DiffOptions(bench, environments, rendered, against, root, names, templates, locked)
    try:
        comparison = compare(
            options, lambda found: has_failed(found, strict=strict, quiet=quiet, color=color)
        )
        if output:
            write_review(output, comparison)
    except Stopped as stopped:
        show_diagnostics(stopped.found, color=colors_messages(color))
        return Exit.ERROR
    changed = print_review(comparison, form, color)
    return Exit.PENDING if changed and detailed_exitcode else Exit.DONE


def _check_usage(
    rendered: Path | None,
    environments: tuple[str, ...],
    against: Path | None,
    of_bench: Mapping[str, object],
    root: Path,
) -> None:
    """`of_bench` are options that say how a bench is rendered."""
    if len(environments) > 2:
        raise click.UsageError("--env takes two names at most: the old and the new one")
    if len(environments) == 2 and (against or rendered):
        raise click.UsageError("two --env are compared with each other, with nothing else")
    if root != Path("/") and (against or len(environments) == 2):
        raise click.UsageError("--root is where installed files lie, and none are compared here")
    for option, given in of_bench.items():
        if rendered and given:
            raise click.UsageError(f"{rendered} is rendered already: {option} goes with a bench")
