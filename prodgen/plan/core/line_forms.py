"""The types of the table of Procfile lines."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


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
    ONE_SHOT = "a command that ends, not a service"
    CELERY = "of Frappe 6 and older, which had Celery"
    BENCH_COMMAND = "another command of bench"
    BENCH_WORKER = "a worker of another kind"
    FOREIGN_WORKER = "a worker of another program"
    FOREIGN_GUNICORN = "Gunicorn of another application"
    BACKGROUND = "a command that ends while its process runs on"
    OTHER = "something else"


class Disposition(Enum):
    """What becomes of a line; each line has exactly one."""

    KEPT = "kept"
    REPLACED = "replaced"
    LEFT_OUT = "left out"
    REFUSED = "refused"


class Form(NamedTuple):
    """One row of the table. A command matches if every field that is not empty does."""

    kind: LineKind
    disposition: Disposition
    production: str
    """What production makes of it, for people."""
    code: str
    """The diagnostic about it, unless bench itself writes such a line; empty for none."""
    examples: tuple[str, ...]
    programs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """The first of these words that is no option."""
    flags: tuple[str, ...] = ()
    """One of these must be among the words."""
    pattern: str = ""
    """Of the words after the program, joined by blanks."""
