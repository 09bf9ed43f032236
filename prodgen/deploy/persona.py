"""Root acting as the bench's user, wherever that user could have put a link in the way."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def acting_as(user: str) -> Iterator[None]:
    """The rights of a user for a while (seteuid(2)); nothing where we are not root.

    Only for a process of one thread. Raises KeyError where there is no such user.
    """
    if os.geteuid() != 0:
        yield
        return
    entry = pwd.getpwnam(user)
    groups = os.getgroups()
    os.setgroups(os.getgrouplist(user, entry.pw_gid))
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
