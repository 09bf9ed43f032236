"""Where two sets of files differ: what is there now, and what should be."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.targets.core.artifacts import HOST_FILES, Artifact
from prodgen.targets.core.file_set import FileSet, Placed


class ChangeKind(Enum):
    """What happens to one file."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class FileChange(NamedTuple):
    """One file that differs; None on the side that lacks it."""

    path: PurePosixPath
    target: str
    old: Placed | None
    new: Placed | None

    @property
    def kind(self) -> ChangeKind:
        if self.old is None:
            return ChangeKind.ADDED
        return ChangeKind.CHANGED if self.new is not None else ChangeKind.REMOVED


def file_set_of(artifacts: Iterable[Artifact]) -> dict[PurePosixPath, Placed]:
    """The artifacts that apply installs, by destination."""
    return {
        one.destination: Placed(one.text, one.target, one.mode)
        for one in artifacts
        if one.destination.is_absolute() and one.destination not in HOST_FILES
    }


def file_changes(old: FileSet, new: FileSet) -> list[FileChange]:
    """The files that differ in bytes or mode, by path."""
    found = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before != after:
            target = (after or before or Placed("", "")).target
            found.append(FileChange(path, target, before, after))
    return found
