"""Whose benches the tests make: our own, or an ordinary user's where root runs the tests."""

from __future__ import annotations

import os
from pathlib import Path

from prodgen.host.run_as import NOBODY, identity_of

OWNER = identity_of(os.geteuid() or NOBODY)
ROOT = identity_of(0)


def give(folder: Path) -> None:
    """Has a folder, and all that is in it now, belong to `OWNER`."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, OWNER.uid, OWNER.gid, follow_symlinks=False)


def is_owners(path: Path) -> bool:
    """Whether a file, or the link itself, belongs to `OWNER`."""
    return path.lstat().st_uid == OWNER.uid
