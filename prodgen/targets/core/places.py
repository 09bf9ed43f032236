"""Where root installs the files of a target, so that it can be told apart from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.plan.core.model import CONFIG_FOLDER, Plan
from prodgen.provenance import Sourced

ADOPTED = "adopted.conf"
"""The file of a user's own that `adopt` keeps, in each folder that ours include."""


def _default(_plan: Plan) -> Sourced[PurePosixPath] | None:
    return None


class Places(NamedTuple):
    """The folders of one target, and which files in them are one bench's alone."""

    folders: tuple[PurePosixPath, ...]
    """Where others have files too."""
    is_own: Callable[[str, PurePosixPath], bool]
    """Whether prodgen installs a file there for the bench of this name, and for no other."""
    searched: tuple[tuple[PurePosixPath, str], ...] = ()
    """Folders and patterns of files that bench or people may have put there for a bench."""
    vendor: tuple[str, ...] = ()
    """Folders of the system's packages, whose files one of ours of the same name would replace."""
    chosen: Callable[[Plan], Sourced[PurePosixPath] | None] = _default
    """The folder that the user has chosen, if there is a choice."""
    setting: str = ""
    """How it is chosen."""


def is_in_config_folder(bench: str, path: PurePosixPath) -> bool:
    """Whether the file is in the bench's own folder of files that its services read."""
    return path.parent == CONFIG_FOLDER / bench


IN_CONFIG_FOLDER = Places((CONFIG_FOLDER,), is_in_config_folder)
