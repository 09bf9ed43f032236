"""What a target is, and what it does with a value that its language cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, error
from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from prodgen.targets.core.artifacts import Artifact


class Unwritable(ValueError):
    """A value that the target's language cannot express; the message says why."""


def _no_steps(_plan: Plan) -> Iterable[str]:
    return ()


def _no(_plan: Plan) -> bool:
    return False


def _no_flags(_plan: Plan) -> frozenset[str]:
    return frozenset()


class Target(NamedTuple):
    """One kind of output. `render` gives no artifacts if it reports an error.

    What its files mean and where they may be is in `effects.py` and `places.py` beside it, so that
    a render does not load them.
    """

    name: str
    summary: str
    render: Callable[[Plan], tuple[list[Artifact], list[Diagnostic]]]
    install_steps: Callable[[Plan], Iterable[str]] = _no_steps
    """Lines of Markdown: what to run once the files are in their places."""
    is_users: Callable[[Plan], bool] = _no
    """Whether its files, and those of its companions, belong to the bench's user."""
    needs_log_folder: Callable[[Plan], bool] = _no
    """Whether root must make the plan's log folder first."""
    production_flags: Callable[[Plan], frozenset[str]] = _no_flags
    """Which of bench's flags for production are true under this manager."""
    reread: str = ""
    """The command by which the manager reads new files, with no process restarted yet."""
    keeps_apps_read_only: Callable[[Plan], bool] = _no
    """Whether its services cannot write into the bench's `apps/`, and no bytecode."""


def unwritable(value: Sourced[object], reason: Unwritable, target: str) -> Diagnostic:
    """The error for a value that `target` cannot hold."""
    return error(
        "PG701",
        f"{target} cannot hold this value: {reason}",
        value.location,
        "change the value, or leave the process out",
    )
