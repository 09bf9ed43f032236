"""Root acting with the rights of a lesser user.

Two ways, and no third: `acting_as` lends this process the user's rights for a while, for its own
reading and writing; `as_child` gives a program that is started the user's identity for good, and
`start_folder` the folder that it starts in.
"""

from __future__ import annotations

import builtins
import os
import pwd
from _thread import get_native_id
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

NOBODY = 65534
"""The uid and gid without rights of their own (user_namespaces(7), the overflow user)."""


class Identity(NamedTuple):
    """A user as the kernel knows it."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    """Supplementary groups, the primary one among them."""
    name: str
    """The login name; the uid in digits for a user without an account."""
    home: str

    @property
    def is_root(self) -> bool:
        """Whether it has root's rights, under whatever name."""
        return self.uid == 0


def identity_of(uid: int) -> Identity:
    """The user with this uid; one without an account has no group but `NOBODY`'s."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Identity(uid, NOBODY, (NOBODY,), str(uid), "/")
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return Identity(uid, entry.pw_gid, tuple(groups), entry.pw_name, entry.pw_dir)


def identity_named(name: str) -> Identity | None:
    """The user with this login name; None if there is no such account."""
    try:
        return identity_of(pwd.getpwnam(name).pw_uid)
    except (KeyError, ValueError):  # a NUL byte in the name
        return None


@contextmanager
def acting_as(who: Identity | None) -> Iterator[None]:
    """Lends this process the rights of `who`; changes nothing for None, or unless we are root.

    Only the effective ids change (seteuid(2)), so that root's rights return at the end. They are
    the whole process's, so another thread would act as `who` too, and might get root's rights back
    too early: raises RuntimeError in any but the main thread. No program may be started meanwhile,
    since it would find root's real uid (`as_child` refuses).
    """
    if who is None or who.is_root or os.geteuid() != 0:
        yield
        return
    if get_native_id() != os.getpid():  # gettid(2)
        raise RuntimeError("rights are lent to the whole process, so only by its main thread")
    before = Identity(0, os.getegid(), tuple(os.getgroups()), "root", "/root")
    plain_import = builtins.__import__

    def import_as_root(*names: Any, **more: Any) -> Any:
        """Modules are root's own, and may lie where only root can read them."""
        if os.geteuid() == 0:  # within an import
            return plain_import(*names, **more)
        _set_effective(before)
        try:
            return plain_import(*names, **more)
        finally:
            _set_effective(who)

    try:
        _set_effective(who)
        builtins.__import__ = import_as_root
        yield
    finally:
        builtins.__import__ = plain_import
        _set_effective(before)


def _set_effective(who: Identity) -> None:
    """Changes the effective ids and the groups, which takes root's uid before and after."""
    if os.geteuid() != 0:
        os.seteuid(0)
    os.setgroups(who.groups)
    os.setegid(who.gid)
    os.seteuid(who.uid)


def as_child(who: Identity | None) -> dict[str, Any]:
    """Arguments of `subprocess.Popen` that start a program as `who`; none unless we are root.

    Raises RuntimeError while rights are lent: the program would have root's real uid.
    """
    if is_lent():
        raise RuntimeError("a program would be started with root's real uid")
    if who is None or os.geteuid() != 0:
        return {}
    return {"user": who.uid, "group": who.gid, "extra_groups": list(who.groups)}


@contextmanager
def start_folder(folder: Path, who: Identity | None) -> Iterator[str]:
    """A path of `folder` for the `cwd` of a program that starts as `who`. Raises OSError.

    Popen changes the folder before it gives up root's rights. Through a link of the user's that
    would lead below a folder that only root can enter, where files are often everyone's to read. So
    the folder is looked up with the rights of `who`, once.
    """
    with acting_as(who):
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


def is_lent() -> bool:
    """Whether this process acts with rights that `acting_as` has lent it."""
    return os.geteuid() != os.getuid()
