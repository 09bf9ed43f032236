"""What of a bench is installed on a host, and how prodgen left it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.system.atomic_write import read_file
from prodgen.host.door import read_named
from prodgen.plan.core.model import Plan
from prodgen.review.changes.change_source import MadeFrom, made_from
from prodgen.review.changes.drift import Drift, drift_of
from prodgen.targets.core.file_set import Placed
from prodgen.targets.manifest import PATH, Listed, NewerFormat, digest, listed_files

SYSTEM_STATE = PurePosixPath("/var/lib/prodgen")
USER_STATE = PurePosixPath(".local/state/prodgen")
"""Below the user's home (XDG Base Directory Specification, `$XDG_STATE_HOME`)."""
USER_UNITS = "/.config/systemd/user/"
CURRENT = "current"
"""The folder of the artifacts as they were installed."""
INPUTS = "inputs.json"
"""The file of a generation that holds what was read of the bench, secrets masked."""


class Installed(NamedTuple):
    """The files of one bench on a host."""

    side: Mapping[PurePosixPath, Placed]
    """What is there now at the destinations that prodgen owns or wants."""
    listed: tuple[Listed, ...]
    """What the manifest of the last apply lists; empty before the first."""
    drift: tuple[Drift, ...]
    made: MadeFrom | None = None
    """What the last apply's files were made from."""


def state_folder(plan: Plan) -> PurePosixPath:
    """Where prodgen keeps what it knows of an installed bench; the host's root comes before it."""
    if plan.is_of_user:
        return plan.home.value / USER_STATE / plan.bench_name.value
    return SYSTEM_STATE / plan.bench_name.value


def state_of(bench: str, destinations: Iterable[PurePosixPath]) -> PurePosixPath:
    """The same by a bench's name and where its files go, for who has no plan."""
    for path in destinations:
        if USER_UNITS in str(path):
            return PurePosixPath(str(path).partition(USER_UNITS)[0]) / USER_STATE / bench
    return SYSTEM_STATE / bench


def at(root: Path, path: PurePosixPath) -> Path:
    """An absolute path below another root."""
    return root / path.relative_to("/")


def look(root: Path, state: PurePosixPath, wanted: Mapping[PurePosixPath, str]) -> Installed:
    """What is installed at the `wanted` destinations (with their targets) and at those owned.

    Raises OSError if something cannot be read, and DeployError if a newer prodgen was here.
    """
    folder = at(root, state)
    listed = tuple(listed_at(folder / PATH))
    targets = {one.destination: one.target for one in listed} | dict(wanted)
    found = _read(root, targets)
    owned = {one.destination: one.sha256 for one in listed}
    side = {
        path: Placed(content.decode("utf-8", "replace"), targets[path], mode)
        for path, (content, mode) in found.items()
    }
    contents = {path: content for path, (content, _) in found.items()}
    drift = tuple(drift_of(contents, owned, _left(folder / CURRENT, listed)))
    return Installed(side, listed, drift, _made(folder))


def listed_at(path: Path) -> list[Listed]:
    """The files that the manifest at this path lists. Raises OSError, DeployError."""
    try:
        return listed_files(read_file(path))
    except NewerFormat as newer:
        raise DeployError.of(newer.diagnostic(path)) from newer


def _read(root: Path, paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, tuple[bytes, int]]:
    """The files that are there, with their modes; links are followed as their readers do."""
    found = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found[path] = read_installed(at(root, path))
    return found


def read_installed(path: Path) -> tuple[bytes, int]:
    """The content and mode of an installed file, or of what a link leads to.

    It is read with the rights of whoever else than root can change it: what a link into a bench
    leads to must not be shown, or kept, if its user may not read it. Raises OSError.
    """
    return read_named(path), path.stat().st_mode & 0o7777


def _made(state: Path) -> MadeFrom | None:
    manifest = read_file(state / PATH)
    return (
        made_from(manifest.decode("utf-8", "replace"), read_inputs(state / CURRENT))
        if manifest
        else None
    )


def read_inputs(generation: Path) -> dict[str, str] | None:
    """What a generation was made from, by the file's path in the bench; None if it kept nothing."""
    try:
        data = json.loads(read_file(generation / INPUTS) or b"")
        return {str(name): str(text) for name, text in data["inputs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _left(folder: Path, listed: Iterable[Listed]) -> dict[PurePosixPath, str]:
    """The texts that the last apply kept, as far as they are what it wrote."""
    found = {}
    for one in listed:
        content = read_file(folder / one.path)
        if content is not None and digest(content) == one.sha256:
            found[one.destination] = content.decode("utf-8", "replace")
    return found
