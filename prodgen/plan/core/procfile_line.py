"""Classification of Procfile lines: one process can be written in many ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from prodgen.inputs.procfile.parser import ProcfileEntry
from prodgen.inputs.procfile.shell_command import Command, Redirect, parse_command
from prodgen.plan.core.bench_lines import is_written_by_bench
from prodgen.plan.core.command_shape import Shape, SimpleCommand, find_shape, shell_script
from prodgen.plan.core.line_forms import Form, LineKind
from prodgen.plan.core.line_match import bench_command, find_form
from prodgen.plan.core.line_table import BACKGROUND, NAMES, OTHER

__all__ = ["LineKind", "ProcfileLine", "classify_line"]

FRAPPE_KINDS = frozenset(
    {
        LineKind.SERVE,
        LineKind.GUNICORN,
        LineKind.REALTIME,
        LineKind.SCHEDULE,
        LineKind.WORKER,
        LineKind.WORKER_POOL,
        LineKind.REDIS,
    }
)
"""Kinds that production runs in a form of its own."""
HELPER_KINDS = frozenset({LineKind.BENCH_COMMAND, LineKind.BENCH_WORKER})
"""Kinds that run through Frappe's own helper."""
WORKER_KINDS = frozenset({LineKind.BENCH_WORKER, LineKind.FOREIGN_WORKER})
"""Kinds that finish a job before they end."""
KEPT_KINDS = frozenset(
    {
        *HELPER_KINDS,
        LineKind.FOREIGN_WORKER,
        LineKind.FOREIGN_GUNICORN,
        LineKind.OTHER,
    }
)
"""Kinds that become a service of their own, as they are written."""
STARTS_NOTHING = frozenset({LineKind.DEVELOPMENT, LineKind.ONE_SHOT, LineKind.CELERY})
NOT_OF_A_BENCH = KEPT_KINDS - HELPER_KINDS
FLAGS = frozenset(
    ["quiet", "burst", "noreload", "nothreading", "with-coverage", "profile", "verbose", "force"]
)
"""Options of Frappe's commands that take no value."""
SHORT_OPTIONS = {"-u": "rq-username", "-p": "rq-password"}


class ProcfileLine(NamedTuple):
    """A classified Procfile line. `options` are those of a bench command, by long name."""

    entry: ProcfileEntry
    form: Form
    command: Command
    """The command that counts: the one inside wrappers and shells, unless the line is kept."""
    arguments: tuple[str, ...] = ()
    """Words of a command of bench after `bench`."""
    options: Mapping[str, str] = {}
    dropped: str = ""
    """The part of the command that production does not run."""
    wrappers: tuple[str, ...] = ()
    """Programs around the command, such as `nice`, that production does without."""
    options_before: tuple[str, ...] = ()
    """Options between `bench` and its command, such as `--site X`."""
    is_loop: bool = False
    """Whether a shell starts the command again and again."""
    is_ordinary: bool = False
    """Whether bench itself writes such a line."""
    is_bench_command: bool = False
    position: int = 0
    """Among the processes, from 0; Honcho derives PORT from it."""

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def kind(self) -> LineKind:
        return self.form.kind

    @property
    def is_of_bench(self) -> bool:
        """Whether it is a command of bench or a process of Frappe's."""
        return self.kind in FRAPPE_KINDS | HELPER_KINDS | {LineKind.CELERY} or self.is_bench_command

    @property
    def queues(self) -> tuple[str, ...]:
        """Queues named by a worker's line; empty means all queues."""
        named = self.options.get("queue", "").split(",")
        return tuple(name.strip() for name in named if name.strip())


def classify_line(entry: ProcfileEntry, position: int = 0) -> ProcfileLine:
    """Classify a Procfile entry; an unknown command is of kind OTHER."""
    shape = find_shape(entry.command)
    ordinary = is_written_by_bench(entry.command.text)
    known = [(one, form) for one in shape.acting if (form := find_form(one))]
    if shape.is_background or any(form is BACKGROUND for _, form in known):
        return ProcfileLine(entry, BACKGROUND, entry.command, position=position)
    chosen = _chosen(shape, known)
    if chosen is None:
        form = NAMES.get(entry.name, OTHER)
        return ProcfileLine(entry, form, _without_shell(entry.command), position=position)
    simple, form = chosen
    if form.kind in NOT_OF_A_BENCH:
        form = NAMES.get(entry.name, form)
        return ProcfileLine(entry, form, _without_shell(entry.command), position=position)
    return ProcfileLine(
        entry,
        form,
        _command_of(entry.command, simple, form),
        simple.words[1:],
        _options_of(form, simple),
        " && ".join(one.text for one in shape.acting if one is not simple)
        if form.kind in FRAPPE_KINDS
        else "",
        simple.wrappers,
        bench_command(simple.words[1:])[2] if simple.program == "bench" else (),
        shape.is_loop,
        ordinary,
        simple.program == "bench",
        position,
    )


def _chosen(
    shape: Shape, known: list[tuple[SimpleCommand, Form]]
) -> tuple[SimpleCommand, Form] | None:
    """The command that says what the line is for: a service of Frappe's before all others."""
    of_frappe = [pair for pair in known if pair[1].kind in FRAPPE_KINDS]
    if of_frappe:
        return of_frappe[0]
    if len(known) < len(shape.acting) or not known:
        return None
    if all(form.kind in STARTS_NOTHING for _, form in known):
        return next((pair for pair in known if pair[1].kind is LineKind.DEVELOPMENT), known[0])
    return known[0] if len(known) == 1 and not shape.is_loop else None


def _command_of(command: Command, simple: SimpleCommand, form: Form) -> Command:
    """The simple command with what the line sets for it."""
    text = simple.text if form.kind in HELPER_KINDS else command.text
    environment = (*command.environment, *simple.environment)
    unique = tuple(dict(environment).items())
    return Command(text, simple.written, unique, command.redirects)


def _without_shell(command: Command) -> Command:
    """The command inside `sh -c '…'` if it needs no shell, else the command itself.

    The shell stays where the script needs one, since bash takes more than sh; a login shell
    always stays, since it sets variables.
    """
    script = shell_script(command.argv)
    if script is None or len(command.argv) != 3 or command.argv[1] != "-c":
        return command
    inner = parse_command(script)
    if inner.needs_shell:
        return command
    redirects: tuple[Redirect, ...] = (*inner.redirects, *command.redirects)
    return Command(inner.text, inner.argv, (*command.environment, *inner.environment), redirects)


def _options_of(form: Form, simple: SimpleCommand) -> dict[str, str]:
    if form.kind is LineKind.REDIS:
        conf = next(word for word in simple.words[1:] if "config/redis_" in word)
        return {"conf": conf.rpartition("/")[2].removesuffix(".conf")}
    if simple.program == "frappe":
        return _long_options(simple.words[1:])
    if simple.program == "bench":
        return _long_options(bench_command(simple.words[1:])[1])
    return {}


def _long_options(words: tuple[str, ...]) -> dict[str, str]:
    """The options among `words` by long name; one without a value is an empty string."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        short = SHORT_OPTIONS.get(word[:2]) if not word.startswith("--") else None
        if short:
            found[short] = word[2:] or (rest.pop(0) if rest else "")
            continue
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        takes_value = not equals and name not in FLAGS
        if takes_value and rest and not rest[0].startswith("-"):
            value = rest.pop(0)
        found[name] = value
    return found
