"""What the exit codes mean (README.md lists them)."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Click's own 2 for wrong usage would read as pending changes, so it becomes 64."""

    DONE = 0
    ERROR = 1
    PENDING = 2
    UNHEALTHY = 4
    USAGE = 64
    INTERNAL = 70
    INTERRUPTED = 130
    PIPE = 141
    """The reader of standard output went away; as the shell reports one ended by SIGPIPE."""
