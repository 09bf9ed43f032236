"""Compare artifacts with the files of an output: what is created, changed or removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.manifest import PATH, digest, owned_files


class Verb(Enum):
    """What would happen to one file."""

    CREATE = "create"
    UPDATE = "update"
    IDENTICAL = "identical"
    REMOVE = "remove"
    CONFLICT = "conflict"
    """It is left alone: what is there was edited, or is not prodgen's."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that is no ordinary file. A `removable` one holds nothing that could be lost."""

    what: str
    removable: bool


Present = Mapping[PurePosixPath, "bytes | Obstacle"]
"""What is there: the content of a file, or what stands in its place; absent paths are left out."""


@dataclass(frozen=True, slots=True)
class OutputChange:
    """One file and what would happen to it; `reason` and `way_out` go with a conflict."""

    verb: Verb
    path: PurePosixPath
    reason: str = ""
    way_out: str = ""


def compare(
    artifacts: Sequence[Artifact], present: Present, *, overwrite: bool = False
) -> list[OutputChange]:
    """The changes, by path. `present` holds what is there, the manifest among it.

    Only what that manifest lists, and nobody has edited since, is updated or removed; with
    `overwrite` any file that an artifact replaces is. A stale file that nobody wants any more
    and that has become something else is no longer ours, and left alone.
    """
    owned = owned_files(_content(present.get(PATH)))
    wanted = {artifact.path: artifact.content for artifact in artifacts}
    changes = [_wanted(path, new, present, owned) for path, new in wanted.items()]
    for path in owned:
        old = _content(present.get(path))
        if path not in wanted and old is not None:
            changes.append(_stale(path, old, owned[path]))
    if overwrite:
        changes = [_forced(change, present, wanted) for change in changes]
    return sorted(changes, key=lambda change: change.path)


def is_as_left(files: Mapping[PurePosixPath, bytes]) -> bool:
    """Whether these files are what one manifest lists, all of it unmodified, and nothing else."""
    owned = owned_files(files.get(PATH))
    others = {path: digest(content) for path, content in files.items() if path != PATH}
    return bool(owned) and owned == others


def _content(found: bytes | Obstacle | None) -> bytes | None:
    return found if isinstance(found, bytes) else None


def _wanted(
    path: PurePosixPath, new: bytes, present: Present, owned: Mapping[PurePosixPath, str]
) -> OutputChange:
    """What happens to a file that an artifact is to become."""
    old = present.get(path)
    if old is None:
        return OutputChange(Verb.CREATE, path)
    if isinstance(old, Obstacle):
        return _conflict(path, old.what, can_overwrite=old.removable)
    if old == new:
        return OutputChange(Verb.IDENTICAL, path)
    objection = _objection(path, old, owned)
    return _conflict(path, objection) if objection else OutputChange(Verb.UPDATE, path)


def _objection(path: PurePosixPath, old: bytes, owned: Mapping[PurePosixPath, str]) -> str:
    """Why the file must not be replaced; empty where it may."""
    if path == PATH:
        return "" if owned or not old.strip() else "is not prodgen's"
    if path not in owned:
        return "is not prodgen's: no manifest lists it"
    return "" if owned[path] == digest(old) else "was edited since prodgen wrote it"


def _stale(path: PurePosixPath, old: bytes, written: str) -> OutputChange:
    if digest(old) == written:
        return OutputChange(Verb.REMOVE, path)
    return _conflict(path, "is no longer wanted, and was edited since prodgen wrote it")


def _conflict(path: PurePosixPath, reason: str, *, can_overwrite: bool = True) -> OutputChange:
    way_out = "take it away" + (", or use --overwrite" if can_overwrite else "")
    return OutputChange(Verb.CONFLICT, path, reason, way_out)


def _forced(
    change: OutputChange, present: Present, wanted: Mapping[PurePosixPath, bytes]
) -> OutputChange:
    """The change that goes ahead whoever wrote what is there; a folder still stays."""
    found = present.get(change.path)
    if change.verb is not Verb.CONFLICT or (isinstance(found, Obstacle) and not found.removable):
        return change
    return OutputChange(Verb.UPDATE if change.path in wanted else Verb.REMOVE, change.path)
