"""Gives a bench that belongs to root to the user that its services shall run as.

A bench of root's may have folders of other users in it, who can swap names while root looks. So the
tree is walked by descriptors of its folders (openat(2), O_NOFOLLOW), each entry is opened without
reading it (O_PATH), looked at, and given away by that very descriptor (fchownat(2),
AT_EMPTY_PATH): whatever the name leads to by then makes no difference. A folder is given away
after all that is in it, and the bench last: an interrupted run leaves a bench of root's, and is
run again.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from prodgen.host.run_as import Identity

AT_EMPTY_PATH = 0x1000
"""linux/fcntl.h"""
DEEPEST = 256
"""Folders in one another; each costs a descriptor while those in it are looked at."""
EXAMPLES = 3
"""Paths that are named of those that stay, for each reason."""
NAME = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
LISTING = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Stays(Enum):
    """Why an entry stays as it is."""

    OTHERS = "of other users"
    LINKED = "with other hard links, which would change too"
    SECRET = "that only root may read, in folders that others can write to"  # noqa: S105
    DEVICE = "devices"
    MOUNTED = "on other file systems"
    DEEP = f"deeper than {DEEPEST} folders"


class Tally:
    """What a hand-over gives, or would give, and what stays."""

    def __init__(self) -> None:
        self.given = 0
        self.stays: Counter[Stays] = Counter()
        self.examples: dict[Stays, list[str]] = {}

    def leave(self, why: Stays, path: str) -> None:
        """Counts an entry that stays."""
        self.stays[why] += 1
        named = self.examples.setdefault(why, [])
        if len(named) < EXAMPLES:
            named.append(path)


def survey(bench: Path, who: Identity) -> Tally:
    """What `hand_over` would do. Raises OSError."""
    return _walk(bench, who, gives=False)


def hand_over(bench: Path, who: Identity) -> Tally:
    """Gives everything of root's in the bench to `who`, the bench last. Raises OSError.

    Of root's group as well; another group stays, and so do modes, but for the set-user-ID bit,
    which chown(2) clears. Only for a path on which nobody but root can change anything.
    """
    return _walk(bench, who, gives=True)


class _Here(NamedTuple):
    """A folder that is being walked."""

    descriptor: int
    path: str
    """Below the bench; empty for the bench itself."""
    depth: int
    is_shared: bool
    """Whether others than root may have put something there."""


class _Walk(NamedTuple):
    """One walk over a bench."""

    who: Identity
    gives: bool
    device: int
    mount: str
    tally: Tally


def _walk(bench: Path, who: Identity, *, gives: bool) -> Tally:
    if who.is_root:
        raise ValueError("root keeps what is root's")
    with _opened(str(bench)) as (descriptor, found):
        walk = _Walk(who, gives, found.st_dev, _mount_of(descriptor), Tally())
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(f"{bench} is no folder")
        _give_folder(walk, descriptor, found, "", 0)
    return walk.tally


@contextmanager
def _opened(name: str, folder: int | None = None) -> Iterator[tuple[int, os.stat_result]]:
    """A descriptor that stands for whatever has this name, a link too, and its status."""
    descriptor = os.open(name, NAME, dir_fd=folder)
    try:
        yield descriptor, os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _give_folder(
    walk: _Walk, descriptor: int, found: os.stat_result, path: str, depth: int
) -> None:
    """A folder with all that is in it; itself at the end."""
    is_shared = found.st_uid != 0 or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    listing = os.open(".", LISTING, dir_fd=descriptor)
    try:
        here = _Here(listing, path, depth, is_shared)
        with os.scandir(listing) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            _give_entry(walk, here, name)
    finally:
        os.close(listing)
    _give(walk, descriptor, found)


def _give_entry(walk: _Walk, here: _Here, name: str) -> None:
    path = f"{here.path}/{name}" if here.path else name
    try:
        with _opened(name, here.descriptor) as (descriptor, found):
            is_here = _is_here(walk, descriptor, found)
            why = _why_it_stays(walk, here, found) if is_here else Stays.MOUNTED
            if why:
                walk.tally.leave(why, path)
            elif stat.S_ISDIR(found.st_mode):
                _give_folder(walk, descriptor, found, path, here.depth + 1)
            else:
                _give(walk, descriptor, found)
    except FileNotFoundError:
        return  # it went away meanwhile


def _is_here(walk: _Walk, descriptor: int, found: os.stat_result) -> bool:
    """Whether it is on the bench's own file system. Files of an overlay have other devices than
    its folders."""
    is_other = stat.S_ISDIR(found.st_mode) and found.st_dev != walk.device
    return not is_other and _mount_of(descriptor) == walk.mount


def _why_it_stays(walk: _Walk, here: _Here, found: os.stat_result) -> Stays | None:
    """Why an entry is not given away, and not entered; None if it is."""
    if found.st_uid not in (0, walk.who.uid):
        return Stays.OTHERS
    if stat.S_ISDIR(found.st_mode):
        return Stays.DEEP if here.depth >= DEEPEST else None
    return _why_it_is_kept(here, found) if found.st_uid == 0 else None


def _why_it_is_kept(here: _Here, found: os.stat_result) -> Stays | None:
    """Why a file of root's stays root's."""
    mode = found.st_mode
    if stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
        return Stays.DEVICE
    if not stat.S_ISREG(mode):
        return None
    if found.st_nlink > 1:
        return Stays.LINKED
    # Who can write to the folder may have moved a file of root's here, which must not become
    # readable for that.
    return Stays.SECRET if here.is_shared and not mode & stat.S_IROTH else None


def _give(walk: _Walk, descriptor: int, found: os.stat_result) -> None:
    """Gives what a descriptor stands for, if it is root's."""
    if found.st_uid != 0:
        return
    walk.tally.given += 1
    if walk.gives:
        _change_owner(descriptor, walk.who.uid, walk.who.gid if found.st_gid == 0 else -1)


def _change_owner(descriptor: int, uid: int, gid: int) -> None:
    """fchownat(2) of the descriptor itself, which os.chown does not do of one with O_PATH."""
    if _libc().fchownat(descriptor, b"", uid, gid, AT_EMPTY_PATH) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), _name_of(descriptor))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _name_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def _mount_of(descriptor: int) -> str:
    """The mount that a file was opened in: a bind mount has the device of its source."""
    text = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii")
    return text.partition("mnt_id:")[2].partition("\n")[0].strip()
