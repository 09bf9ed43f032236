"""A question before something changes."""

from __future__ import annotations

import sys

import click

from prodgen.app.review import Stopped
from prodgen.app.terminal.text import write_stderr
from prodgen.diagnostics import error


def agreed(question: str) -> bool:
    """Whether somebody at the terminal says yes. Raises Stopped if there is no terminal."""
    if not sys.stdin.isatty():
        way_out = "add --yes to go on without a question"
        raise Stopped(error("PG805", "no terminal to confirm on", None, way_out))
    if click.confirm(question, err=True):
        return True
    write_stderr("prodgen: nothing was changed\n")
    return False
