"""`prodgen restart`: new code everywhere, and nobody notices."""

from __future__ import annotations

from pathlib import Path

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import PlanResult, plan_bench
from prodgen.app.running_bench import admit, context_from
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.live_events import reporter, say_refusal
from prodgen.cli.core.options import (
    bench_option,
    colors_messages,
    format_option,
    report_options,
    supervisor_option,
)
from prodgen.cli.core.report import has_failed
from prodgen.deploy.core.errors import DeployError


@click.command("restart")
@click.argument("parts", nargs=-1, metavar="[PART]...")
@bench_option
@click.option(
    "--now",
    is_flag=True,
    help="The system is down: everything at once. Running jobs and requests are cut off.",
)
@click.option(
    "--wait-workers/--no-wait-workers",
    default=None,
    help="Suspend all workers and wait until none runs a job before anything restarts; "
    "or tell them to stop and return. Default: wait until each has finished its job.",
)
@click.option(
    "--wait-workers-timeout",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long --wait-workers and --migrate wait before giving up; nothing is restarted then.",
)
@click.option(
    "--force-kill-timeout",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="Kill a worker still running a job SECONDS after it was told to stop; the job is lost.",
)
@click.option(
    "--migrate",
    is_flag=True,
    help="Migrate every site in between: wait for the workers, stop them and the scheduler, "
    "and turn maintenance mode on meanwhile.",
)
@click.option(
    "--migrate-timeout",
    type=click.IntRange(min=1),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long the migration of one site may take before it is killed.",
)
@click.option(
    "--end-orphans",
    is_flag=True,
    help="Stop work-horses whose worker is gone; by default they are only listed.",
)
@supervisor_option
@format_option("Lines to read, or one JSON object for each event.")
@report_options
def command(
    *,
    parts: tuple[str, ...],
    bench: Selection,
    now: bool,
    wait_workers: bool | None,
    wait_workers_timeout: int,
    force_kill_timeout: int | None,
    migrate: bool,
    migrate_timeout: int,
    end_orphans: bool,
    supervisor_config: Path | None,
    form: str,
    strict: bool,
    quiet: bool,
    color: str,
) -> int:
    """Restart after a deploy: no failed request, no lost job.

    PART is web, realtime, workers, scheduler, other, a pool (long), or a
    service; default: all of them, in this order. Redis is never restarted.
    """
    from prodgen.deploy.managers.registry import manager_of
    from prodgen.deploy.restart.rolling import RestartOptions, Wait, restart

    if migrate and (parts or now or wait_workers is False):
        raise click.UsageError(
            "--migrate waits for the workers and restarts everything: "
            "it goes with no PART, --now or --no-wait-workers"
        )
    planned = plan_bench(bench, locked=False, programs=("systemd",))
    if has_failed(planned, strict=strict, quiet=True, color=color) or planned.plan is None:
        return Exit.ERROR
    waits = {None: Wait.FINISH, True: Wait.DRAIN, False: Wait.NONE}
    options = RestartOptions(
        parts=parts,
        now=now,
        wait=waits[wait_workers],
        drain_seconds=wait_workers_timeout,
        force_kill=force_kill_timeout,
        migrate=migrate,
        migrate_seconds=migrate_timeout,
        end_orphans=end_orphans,
    )
    try:
        admit(planned)
        manager = manager_of(planned.plan, supervisor_config)
        report = reporter(form, quiet=quiet, color=colors_messages(color))
        result = restart(context_from(planned), manager, report, options)
    except DeployError as refused:
        return refuse(planned, refused, form, color)
    if not result.problems:
        return Exit.DONE
    return Exit.UNHEALTHY if result.touched else Exit.ERROR


def refuse(planned: PlanResult, refused: DeployError, form: str, color: str) -> int:
    """Say what stood in the way."""
    say_refusal(refused.found, form, color=colors_messages(color), folder=planned.folder)
    return Exit.ERROR
