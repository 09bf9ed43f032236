"""`prodgen apply`: exactly the change that `prodgen diff` shows, or nothing."""

from __future__ import annotations

import errno
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.host_files import host_notes
from prodgen.app.pipeline import Outcome, plan_bench, render_targets
from prodgen.app.reports.text import show
from prodgen.app.review import Sides, Stopped, read_artifacts, with_config
from prodgen.app.running_bench import admit, context_from
from prodgen.app.saved_review import check_review
from prodgen.app.terminal.text import say
from prodgen.app.write_output import make_complete
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.live_events import reporter
from prodgen.cli.core.options import (
    TARGET_NAMES,
    NamedChoice,
    bench_option,
    colors_messages,
    format_option,
    report_options,
    supervisor_option,
)
from prodgen.cli.core.print_review import show_review
from prodgen.cli.core.report import has_failed
from prodgen.deploy.apply.apply import End, Job, apply, recover_interrupted
from prodgen.deploy.apply.apply import Outcome as Ended
from prodgen.deploy.apply.bench_setup import program
from prodgen.deploy.apply.history import (
    NothingToRollBack,
    created_files,
    former_artifacts,
    former_production_keys,
    replaced_files,
)
from prodgen.deploy.apply.installed import look, state_folder
from prodgen.deploy.core.errors import DeployError
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.trust import Danger, danger_below, danger_on_way
from prodgen.plan.core.model import Plan
from prodgen.review.core.file_sets import side_of
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.registry import target_names, with_companions


@click.command("apply")
@click.argument("rendered", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@bench_option
@click.option(
    "-t",
    "--target",
    "names",
    type=NamedChoice(TARGET_NAMES),
    metavar="NAME",
    multiple=True,
    default=("all",),
    help="What to install; may be given several times. Default: all.",
)
@click.option("--rollback", is_flag=True, help="Install what was there before the last apply.")
@click.option(
    "--reviewed",
    "review",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Apply only what `prodgen diff -o FILE` has shown; refuse if anything has moved since.",
)
@click.option("--recover", type=click.Path(path_type=Path), hidden=True)
@click.option("--overwrite", is_flag=True, help="Replace files too that prodgen did not leave so.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the change; change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@supervisor_option
@format_option("Lines to read, or one JSON object for each event.")
@report_options
def command(
    *,
    rendered: Path | None,
    bench: Selection,
    names: tuple[str, ...],
    rollback: bool,
    review: Path | None,
    recover: Path | None,
    overwrite: bool,
    dry_run: bool,
    yes: bool,
    supervisor_config: Path | None,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Install the bench's config, and restart only what has to.

    Shows the change and asks. New files are tried by nginx, Supervisor and
    systemd before any live one changes; a failure leaves everything as it was.
    PATH is a folder or archive that `render -o` made for this bench.
    """
    if recover:
        from prodgen.deploy.apply.recovery import recover_at_boot

        say(f"{recover_at_boot(recover)}\n")
        return Exit.DONE
    _check_usage(rendered, "--target" if names != ("all",) else "", review, rollback=rollback)
    options = ApplyOptions(
        names, rendered, rollback, review, overwrite, dry_run, yes, supervisor_config, form, color
    )
    outcome = plan_bench(bench, locked=False, programs={"nginx", "systemd"})
    try:
        admit(outcome, dry_run=dry_run)
        if outcome.plan and not dry_run:
            recover_first(outcome, outcome.plan, options, quiet=quiet)
        artifacts = options.artifacts(outcome)
        if has_failed(outcome, strict=strict, quiet=True, color=color) or not outcome.plan:
            return Exit.ERROR
        return _run(outcome.plan, outcome, artifacts, options, quiet=quiet)
    except Stopped as stopped:
        show(stopped.found, color=colors_messages(color))
    except DeployError as refused:
        show(refused.found, color=colors_messages(color))
    except OSError as failure:
        show([failure_of(failure)], color=colors_messages(color))
    return Exit.ERROR


def _check_usage(
    rendered: Path | None, target: str, review: Path | None, *, rollback: bool
) -> None:
    if rendered and target:
        raise click.UsageError(f"{rendered} is rendered already: {target} goes with a bench")
    for given in (rendered, target, review and "--reviewed"):
        if rollback and given:
            raise click.UsageError(
                f"--rollback takes back the whole of the last apply: it goes without {given}"
            )


class ApplyOptions(NamedTuple):
    """What the options ask for."""

    names: tuple[str, ...]
    rendered: Path | None
    rollback: bool
    review: Path | None
    overwrite: bool
    dry_run: bool
    yes: bool
    supervisor_config: Path | None
    form: str
    color: str

    def artifacts(self, outcome: Outcome) -> list[Artifact]:
        """What shall be installed, with its manifest; none where the bench has errors."""
        plan = outcome.plan
        if plan is None:
            return []
        if self.rollback:
            return _former(Path(state_folder(plan)))
        if self.rendered:
            _require_trust(self.rendered)
            made = read_artifacts(self.rendered)
            if made.bench != plan.bench_name.value:
                raise Stopped(_other_bench(made.bench, plan.bench_name.value))
            return list(made.artifacts)
        made_now = render_targets(
            outcome, with_companions(target_names(self.names, plan.manager.value))
        )
        return make_complete(made_now, outcome)


def recover_first(outcome: Outcome, plan: Plan, options: ApplyOptions, *, quiet: bool) -> None:
    """Ends or undoes what an interrupted apply left, before anything is compared."""
    report = reporter(options.form, quiet=quiet, color=colors_messages(options.color))
    state = Path(state_folder(plan))
    recover_interrupted(
        Job(context_from(outcome), [], state, report, supervisor_config=options.supervisor_config)
    )


def _run(
    plan: Plan,
    outcome: Outcome,
    artifacts: Sequence[Artifact],
    options: ApplyOptions,
    *,
    quiet: bool,
) -> int:
    if not quiet:
        show(host_notes(artifacts), color=colors_messages(options.color))
    new = side_of(artifacts)
    state = state_folder(plan)
    made = created_files(Path(state)) if options.rollback else {}
    found = look(Path("/"), state, made | {path: one.target for path, one in new.items()})
    replaces = {path: found.side[path] for path in made if path in found.side}
    reasons = None if options.rollback or options.rendered else plan
    drift = tuple(one for one in found.drift if one.path not in replaces)
    sides = Sides(found.side, new, reasons, drift, plan.bench_name.value)
    keys = former_production_keys(Path(state)) if options.rollback else None
    sides = with_config(sides, plan, outcome.door, keys, options.supervisor_config)
    changed = show_review(sides, options.color)
    if options.review:
        check_review(options.review, sides)
    if options.dry_run or not changed:
        return Exit.DONE
    if not options.yes and not agreed():
        say("prodgen: nothing was changed\n")
        return Exit.ERROR
    job = Job(
        context_from(outcome),
        artifacts,
        Path(state),
        reporter(options.form, quiet=quiet, color=colors_messages(options.color)),
        overwrite=options.overwrite,
        supervisor_config=options.supervisor_config,
        keys=keys,
        is_planned=reasons is not None,
        broken_sites=find_broken_sites(outcome),
        replaces=replaces,
        restores=replaced_files(Path(state)) if options.rollback else (),
    )
    return said(apply(job), plan, options)


def find_broken_sites(outcome: Outcome) -> list[str]:
    """Folders of sites whose files have errors: they are in no plan."""
    if outcome.files is None or outcome.bench is None:
        return []
    read = {site.name for site in outcome.bench.sites}
    return [one.name for one in outcome.files.sites if one.name not in read]


def agreed() -> bool:
    """Whether somebody at a terminal says yes."""
    require_terminal()
    return click.confirm("Apply this?", err=True)


def require_terminal() -> None:
    """Raises Stopped where nobody can be asked."""
    if not sys.stdin.isatty():
        raise Stopped(
            error("PG805", "nobody is there to say yes", None, "add --yes to apply without asking")
        )


def said(ended: Ended, plan: Plan, options: ApplyOptions) -> int:
    """Says how an apply ended; the exit code."""
    if ended.end is End.REFUSED:
        show(ended.refusals, color=colors_messages(options.color))
        return Exit.ERROR
    if ended.end is End.UNHEALTHY:
        say("prodgen: the new config is in place, but not all is well; to go back:\n")
        say(f"  {_rollback_command(plan, options)}\n")
        return Exit.UNHEALTHY
    return Exit.DONE


def _rollback_command(plan: Plan, options: ApplyOptions) -> str:
    """The command that undoes this apply, for a shell in any folder."""
    words = ["apply", "--rollback", "-C", str(plan.bench.value)]
    if options.supervisor_config:
        words += ["--supervisor-config", str(options.supervisor_config.absolute())]
    return f"{program()} {shlex.join(words)}"


def _former(state: Path) -> list[Artifact]:
    try:
        return former_artifacts(state)
    except NothingToRollBack as nothing:
        way_out = "install its config with `prodgen apply`; that can be taken back"
        raise Stopped(error("PG808", str(nothing), None, way_out)) from None


def _require_trust(path: Path) -> None:
    """As root: raises Stopped where somebody else could change what is about to be installed."""
    if os.geteuid() != 0 or not path.exists():
        return
    danger = danger_on_way(path.absolute()) or danger_below(path)
    if danger:
        raise Stopped(_not_roots(danger))


def _not_roots(danger: Danger) -> Diagnostic:
    return error(
        "PG809",
        str(danger),
        None,
        "copy it to a folder of root's, look at it there with `prodgen diff`, and apply that",
    )


def _other_bench(named: str, here: str) -> Diagnostic:
    return error(
        "PG804",
        f"it was rendered for the bench {named}, and this one is {here}",
        None,
        "name the bench with -C, or render it anew",
    )


def failure_of(failure: OSError) -> Diagnostic:
    """What of the host could not be read or written."""
    reason = (failure.strerror or str(failure)).lower()
    may = "run it with sudo" if failure.errno in (errno.EACCES, errno.EPERM) else "mend that"
    return error(
        "PG801",
        f"cannot apply: {failure.filename or ''}: {reason}",
        None,
        f"nothing was changed; {may}, and try again",
    )
