"""`prodgen render`: artifacts to standard output, into a folder or into an archive."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.output_path import STDOUT, as_text, check_output
from prodgen.app.pipeline import PlanResult, plan_bench, render_targets, use_templates
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.terminal.text import printable, write_stderr
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import (
    TARGET_NAMES,
    NamedChoice,
    bench_option,
    colors_messages,
    locked_option,
    report_options,
    templates_option,
)
from prodgen.cli.core.report import has_failed, say_nothing_made
from prodgen.diagnostics import Diagnostic, note
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.registry import MODULES, target_names, with_companions


def _checked(context: click.Context, option: click.Parameter, value: str) -> str:
    fault = check_output(value)
    if fault:
        raise click.BadParameter(fault, context, option)
    return value


@click.command("render")
@click.option(
    "-t",
    "--target",
    "names",
    type=NamedChoice(TARGET_NAMES),
    metavar="NAME",
    multiple=True,
    default=("all",),
    help=f"What to make: {', '.join(MODULES)} or all; may be given several times. "
    "Default: all, which is the config of the bench's process manager and of nginx.",
)
@bench_option
@click.option(
    "-o",
    "--output",
    default=STDOUT,
    metavar="PATH",
    callback=_checked,
    help="A folder, a .tar, a .tar.gz, or - for standard output, which is the default.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 2 if the output would change.")
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace files even if they were edited, or are not prodgen's.",
)
@templates_option
@locked_option
@report_options
def command(
    *,
    names: tuple[str, ...],
    bench: Selection,
    output: str,
    check: bool,
    overwrite: bool,
    templates: Path | None,
    locked: bool,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Make the production config of a bench.

    Without -o it goes to standard output: one file as it is, several each under
    a comment line with its path. A folder gets exactly the files asked for, a
    README.md that says how to install them, and a manifest.json that lists them;
    what an earlier run left and this one does not make is removed, and what is
    not prodgen's stays.
    """
    if check and output == STDOUT:
        raise click.UsageError("--check compares with an output: name it with -o")
    planned = plan_bench(bench, locked=locked, programs=_programs(names))
    use_templates(planned, templates)
    artifacts = _artifacts(planned, names, to_stdout=output == STDOUT)
    if has_failed(planned, strict=strict, quiet=quiet, color=color):
        say_nothing_made(planned, strict=strict, quiet=quiet)
        return Exit.ERROR
    if output == STDOUT:
        click.echo(as_text(artifacts), nl=False)
        return Exit.DONE
    from prodgen.app.write_output import write_output

    written = write_output(output, artifacts, planned, check=check, overwrite=overwrite)
    if not quiet:
        write_stderr(
            "".join(f"{verb.value:<9} {printable(path)}\n" for verb, path in written.changes)
        )
    show_diagnostics(written.found, color=colors_messages(color))
    if written.found:
        return Exit.ERROR
    return Exit.PENDING if check and written.is_changed else Exit.DONE


def _programs(names: tuple[str, ...]) -> set[str]:
    """The programs whose versions the targets' output depends on."""
    wanted = set(names)
    if "all" in wanted:
        wanted |= {"nginx", "systemd"}
    return wanted & {"nginx", "systemd"}


def _artifacts(planned: PlanResult, names: tuple[str, ...], *, to_stdout: bool) -> list[Artifact]:
    """Render the targets asked for and, unless to standard output, their companions."""
    if planned.plan is None:
        return []
    targets = target_names(names, planned.plan.manager.value)
    complete = with_companions(targets)
    if not to_stdout:
        return render_targets(planned, complete)
    files = planned.plan.config_files
    left_out = {name: files[name] for name in complete if name not in targets and files[name]}
    if left_out:
        planned.diagnostics.append(_mention(left_out))
    return render_targets(planned, targets)


def _mention(left_out: dict[str, list[PurePosixPath]]) -> Diagnostic:
    """Standard output gets only what was asked for, since it may be redirected into one file."""
    places = ", ".join(str(path) for paths in left_out.values() for path in paths)
    options = " ".join(f"-t {name}" for name in left_out)
    return note(
        "PG703",
        f"this config needs {places} too",
        None,
        f"print that with `{options}`, or write everything with `-o DIR`",
    )
