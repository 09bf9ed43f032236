"""The journal of an apply: what it replaces, so that an interrupted one can be undone or ended."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.system.atomic_write import TEMPORARY_PREFIX, create_file, sync_folder
from prodgen.review.changes.site_config_edit import Value
from prodgen.targets.manifest import NewerFormat, require_known

FORMAT_VERSION = 1
PENDING = PurePosixPath("pending")
NAME = "journal.json"
OLD = "old"
"""The folder, in `pending`, of what stood in the places before."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Phase(Enum):
    """How far an apply has come."""

    STAGING = "staging"
    """New files are being written beside the live ones: they are taken away."""
    REPLACING = "replacing"
    """Some files may be new already: they are put back."""
    ACTIVATING = "activating"
    """All files are new, and what runs is being told: that is done to its end."""


class Move(NamedTuple):
    """One place on the host: what comes into it, and what was there."""

    path: Path
    target: str
    staged: Path | None
    """The new file beside its place; None where the place becomes empty."""
    backup: Path | None
    """The old file; None where there was none."""
    mode: int


class KeyChange(NamedTuple):
    """The keys of a bench's common_site_config.json that change with the files."""

    bench: Path
    user: str
    wanted: Mapping[str, Value]
    former: Mapping[str, Value]
    """What they were before; None for one that was not there."""


class Journal(NamedTuple):
    """What is going on."""

    phase: Phase
    moves: tuple[Move, ...]
    boot: str = ""
    keys: KeyChange | None = None
    spares: tuple[str, ...] = ()
    """What goes on as it runs, whatever its config says."""

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the machine still runs that it was begun on."""
        return self.boot == boot_id()


def boot_id() -> str:
    """What tells one boot from another (random(4)); empty where the kernel does not say."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def read_journal(state: Path) -> Journal | None:
    """The journal of an apply that has not come to its end; None if there is none.

    Raises OSError, and DeployError if a newer prodgen has written it.
    """
    path = state / PENDING / NAME
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    try:
        require_known(data["format_version"])
    except NewerFormat as newer:
        raise DeployError.of(newer.diagnostic(path)) from newer
    moves = (
        Move(
            Path(one["path"]),
            one["target"],
            Path(one["staged"]) if one["staged"] else None,
            Path(one["backup"]) if one["backup"] else None,
            one["mode"],
        )
        for one in data["moves"]
    )
    keys = data.get("keys")
    change = KeyChange(**{**keys, "bench": Path(keys["bench"])}) if keys else None
    spares = tuple(data.get("spares", ()))
    return Journal(Phase(data["phase"]), tuple(moves), data["boot"], change, spares)


def write_journal(state: Path, journal: Journal) -> None:
    """Writes it as a whole, and so that it lasts."""
    keys = journal.keys
    data = {
        "format_version": FORMAT_VERSION,
        "phase": journal.phase.value,
        "boot": journal.boot,
        "moves": [
            {
                "path": str(one.path),
                "target": one.target,
                "staged": str(one.staged) if one.staged else "",
                "backup": str(one.backup) if one.backup else "",
                "mode": one.mode,
            }
            for one in journal.moves
        ],
        "keys": {**keys._asdict(), "bench": str(keys.bench)} if keys else None,
        "spares": journal.spares,
    }
    place = state / PENDING / NAME
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_suffix(".new")
    draft.unlink(missing_ok=True)
    create_file(draft, json.dumps(data, indent=1).encode(), 0o600)
    draft.replace(place)
    sync_folder(place.parent)


class Place(NamedTuple):
    """What shall come to a place; no content empties it."""

    path: Path
    target: str
    content: bytes | None
    mode: int


def moves_for(state: Path, places: Iterable[Place]) -> list[Move]:
    """What will be moved where; nothing is done yet."""
    old = state / PENDING / OLD
    return [
        Move(
            place.path,
            place.target,
            sibling(place.path) if place.content is not None else None,
            old / str(number) if os.path.lexists(place.path) else None,
            place.mode,
        )
        for number, place in enumerate(places)
    ]


def stage(state: Path, moves: Iterable[Move], places: Iterable[Place]) -> None:
    """Writes each new file beside its place, and copies of the old ones. Nothing live changes.

    Raises OSError; what was staged by then is for `discard` to take away.
    """
    old = state / PENDING / OLD
    old.mkdir(mode=0o700, parents=True, exist_ok=True)
    for move, place in zip(moves, places, strict=True):
        if move.backup is not None:
            copy_file(move.path, move.backup)
        if move.staged is not None and place.content is not None:
            move.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            move.staged.unlink(missing_ok=True)
            create_file(move.staged, place.content, place.mode)
    sync_folder(old)


def sibling(path: Path) -> Path:
    """The temporary name beside a file; no consumer's `*.conf` or `*.service` matches it."""
    return path.with_name(f"{TEMPORARY_PREFIX}{path.name}.new")


def copy_file(source: Path, copy: Path) -> None:
    """A copy with owner and mode, made to last; a link is copied as one. Raises OSError."""
    copy.unlink(missing_ok=True)
    copy_content(source, copy)
    found = source.lstat()
    os.chown(copy, found.st_uid, found.st_gid, follow_symlinks=False)
    if stat.S_ISREG(found.st_mode):
        descriptor = os.open(copy, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def copy_content(source: Path | str, copy: Path | str) -> None:
    """A copy with its mode; a failure names the copy, since what is full is its disk."""
    try:
        shutil.copy2(source, copy, follow_symlinks=False)
    except OSError as failure:
        if failure.filename2:
            failure.filename, failure.filename2 = str(copy), None
        raise


def replace(moves: Iterable[Move]) -> None:
    """Puts the staged files in their places; what shall go is still there. Raises OSError."""
    folders = set()
    for move in moves:
        if move.staged is not None:
            move.staged.replace(move.path)
            folders.add(move.path.parent)
    for folder in sorted(folders):
        sync_folder(folder)


def remove(moves: Iterable[Move]) -> None:
    """Takes away what shall go."""
    for move in moves:
        if move.staged is None:
            move.path.unlink(missing_ok=True)
            sync_folder(move.path.parent)


def undo(moves: Iterable[Move]) -> None:
    """Puts everything back as it was; may be done again and again. Raises OSError."""
    for move in moves:
        if move.backup is not None and os.path.lexists(move.backup):
            again = sibling(move.path)
            copy_file(move.backup, again)
            again.replace(move.path)
        elif move.backup is None:
            _take_away(move.path)
        if move.staged is not None:
            _take_away(move.staged)
        if move.path.parent.is_dir():
            sync_folder(move.path.parent)


def _take_away(path: Path) -> None:
    """Removes a file if it is there: a disk that is read-only has nothing to say then."""
    if os.path.lexists(path):
        path.unlink()


def discard(state: Path, moves: Iterable[Move] = ()) -> None:
    """Takes away what was staged, and the journal last."""
    for move in moves:
        if move.staged is not None:
            _take_away(move.staged)
    pending = state / PENDING
    (pending / NAME).unlink(missing_ok=True)
    sync_folder(pending)
    shutil.rmtree(pending, ignore_errors=True)
