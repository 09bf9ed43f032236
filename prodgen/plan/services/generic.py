"""Processes that are not part of Frappe: run as their Procfile line says."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath

from prodgen.diagnostics import note
from prodgen.inputs.procfile.shell_command import (
    ASSIGNMENT,
    SHELL_WORDS,
    Command,
    Token,
    UnbalancedQuote,
    tokenize,
)
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.command_shape import shell_script
from prodgen.plan.core.context import (
    BenchDefaults,
    PlanContext,
    base_environment,
    make_service,
    merge_environment,
)
from prodgen.plan.core.model import Role, Service, Stop
from prodgen.plan.core.procfile_line import HELPER_KINDS, WORKER_KINDS, ProcfileLine
from prodgen.plan.core.python_module import frappe_command
from prodgen.plan.services.environment import given_variables, honcho_port
from prodgen.plan.services.workers import known_queues, worker_stop
from prodgen.provenance import At, Kind, Origin, Sourced, default

SHELL = "/bin/sh"
ENV = "/usr/bin/env"
HELPER_PROGRAM = r"(?:\S*/)?python[0-9.]*\s+-m\s+frappe\.utils\.bench_helper\s+frappe\b"
BENCH_PROGRAM = rf"{HELPER_PROGRAM}|(?:\S*/)?(?:bench|frappe)\b"
"""The first word, or words, of a command of bench."""
IN_TURN = frozenset({"&&", ";"})
"""Operators between commands of which the last may replace the shell."""
INTO_FILES = frozenset({"<", ">", ">>", ">|", ">&", "<&"})
NEEDS_ITS_SHELL = frozenset("trap exec if while until for case { ! function".split())  # noqa: SIM905
"""First words after which the shell has more to do."""


def plan_other(context: PlanContext, defaults: BenchDefaults, line: ProcfileLine) -> Service:
    """The service for a line that is kept."""
    place = At(line.entry.command_location)
    origin = Origin(Kind.FILE, f"the Procfile's process `{line.name}`", place)
    command = line.command
    if command.needs_shell and line.kind not in HELPER_KINDS:
        context.report(
            note(
                "PG650",
                f"`{line.name}` runs through {SHELL}: {command.needs_shell}",
                line.entry.command_location,
            )
        )
    argv = _argv_of(context, defaults, line)
    made = make_service(
        defaults,
        line.name,
        Role.OTHER,
        f"process {line.name}",
        Sourced(argv, origin),
        stop=_stop(context, line),
        log=line.name,
        directory=_directory(context, defaults, line),
        environment=Sourced(_environment(context, defaults, line), origin),
        instances=context.bench.settings.integer("processes", line.name, "instances"),
    )
    if line.kind in WORKER_KINDS and not _stays_in_shell(argv):
        return made._replace(finishes_jobs=default(True, "as workers do"))
    return made


def _stays_in_shell(argv: tuple[str, ...]) -> bool:
    """Whether the main process is a shell, which passes no signal on."""
    script = shell_script(argv[1:] if argv[0] == ENV else argv)
    return script is not None and "exec " not in script


def _argv_of(context: PlanContext, defaults: BenchDefaults, line: ProcfileLine) -> tuple[str, ...]:
    if line.kind not in HELPER_KINDS:
        return _argv(line.command, defaults.path.value)
    helper = frappe_command(defaults.in_env("python").value, context.python_versions)
    text = line.command.text
    if not any(token.dynamic for token in tokenize(text)):
        return (*helper, *line.arguments)
    started = re.sub(BENCH_PROGRAM, lambda _: shlex.join(helper), text, count=1)
    return (SHELL, "-c", with_exec(started))


def _stop(context: PlanContext, line: ProcfileLine) -> Sourced[Stop]:
    seconds = context.bench.settings.integer("processes", line.name, "stop_timeout")
    if seconds:
        return Sourced(Stop("TERM", seconds.value), seconds.origin)
    if line.kind in WORKER_KINDS:
        known = known_queues(context)
        queues = [known[name] for name in line.queues if name in known] or [known["default"]]
        return worker_stop(context, max(queues, key=lambda queue: queue.value.timeout))
    return default(Stop("TERM", rules.OTHER_STOP), "the usual patience")


def _directory(
    context: PlanContext, defaults: BenchDefaults, line: ProcfileLine
) -> Sourced[PurePosixPath]:
    """The chosen directory, relative to the bench, or the bench itself."""
    given = context.bench.settings.text("processes", line.name, "directory")
    if given:
        return Sourced(defaults.path.value / given.value, given.origin)
    return defaults.sites if line.kind in HELPER_KINDS else defaults.path


def _environment(
    context: PlanContext, defaults: BenchDefaults, line: ProcfileLine
) -> tuple[tuple[str, str], ...]:
    """What every service gets, what the line sets, and what prodgen.yaml adds to this process."""
    chosen = given_variables(context, "processes", line.name, "environment")
    port = {"PORT": str(honcho_port(line))}
    merged = merge_environment(port.items(), base_environment(defaults))
    merged = merge_environment(merged, line.command.environment)
    return merge_environment(merged, chosen.value)


def _argv(command: Command, bench: PurePosixPath) -> tuple[str, ...]:
    """What `execve` runs; a bare name is looked up in the service's own PATH by env(1).

    The shell of `bash -c SCRIPT` stays that shell: bash takes more than sh.
    """
    script = shell_script(command.argv)
    if script is not None and not command.redirects:
        at = command.argv.index(script, 1)
        named = command.argv[0]
        shell = (SHELL,) if named == "sh" else (named,) if "/" in named else (ENV, named)
        return (*shell, *command.argv[1:at], with_exec(script), *command.argv[at + 1 :])
    if command.needs_shell or command.redirects:
        return (SHELL, "-c", with_exec(command.text))
    program, *rest = command.argv
    if "/" not in program:
        return (ENV, program, *rest)
    return (str(bench / program), *rest)


def with_exec(script: str) -> str:
    """The script with `exec` before its last command, so that no shell stays as the parent.

    A script that does more than one command after the other is left as it is: there the shell
    has work to do.
    """
    try:
        tokens = tokenize(script)
    except UnbalancedQuote:
        return script
    operators = {token.text for token in tokens if token.operator and not token.text.isdigit()}
    words = [token for token in tokens if not token.operator]
    firsts = _first_words(tokens)
    if not words or not operators <= IN_TURN | INTO_FILES or not firsts:
        return script
    last = firsts[-1]
    if any(token.text in NEEDS_ITS_SHELL for token in firsts[:-1]) or last.text in SHELL_WORDS:
        return script
    prefix = "exec env " if ASSIGNMENT.fullmatch(last.text) else "exec "
    return script[: last.start] + prefix + script[last.start :]


def _first_words(tokens: list[Token]) -> list[Token]:
    """The first word of each command; empty if the last one has none."""
    found: list[Token] = []
    is_first = True
    for token in tokens:
        if token.operator and token.text in IN_TURN:
            is_first = True
        elif not token.operator and is_first:
            found.append(token)
            is_first = False
    return [] if is_first else found
