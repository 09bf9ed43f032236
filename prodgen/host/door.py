"""The one door to a bench: whose it is, with whose rights it is read, and who acts for it.

What a bench's user can write is hostile input to root. So a bench's path is resolved once, its
files are read with its owner's rights, and whatever acts for it is its owner, told by uid: no
name in a file of the bench can make it anybody else. Run by the owner, nothing of this changes
anything.
"""

from __future__ import annotations

import os
import stat
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, error
from prodgen.host.run_as import NOBODY, Identity, acting_as, identity_named, identity_of
from prodgen.host.trust import Danger, danger_on_way
from prodgen.inputs.reader import read_regular, read_whole

LARGEST_FILE = 32 * 1024 * 1024
"""Bytes of a file in a bench."""


class Door(NamedTuple):
    """A bench as root may deal with it; for anybody else, a folder."""

    path: Path
    """Absolute, without symbolic links."""
    owner: Identity
    """The user that the folder belongs to, who acts for the bench."""
    reader: Identity | None = None
    """The user whose rights the bench is read with; None for this process's own."""
    danger: Danger | None = None
    """What others could change on the way to the bench, if we are root."""
    closed: str = ""
    """Why the bench cannot be seen, if it cannot."""

    def rights(self) -> AbstractContextManager[None]:
        """Lends this process the rights that the bench's files are read and written with."""
        return acting_as(self.reader)

    def read(self, name: str) -> str:
        """The text of a file of the bench; empty if there is none. Raises OSError."""
        with self.rights():
            try:
                content = read_regular(self.path / name, LARGEST_FILE)
            except FileNotFoundError:
                return ""
        return content.decode("utf-8", "surrogateescape")

    def folders(self, name: str) -> list[str]:
        """The names of the folders in a folder of the bench, sorted; none if it cannot be read."""
        try:
            with self.rights(), os.scandir(self.path / name) as entries:
                return sorted(one.name for one in entries if one.is_dir())
        except OSError:
            return []

    def exists(self, name: str) -> bool:
        """Whether the bench has something of this name, a broken link too."""
        with self.rights():
            return os.path.lexists(self.path / name)

    def is_of(self, user: str) -> bool:
        """Whether the bench belongs to the user of this name, by uid."""
        named = identity_named(user)
        return named is not None and named.uid == self.owner.uid


NOWHERE = Door(Path("/nonexistent"), Identity(NOBODY, NOBODY, (), "nobody", "/"), closed="nowhere")
"""The door of a bench that nobody has looked for."""


def enter(folder: Path) -> Door:
    """The door to the bench at an absolute path; closed if it cannot be seen."""
    try:
        return _enter(folder)
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        nobody = identity_of(NOBODY)
        return Door(folder, nobody, nobody, closed=f"{failure.filename or folder}: {reason}")


def shut(door: Door, why: str) -> Door:
    """The door, closed for this reason: nothing is read or done there as its owner."""
    if door.closed:
        return door
    nobody = identity_of(NOBODY)
    return door._replace(owner=nobody, reader=nobody, closed=why)


def _enter(folder: Path) -> Door:
    if os.geteuid() != 0:
        path = Path(os.path.realpath(folder, strict=True))
        return Door(path, identity_of(path.stat().st_uid))
    path, uid = _resolved(folder)
    owner = identity_of(uid)
    with passage(folder):
        # The way as it was typed: a link on it leads only as long as nobody swaps it.
        danger = danger_on_way(folder, uid)
    return Door(path, owner, _reader(path, owner), danger)


def _resolved(folder: Path) -> tuple[Path, int]:
    """The real path and the uid of its owner.

    Where root itself may not pass, as on NFS with root_squash, the owner of the folder that bars
    the way leads on.
    """
    with passage(folder):
        path = Path(os.path.realpath(folder, strict=True))
        return path, path.stat().st_uid


def passage(folder: Path) -> AbstractContextManager[None]:
    """The rights to get to a folder with: root's own, unless a file system bars even root."""
    return acting_as(_guide(folder))


def _guide(folder: Path) -> Identity | None:
    """Whose rights it takes to get to a folder that root may not get to; None for root's own."""
    try:
        os.stat(f"{folder}/.")  # noqa: PTH116 - a Path would drop the dot, which asks to enter
    except PermissionError:
        for parent in (folder, *folder.parents):
            try:
                uid = parent.stat().st_uid
            except OSError:
                continue
            return identity_of(uid) if uid else None
    except OSError:  # it is not there, or no folder: for the reader to say
        return None
    return None


def _reader(path: Path, owner: Identity) -> Identity | None:
    """Whose rights the bench is read with: its owner's; of a bench of root's, nobody's.

    What root reads here ends up where everybody may read it. A bench of root's that nobody else
    can get to has nothing in it that another user could have put there: it is read as root.
    """
    if not owner.is_root:
        return owner
    return None if _is_private(path) else identity_of(NOBODY)


def _is_private(path: Path) -> bool:
    """Whether only root can enter the folder, or one above it."""
    closed = stat.S_IXGRP | stat.S_IXOTH
    states = (one.stat() for one in (path, *path.parents))
    return any(found.st_uid == 0 and not found.st_mode & closed for found in states)


def rights_for(path: Path) -> AbstractContextManager[None]:
    """The rights to read or write a named path with: root's own where only root has a hand in it.

    Otherwise those of whom it belongs to, or of nobody: a link there could lead to anything that
    only root may read, or must not be overwritten. Lends nothing unless we are root.
    """
    return acting_as(_hand(path.absolute()) if os.geteuid() == 0 else None)


def read_named(path: Path, most: int = LARGEST_FILE) -> bytes:
    """The content of a named file, read with `rights_for` it. Raises OSError, which names it."""
    with rights_for(path):
        return read_whole(path, most)


def _hand(path: Path) -> Identity | None:
    """Who else than root has a hand in a path; None for nobody."""
    try:
        danger = danger_on_way(path)
    except OSError:
        return identity_of(NOBODY)
    if danger is None:
        return None
    uid = danger.place.lstat().st_uid
    return identity_of(uid or NOBODY)


def in_danger(danger: Danger) -> Diagnostic:
    """The error where others could swap the bench that root acts on."""
    return error("PG820", f"{danger}, and with it the bench that root acts on", None, danger.fix)
