"""Root folders of Debian releases, made once by debootstrap, which needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.support.rig.stacks import cache_folder, locked

MIRROR = os.environ.get("PRODGEN_DEBIAN_MIRROR", "")
"""Where the packages come from; empty for debootstrap's own choice."""


def place_of_root(name: str) -> Path:
    """Where the root folder of this name is, once it has been made."""
    return cache_folder() / "roots" / name


def debian_root(release: str, packages: Iterable[str], name: str = "") -> Path:
    """The root folder of a release with these packages, made on first use.

    It appears complete or not at all. `name` is the folder's, if not the release's.
    """
    folder = place_of_root(name or release)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(exist_ok=True)
    with locked(folder.parent):
        draft = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        how = ["--variant=minbase", f"--include={','.join(packages)}"]
        mirror = [MIRROR] if MIRROR else []
        subprocess.run(["debootstrap", *how, release, str(draft), *mirror], check=True)
        draft.rename(folder)
    return folder
