"""New config tried by the programs that will read it: what such a trial is given, and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from prodgen.host.programs import Done
from prodgen.plan.core.model import Plan


class NewFile(Protocol):
    """A place that changes; without content the file there goes."""

    @property
    def path(self) -> Path: ...
    @property
    def target(self) -> str: ...
    @property
    def content(self) -> bytes | None: ...


class Trial(NamedTuple):
    """One trial of all new files of a bench."""

    plan: Plan
    files: Sequence[NewFile]
    work: Path
    """A folder on the host for copies; it is left empty."""
    notes: list[str]
    """On what could not be tried."""
    prefix: Callable[[str], Sequence[str] | None]
    """For a target whose files lie in fixed places: what to put before a command so that it sees
    the new ones there. None where this machine does not allow it, which is noted."""

    def written(self, target: str) -> Iterator[tuple[Path, bytes]]:
        """The files of a target that are there afterwards, if they change."""
        for one in self.files:
            if one.target == target and one.content is not None:
                yield one.path, one.content


def complaint(done: Done) -> str:
    """The lines of a program's output that say why it did not take its config."""
    lines = [line for line in (done.err or done.out).splitlines() if line.strip()]
    wanted = [line for line in lines if "[emerg]" in line or line.startswith("Error:")]
    return "\n".join(wanted or lines[-3:]) or f"it ended with {done.code}"
