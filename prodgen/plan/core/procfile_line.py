"""Classification of Procfile lines: one process can be written in many ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.inputs.procfile.parser import ProcfileEntry
from prodgen.inputs.procfile.shell_command import Command, parse_command


class LineKind(Enum):
    """The kinds of process that the planner knows."""

    SERVE = "the development web server"
    GUNICORN = "Gunicorn"
    REALTIME = "the realtime server"
    SCHEDULE = "the scheduler"
    WORKER = "a worker"
    WORKER_POOL = "a pool of workers"
    REDIS = "Redis"
    DEVELOPMENT = "for development only"
    OTHER = "something else"


BENCH_COMMANDS = {
    "serve": LineKind.SERVE,
    "start": LineKind.SERVE,
    "socketio": LineKind.REALTIME,
    "schedule": LineKind.SCHEDULE,
    "worker": LineKind.WORKER,
    "worker-pool": LineKind.WORKER_POOL,
    "watch": LineKind.DEVELOPMENT,
    "redis-flush-on-reload": LineKind.DEVELOPMENT,
}
OWN_REDIS = frozenset({"redis_cache", "redis_queue", "redis_socketio"})
"""The conf files that bench writes (bench/config/redis.py); another one is a process like any."""
SHELLS = frozenset({"sh", "bash", "dash"})
PYTHON = r"python[0-9.]*"
PORT_OPTION = r"--port[ =]\s*([^\s;&|]+)"
INNER_COMMAND = r"(?:^|&&|;)\s*(?:exec\s+)?((?:\S*/)?bench\s+(?:serve|start)\b[^&;|]*)"


class ProcfileLine(NamedTuple):
    """A classified Procfile line. `options` are those of a bench command, by long name."""

    entry: ProcfileEntry
    kind: LineKind
    command: Command
    options: Mapping[str, str] = {}
    dropped: str = ""
    """The part of the command that production does not run."""

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def queues(self) -> tuple[str, ...]:
        """Queues named by a worker's line; empty means all queues."""
        named = self.options.get("queue", "").split(",")
        return tuple(name.strip() for name in named if name.strip())


def classify_line(entry: ProcfileEntry) -> ProcfileLine:
    """Classify a Procfile entry; an unknown command is of kind OTHER."""
    command = _unwrap(entry.command)
    if command.needs_shell:
        return _classify_script(entry, command)
    words = command.argv
    program = PurePosixPath(words[0]).name
    if program == "bench":
        return _classify_bench_command(entry, command, words[1:])
    if _is_bench_helper(words):
        return _classify_bench_command(entry, command, words[4:])
    conf = PurePosixPath(words[-1])
    if program == "redis-server" and conf.parent.name == "config" and conf.stem in OWN_REDIS:
        return ProcfileLine(entry, LineKind.REDIS, command, {"conf": conf.stem})
    return ProcfileLine(entry, _kind_of_program(entry, program, words), command)


def _kind_of_program(entry: ProcfileEntry, program: str, words: tuple[str, ...]) -> LineKind:
    if program == "frappe" and "--serve" in words:
        return LineKind.SERVE
    if program == "gunicorn":
        return LineKind.GUNICORN
    if program in ("node", "nodejs") and PurePosixPath(words[-1]).name == "socketio.js":
        return LineKind.REALTIME
    return LineKind.DEVELOPMENT if entry.name == "watch" else LineKind.OTHER


def _unwrap(command: Command) -> Command:
    """The command inside `sh -c '…'` where it is a plain one, else the command itself."""
    words = command.argv
    if len(words) == 3 and PurePosixPath(words[0]).name in SHELLS and words[1] == "-c":
        inner = parse_command(words[2])
        if inner.needs_shell:
            return Command(words[2], needs_shell=inner.needs_shell)
        return Command(
            inner.text,
            inner.argv,
            (*command.environment, *inner.environment),
            (*inner.redirects, *command.redirects),
        )
    return command


def _is_bench_helper(words: tuple[str, ...]) -> bool:
    """Whether this is `env/bin/python -m frappe.utils.bench_helper frappe …`."""
    helper = ("-m", "frappe.utils.bench_helper", "frappe")
    return bool(re.fullmatch(PYTHON, PurePosixPath(words[0]).name)) and words[1:4] == helper


def _classify_bench_command(
    entry: ProcfileEntry, command: Command, words: tuple[str, ...]
) -> ProcfileLine:
    while words and words[0].startswith("-"):
        words = words[1:]
    kind = BENCH_COMMANDS.get(words[0], LineKind.OTHER) if words else LineKind.OTHER
    return ProcfileLine(entry, kind, command, _options(words[1:]))


def _classify_script(entry: ProcfileEntry, command: Command) -> ProcfileLine:
    """A command for a shell: only a development server hidden in it must not reach production."""
    text = command.text
    served = re.search(INNER_COMMAND, text)
    if served:
        port = re.search(PORT_OPTION, served[1])
        rest = text.replace(served[1], "").strip(" ;&")
        return ProcfileLine(entry, LineKind.SERVE, command, {"port": port[1]} if port else {}, rest)
    if re.search(r"(?:^|\s)(?:\S*/)?bench\s+watch\b", text):
        return ProcfileLine(entry, LineKind.DEVELOPMENT, command)
    return ProcfileLine(entry, LineKind.OTHER, command)


def _options(words: tuple[str, ...]) -> dict[str, str]:
    """The long options among `words`; one without a value is an empty string."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        if not equals and rest and not rest[0].startswith("-"):
            value = rest.pop(0)
        found[name] = value
    return found
