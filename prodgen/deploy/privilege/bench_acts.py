"""What prodgen does in a bench: always as its owner, whoever runs prodgen."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence

from prodgen.deploy.system.atomic_write import write_file
from prodgen.host.door import Door
from prodgen.host.programs import Done, run

NOT_RUN = 126
"""The code of a command that was found and must not be run, as shells have it."""


def write_in(door: Door, name: str, content: bytes, mode: int | None = None) -> None:
    """Replaces a file of the bench as a whole; keeps its mode unless one is given.

    Raises OSError.
    """
    with door.rights():
        path = door.path / name
        if mode is None:
            mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
        write_file(path, content, mode)


def remove_in(door: Door, name: str) -> None:
    """Takes a file of the bench away. Raises OSError."""
    with door.rights():
        (door.path / name).unlink()


def run_for(
    door: Door,
    argv: Sequence[str],
    *,
    timeout: float = 30,
    variables: Mapping[str, str] | None = None,
) -> Done:
    """Runs a program of the bench's as its owner, in the folder `/`; never as root."""
    if os.geteuid() == 0 and (door.owner.is_root or door.closed):
        return Done(tuple(argv), NOT_RUN, "", f"{door.path} is not a user's: nothing is run for it")
    return run(argv, timeout=timeout, who=door.owner, variables=variables)
