"""Users and groups for tests of rights: real ids to the kernel, invented names to Python."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Mapping, Sequence

import pytest

ALICE, BOB, CAROL, SYSTEM = 61001, 61002, 61003, 61009
STAFF, EMPTY, PRIVATE = 62001, 62002, 61001
USERS = {"root": (0, 0), "alice": (ALICE, PRIVATE), "bob": (BOB, 61002), "carol": (CAROL, STAFF)}
"""Name, uid and primary group."""
GROUPS: Mapping[str, tuple[int, Sequence[str]]] = {
    "root": (0, []),
    "alice": (PRIVATE, []),
    "bob": (61002, []),
    "empty": (EMPTY, []),
}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")


def invent(
    monkeypatch: pytest.MonkeyPatch,
    *,
    users: Mapping[str, tuple[int, int]] = USERS,
    groups: Mapping[str, tuple[int, Sequence[str]]] = GROUPS,
) -> None:
    """Makes pwd and grp know these accounts and no others."""
    known = [
        pwd.struct_passwd((name, "x", uid, gid, "", f"/home/{name}", "/bin/sh"))
        for name, (uid, gid) in users.items()
    ]
    listed = [
        grp.struct_group((name, "x", gid, list(members))) for name, (gid, members) in groups.items()
    ]

    def user(key: object) -> pwd.struct_passwd:
        for one in known:
            if key in {one.pw_uid, one.pw_name}:
                return one
        raise KeyError(key)

    def group(key: object) -> grp.struct_group:
        for one in listed:
            if key in {one.gr_gid, one.gr_name}:
                return one
        raise KeyError(key)

    def groups_of(name: str, gid: int) -> list[int]:
        return [gid, *(one.gr_gid for one in listed if name in one.gr_mem and one.gr_gid != gid)]

    monkeypatch.setattr(pwd, "getpwall", lambda: known)
    monkeypatch.setattr(pwd, "getpwuid", user)
    monkeypatch.setattr(pwd, "getpwnam", user)
    monkeypatch.setattr(grp, "getgrgid", group)
    monkeypatch.setattr(grp, "getgrnam", group)
    monkeypatch.setattr(os, "getgrouplist", groups_of)
