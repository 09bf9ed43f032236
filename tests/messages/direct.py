"""Messages that a bench alone does not draw: the call that makes each, to standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from prodgen.app.reports.text import show_diagnostics
from prodgen.deploy.core.errors import DeployError
from prodgen.diagnostics import Diagnostic


class Direct(NamedTuple):
    """Why no case draws it, and the call that says it, to standard error."""

    reason: str
    say: Callable[[], None]


def said(code: str, found: Iterable[Diagnostic]) -> None:
    """Shows those of a code."""
    show_diagnostics([one for one in found if one.code == code], color=False)


def raised(call: Callable[[], object]) -> None:
    """Shows why a call cannot go on."""
    try:
        call()
    except DeployError as refused:
        show_diagnostics(refused.found, color=False)
