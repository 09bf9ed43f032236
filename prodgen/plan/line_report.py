"""What is said about the lines of a Procfile: every one that is unknown, changed or left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prodgen.diagnostics import Diagnostic, error, warning
from prodgen.plan.core.context import PlanContext
from prodgen.plan.core.procfile_line import (
    FRAPPE_KINDS,
    HELPER_KINDS,
    LineKind,
    ProcfileLine,
)

LAST_CELERY = (7,)
"""The first Frappe without Celery."""
KNOWN_OPTIONS: Mapping[LineKind, frozenset[str]] = {
    LineKind.SERVE: frozenset({"port"}),
    LineKind.WORKER: frozenset({"queue", "quiet", "strategy", "rq-username"}),
    LineKind.WORKER_POOL: frozenset({"queue", "num-workers", "quiet"}),
    LineKind.REDIS: frozenset({"conf"}),
}
"""Options of a command that production keeps."""
OWN_LOGS = ("logs/worker.log", "logs/worker.error.log")
"""Files to which bench's own lines send the output of workers."""
ACCEPT = "if that is right, add `processes: {{{name}: {{}}}}` to prodgen.yaml"
LEAVE_OUT = "remove the line, or add `processes: {{{name}: false}}` to prodgen.yaml"


def report_lines(context: PlanContext, lines: Sequence[ProcfileLine]) -> None:
    """Report every line that production does not run exactly as the Procfile has it."""
    is_plain = not is_frappe_bench(context, lines)
    if is_plain:
        context.report(
            warning("PG510", "this is no Frappe bench: its processes are kept as they are written")
        )
    for line in lines:
        for finding in _about(context, line, is_plain=is_plain):
            context.report_line(line.name, finding)
    if not is_plain:
        _report_absent(context, lines)


def is_frappe_bench(context: PlanContext, lines: Sequence[ProcfileLine]) -> bool:
    """Whether anything here is Frappe's: a line, a config file, a site, or Frappe itself."""
    bench = context.bench
    return bool(
        any(line.is_of_bench for line in lines)
        or bench.common.data
        or bench.sites
        or bench.redis_confs
        or bench.frappe_version
    )


def _about(context: PlanContext, line: ProcfileLine, *, is_plain: bool) -> Iterator[Diagnostic]:
    kind, name, place = line.kind, line.name, line.entry.command_location
    if kind is LineKind.BACKGROUND:
        yield error(
            "PG654",
            f"the command of `{name}` ends at once and leaves its process in the background",
            place,
            "take the `&` or the daemon option away: the manager keeps what stays in front",
        )
    elif kind is LineKind.CELERY:
        yield _about_celery(context, line)
    elif kind is LineKind.DEVELOPMENT:
        if not line.is_ordinary:
            message = f"`{name}` is left out: it is for development only"
            yield warning("PG655", message, place, LEAVE_OUT.format(name=name))
    elif kind is LineKind.ONE_SHOT:
        yield warning(
            "PG656",
            f"`{name}` is left out: its command does its work once and ends",
            place,
            _where_it_belongs(line),
        )
    elif kind is LineKind.FOREIGN_GUNICORN and not is_plain:
        yield warning(
            "PG605",
            f"`{name}` runs Gunicorn for another application than Frappe's: kept as it is written",
            place,
            ACCEPT.format(name=name),
        )
    elif kind in HELPER_KINDS:
        yield warning(
            "PG652",
            f"`{name}` is no process that prodgen knows: kept, as a command of Frappe's without "
            "bench in between",
            place,
            ACCEPT.format(name=name),
        )
    elif kind in FRAPPE_KINDS:
        yield from _about_changes(line)
    elif not is_plain:
        yield warning(
            "PG652",
            f"`{name}` is no process that prodgen knows: kept as it is written",
            place,
            ACCEPT.format(name=name),
        )


def _about_celery(context: PlanContext, line: ProcfileLine) -> Diagnostic:
    place = line.entry.command_location
    if context.frappe and not context.is_frappe(LAST_CELERY):
        return error(
            "PG657",
            f"`{line.name}` is for Celery: prodgen does not run Frappe 6 and older",
            place,
            "keep the config that this bench has, or update Frappe",
        )
    beats = " beat" in line.command.text
    way_out = f"{line.name}: bench {'schedule' if beats else 'worker'}"
    return warning(
        "PG657",
        f"`{line.name}` is left out: Frappe 7 and newer has no Celery",
        place,
        f"replace the line by `{way_out}`",
    )


def _where_it_belongs(line: ProcfileLine) -> str:
    if line.is_bench_command and "migrate" in line.command.argv:
        leave_out = LEAVE_OUT.format(name=line.name)
        return f"run `prodgen restart --migrate` when you deploy; {leave_out}"
    return "run it when you deploy; " + LEAVE_OUT.format(name=line.name)


def _about_changes(line: ProcfileLine) -> Iterator[Diagnostic]:
    """Parts of a line of Frappe's that its service does without."""
    if line.dropped:
        yield warning(
            "PG604",
            f"production does not run `{line.dropped}` of the process `{line.name}`",
            line.entry.command_location,
            "run it when you deploy, before the services start",
        )
    without = list(_left_off(line))
    if without:
        serves = line.kind in (LineKind.SERVE, LineKind.GUNICORN)
        runs = "becomes Gunicorn for all sites," if serves else "runs"
        yield warning(
            "PG653",
            f"`{line.name}` {runs} without {', '.join(without)}",
            line.entry.command_location,
            ACCEPT.format(name=line.name),
        )


def _left_off(line: ProcfileLine) -> Iterator[str]:
    if line.is_ordinary:
        return
    if line.kind is LineKind.SERVE and "start" in line.command.argv[1:2]:
        yield "`bench start`, which starts all processes"
    before = list(line.options_before)
    while before:
        option = before.pop(0)
        value = f" {before.pop(0)}" if before and not before[0].startswith("-") else ""
        yield f"`{option}{value}`"
    yield from (f"`{name}`" for name in line.wrappers if name not in ("exec", "env", "command"))
    known = KNOWN_OPTIONS.get(line.kind, frozenset())
    yield from (f"`--{name}`" for name in line.options if name not in known)
    if line.is_loop:
        yield "the shell's loop around it"
    for redirect in line.command.redirects:
        if redirect.target not in OWN_LOGS:
            yield f"`{redirect.operator} {redirect.target}` (it has a log of its own)"


def _report_absent(context: PlanContext, lines: Sequence[ProcfileLine]) -> None:
    """A warning for a bench that has processes of Frappe's, and no worker or no scheduler."""
    of_frappe = [line for line in lines if line.kind in FRAPPE_KINDS - {LineKind.REDIS}]
    if not of_frappe:
        return
    kinds = {line.kind for line in lines}
    place = of_frappe[0].entry.location._replace(line=0, column=0, text="")
    left_out = {
        name for name, wanted in context.bench.settings.table("processes").items() if not wanted
    }
    workers = {
        LineKind.WORKER,
        LineKind.WORKER_POOL,
        LineKind.BENCH_WORKER,
        LineKind.FOREIGN_WORKER,
    }
    if not kinds & workers and not any("worker" in name for name in left_out):
        context.report(
            warning(
                "PG658",
                "no process is a worker: background jobs, e-mails too, wait for ever",
                place,
                "add `worker: bench worker` to the Procfile, unless another machine runs them",
            )
        )
    if LineKind.SCHEDULE not in kinds and not any("schedule" in name for name in left_out):
        context.report(
            warning(
                "PG659",
                "no process is the scheduler: nothing that is due runs by itself",
                place,
                "add `schedule: bench schedule` to the Procfile, unless another machine runs it",
            )
        )
