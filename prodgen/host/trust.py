"""Who can change what a path leads to: owners, modes, groups with their members, and ACLs."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import shlex
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MOST_LINKS = 40
"""As many symbolic links on one way as the kernel follows (path_resolution(7))."""
ACL = "system.posix_acl_access"
ACL_ENTRY = struct.Struct("<HHI")
"""Tag, rights and id (linux/posix_acl_xattr.h)."""
ACL_HEAD = 4
"""Bytes before the first entry: the version."""
ACL_USER, ACL_GROUP_OBJ, ACL_GROUP, ACL_MASK = 0x02, 0x04, 0x08, 0x10
MAY_WRITE = 2


class Danger(NamedTuple):
    """Something on the way to a path that somebody else can change."""

    place: Path
    who: str
    """Such as `everyone` or `the group staff (alice)`."""
    fix: str
    """The command that ends it."""

    def __str__(self) -> str:
        return f"{self.who} can change {self.place}"


def danger_on_way(path: Path, owner: int = 0) -> Danger | None:
    """The first thing on the way to `path` that others than root and `owner` (a uid) can change.

    Every folder, every symbolic link and what it leads to counts, `path` itself too. A folder with
    the sticky bit, such as /tmp, is fine: nobody can replace what belongs to somebody else in it
    (unlink(2)). What is not there ends the way. Raises OSError if something cannot be looked at.
    """
    for place, _ in _way(path):
        try:
            found = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        danger = danger_at(place, found, owner)
        if danger:
            return danger
    return None


def danger_above(path: Path) -> Danger | None:
    """By what others than root can put another file, or a link, in the place of a file.

    The file itself does not count, whoever owns it; the folders that it and its links are in do,
    sticky ones too, since its owner can replace it there. Raises OSError.
    """
    for place, left in _way(path):
        folder = place.parent
        if not left and (danger := danger_at(folder, folder.lstat(), even_sticky=True)):
            return danger
        try:
            found = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not left and not stat.S_ISLNK(found.st_mode):
            return None
        if danger := danger_at(place, found):
            return danger
    return None


def danger_below(folder: Path) -> Danger | None:
    """The first file or folder below a folder that others than root can change.

    What vanishes meanwhile is passed over. Raises OSError.
    """
    for top, folders, files in os.walk(folder):
        for place in (Path(top, name) for name in sorted((*folders, *files))):
            with contextlib.suppress(FileNotFoundError):
                if danger := danger_at(place, place.lstat()):
                    return danger
    return None


def own_path(path: Path, *, strict: bool = False) -> Path:
    """Where an absolute path leads, by folders and links that nobody but root can change.

    So it stays so. In a folder for everyone, such as /tmp, somebody may put a link in the place of
    what is not there yet, so that is not followed. Raises PermissionError, and FileNotFoundError
    for what has to be there (`strict`).
    """
    end = Path("/")
    for end, left in _way(path):
        try:
            danger = danger_at(end, end.lstat())
        except (FileNotFoundError, NotADirectoryError):
            if strict:
                raise
            return end.joinpath(*reversed(left))
        if danger:
            raise PermissionError(errno.EPERM, str(danger), str(end))
    return end


def danger_at(
    place: Path, found: os.stat_result, owner: int = 0, *, even_sticky: bool = False
) -> Danger | None:
    """Who else than root and `owner` can change this one file, folder or link.

    In a sticky folder they cannot replace what is there; `even_sticky` counts that they can add.
    """
    shown = shlex.quote(str(place))
    if found.st_uid not in (0, owner):
        name = user_name(found.st_uid)
        return Danger(place, name, f"chown -h {user_name(owner)}: {shown}")
    if stat.S_ISLNK(found.st_mode):
        return None  # a link's own mode has no meaning
    if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX and not even_sticky:
        return None
    if found.st_mode & stat.S_IWOTH:
        return Danger(place, "everyone", f"chmod o-w {shown}")
    if not found.st_mode & stat.S_IWGRP:
        return None  # with an ACL these bits are its mask, which bounds all its entries
    return _danger_of_groups(place, found, owner)


def _danger_of_groups(place: Path, found: os.stat_result, owner: int) -> Danger | None:
    shown, entries = shlex.quote(str(place)), _acl(place)
    mask = next((rights for tag, rights, _ in entries if tag == ACL_MASK), MAY_WRITE)
    writing = [(tag, number) for tag, rights, number in entries if rights & mask & MAY_WRITE]
    for tag, number in writing:
        if tag == ACL_USER and number not in (0, owner):
            name = user_name(number)
            return Danger(place, name, f"setfacl -x u:{name} {shown}")
        if tag == ACL_GROUP and (others := _others_in(number, owner)):
            name = group_name(number)
            return Danger(place, _group(name, others), f"setfacl -x g:{name} {shown}")
    if entries and not any(tag == ACL_GROUP_OBJ for tag, _ in writing):
        return None
    others = _others_in(found.st_gid, owner)
    if not others:
        return None
    return Danger(place, _group(group_name(found.st_gid), others), f"chmod g-w {shown}")


def _way(path: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder and link on the way to an absolute path, in the order of the kernel's walk.

    Each with the names that are left then, the next one last.
    """
    here, left, links = Path("/"), list(reversed(path.parts[1:])), 0
    yield here, left
    while left:
        name = left.pop()
        if name == "..":
            here = here.parent
            continue
        place = here / name
        yield place, left
        target = _target(place)
        if target is None:
            here = place
            continue
        links += 1
        if links > MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        if target.is_absolute():
            here = Path("/")
        left += reversed([part for part in target.parts if part != "/"])


def _target(place: Path) -> Path | None:
    """Where a symbolic link leads; None for anything else."""
    try:
        return place.readlink()
    except OSError as failure:
        if failure.errno in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
            return None
        raise


def _acl(place: Path) -> list[tuple[int, int, int]]:
    """The entries of the access ACL as tag, rights and id; none without one (acl(5))."""
    try:
        raw = os.getxattr(place, ACL, follow_symlinks=False)
    except OSError:  # none, or a file system without them
        return []
    whole = len(raw) - (len(raw) - ACL_HEAD) % ACL_ENTRY.size
    return list(ACL_ENTRY.iter_unpack(raw[ACL_HEAD:whole]))


def _others_in(gid: int, owner: int) -> list[str]:
    """The members of a group, primary or listed, but for root and `owner`."""
    listed: set[str] = set()
    with contextlib.suppress(KeyError):
        listed |= set(grp.getgrgid(gid).gr_mem)
    known = pwd.getpwall()
    uids = {entry.pw_name: entry.pw_uid for entry in known}
    listed |= {entry.pw_name for entry in known if entry.pw_gid == gid}
    return sorted(name for name in listed if uids.get(name) not in (0, owner))


def _group(name: str, members: list[str]) -> str:
    more = f" and {len(members) - 2} more" if len(members) > 2 else ""
    return f"the group {name} ({', '.join(members[:2])}{more})"


def user_name(uid: int) -> str:
    """The login name of a uid, or its digits."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The name of a gid, or its digits."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
