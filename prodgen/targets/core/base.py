"""What a target is, and what it does with a value that its language cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, error
from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from prodgen.targets.core.artifacts import Artifact


class Unwritable(ValueError):
    """A value that the target's language cannot express; the message says why."""


class Target(NamedTuple):
    """One kind of output. `render` gives no artifacts where it reports an error."""

    name: str
    summary: str
    render: Callable[[Plan], tuple[list[Artifact], list[Diagnostic]]]


def unwritable(value: Sourced[object], reason: Unwritable, target: str) -> Diagnostic:
    """The error for a value that `target` cannot hold."""
    return error(
        "PG701",
        f"{target} cannot hold this value: {reason}",
        value.location,
        "change the value, or leave the process out",
    )
