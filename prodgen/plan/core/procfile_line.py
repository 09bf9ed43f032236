"""What a line of a Procfile is for: the same process may be written in many ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.inputs.procfile.parser import Entry
from prodgen.inputs.procfile.shell_command import Command, parse_command


class Task(Enum):
    """What a line does."""

    SERVE = "the development web server"
    GUNICORN = "Gunicorn"
    REALTIME = "the realtime server"
    SCHEDULE = "the scheduler"
    WORKER = "a worker"
    WORKER_POOL = "a pool of workers"
    REDIS = "Redis"
    DEVELOPMENT = "for development only"
    OTHER = "something else"


BENCH_TASKS = {
    "serve": Task.SERVE,
    "start": Task.SERVE,
    "socketio": Task.REALTIME,
    "schedule": Task.SCHEDULE,
    "worker": Task.WORKER,
    "worker-pool": Task.WORKER_POOL,
    "watch": Task.DEVELOPMENT,
    "redis-flush-on-reload": Task.DEVELOPMENT,
}
OWN_REDIS = frozenset({"redis_cache", "redis_queue", "redis_socketio"})
"""The conf files that bench writes (bench/config/redis.py); another one is a process like any."""
SHELLS = frozenset({"sh", "bash", "dash"})
PYTHON = r"python[0-9.]*"
PORT_OPTION = r"--port[ =]\s*([^\s;&|]+)"
INNER_COMMAND = r"(?:^|&&|;)\s*(?:exec\s+)?((?:\S*/)?bench\s+(?:serve|start)\b[^&;|]*)"


class Line(NamedTuple):
    """A Procfile line understood. `options` are those of a bench command, by long name."""

    entry: Entry
    task: Task
    command: Command
    options: Mapping[str, str] = {}
    dropped: str = ""
    """Words about a part of the command that production does without."""

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that a worker's line names; none is all of them."""
        named = self.options.get("queue", "").split(",")
        return tuple(name.strip() for name in named if name.strip())


def understand(entry: Entry) -> Line:
    """The line of `entry`; one that nobody knows has the task OTHER."""
    command = _unwrap(entry.command)
    if command.needs_shell:
        return _understand_script(entry, command)
    words = command.argv
    program = PurePosixPath(words[0]).name
    if program == "bench":
        return _understand_bench(entry, command, words[1:])
    if _is_bench_helper(words):
        return _understand_bench(entry, command, words[4:])
    conf = PurePosixPath(words[-1])
    if program == "redis-server" and conf.parent.name == "config" and conf.stem in OWN_REDIS:
        return Line(entry, Task.REDIS, command, {"conf": conf.stem})
    return Line(entry, _task_of_program(entry, program, words), command)


def _task_of_program(entry: Entry, program: str, words: tuple[str, ...]) -> Task:
    if program == "frappe" and "--serve" in words:
        return Task.SERVE
    if program == "gunicorn":
        return Task.GUNICORN
    if program in ("node", "nodejs") and PurePosixPath(words[-1]).name == "socketio.js":
        return Task.REALTIME
    return Task.DEVELOPMENT if entry.name == "watch" else Task.OTHER


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


def _understand_bench(entry: Entry, command: Command, words: tuple[str, ...]) -> Line:
    while words and words[0].startswith("-"):
        words = words[1:]
    task = BENCH_TASKS.get(words[0], Task.OTHER) if words else Task.OTHER
    return Line(entry, task, command, _options(words[1:]))


def _understand_script(entry: Entry, command: Command) -> Line:
    """A command for a shell: only a development server hidden in it must not reach production."""
    text = command.text
    served = re.search(INNER_COMMAND, text)
    if served:
        port = re.search(PORT_OPTION, served[1])
        rest = text.replace(served[1], "").strip(" ;&")
        return Line(entry, Task.SERVE, command, {"port": port[1]} if port else {}, rest)
    if re.search(r"(?:^|\s)(?:\S*/)?bench\s+watch\b", text):
        return Line(entry, Task.DEVELOPMENT, command)
    return Line(entry, Task.OTHER, command)


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
