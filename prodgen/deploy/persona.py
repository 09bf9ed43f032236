"""Root acting as a lesser user, wherever that user could have put a link in the way."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

NOBODY = 65534
"""Who has no rights but everyone's (user_namespaces(7), the overflow user)."""


@contextmanager
def acting_as(user: str) -> Iterator[None]:
    """The rights of a user for a while (seteuid(2)); nothing where we are not root.

    Only for a process of one thread. Raises KeyError where there is no such user.
    """
    if os.geteuid() != 0:
        yield
        return
    entry = pwd.getpwnam(user)
    with _being(entry.pw_uid, entry.pw_gid, os.getgrouplist(user, entry.pw_gid)):
        yield


@contextmanager
def acting_as_owner(folder: Path) -> Iterator[None]:
    """The rights of whom a folder belongs to; of nobody where it is root's own. Raises OSError.

    What root installs for everyone to see must not come from a file that the owner cannot read.
    """
    if os.geteuid() != 0:
        yield
        return
    uid = folder.stat().st_uid or NOBODY
    gid, groups = NOBODY, [NOBODY]
    with suppress(KeyError):
        entry = pwd.getpwuid(uid)
        gid, groups = entry.pw_gid, os.getgrouplist(entry.pw_name, entry.pw_gid)
    with _being(uid, gid, groups):
        yield


@contextmanager
def _being(uid: int, gid: int, others: Sequence[int]) -> Iterator[None]:
    groups = os.getgroups()
    os.setgroups(others)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
