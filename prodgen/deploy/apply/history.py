"""What was installed for a bench, time after time: the last few applies, and what each replaced.

STATE/manifest.json               what is installed now
STATE/current -> generations/3    its files, as they were written
STATE/generations/3/inputs.json    what they were made from, secrets masked
STATE/generations/3/replaced/     what stood there before, for a rollback
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen.deploy.apply.bench_setup import noted_keys
from prodgen.deploy.apply.installed import INPUTS, listed_at, read_inputs, read_installed
from prodgen.deploy.apply.journal import Move, copy_file
from prodgen.deploy.system.atomic_write import create_file, read_file, sync_folder, write_file
from prodgen.review.changes.site_config_edit import Value
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.manifest import FORMAT_VERSION, PATH

KEPT = 5
"""Generations that are kept; older ones go."""
FOLDER = "generations"
REPLACED = "replaced"
INDEX = "replaced.json"
CURRENT = "current"


class Former(NamedTuple):
    """What stood in one place before an apply; no content: nothing did."""

    path: PurePosixPath
    target: str
    content: bytes | None
    mode: int


def numbers(state: Path) -> list[int]:
    """The generations that are kept, the oldest first."""
    folder = state / FOLDER
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(int(one.name) for one in found if one.name.isdigit())


LINKED = 0o600
"""The mode of what a rollback puts where a link was; what reads it is root's."""
DRAFT = "next"
"""The folder of a generation whose apply is at work."""


def draft_generation(
    state: Path, artifacts: Iterable[Artifact], inputs: Mapping[str, str] | None = None
) -> None:
    """Write what is about to be installed, the manifest among it. Raises OSError.

    `inputs` are the texts that it was made from, for a later `prodgen diff` to compare with.
    """
    draft = state / FOLDER / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    (draft / REPLACED).mkdir(mode=0o700)  # what was there before may be somebody's secret
    for artifact in artifacts:
        place = draft / artifact.path
        place.parent.mkdir(parents=True, exist_ok=True)
        create_file(place, artifact.content, 0o644)
    if inputs is not None:
        data = {"format_version": FORMAT_VERSION, "inputs": dict(inputs)}
        create_file(draft / INPUTS, json.dumps(data, indent=1).encode(), 0o644)


def keep_generation(state: Path) -> None:
    """Makes the draft the current generation. Done again, it does no harm. Raises OSError."""
    draft = state / FOLDER / DRAFT
    if not draft.is_dir():
        return
    number = (numbers(state) or [0])[-1] + 1
    manifest = read_file(draft / PATH)
    if manifest is None:
        (state / PATH).unlink(missing_ok=True)
    else:
        write_file(state / PATH, manifest)
    draft.rename(state / FOLDER / str(number))
    _point(state, number)
    for old in numbers(state)[:-KEPT]:
        shutil.rmtree(state / FOLDER / str(old), ignore_errors=True)


def keep_replaced(state: Path, moves: Sequence[Move], root: Path) -> None:
    """Keeps what the moves replace beside the draft, while there still is a way back.

    Raises OSError.
    """
    draft = state / FOLDER / DRAFT
    index = [_keep(draft / REPLACED, one, move, root) for one, move in enumerate(moves)]
    create_file(draft / INDEX, json.dumps(index, indent=1).encode(), 0o600)


def _keep(folder: Path, number: int, move: Move, root: Path) -> dict[str, object]:
    kept = move.backup is not None
    mode = move.mode
    if move.backup is not None:
        mode = _keep_file(move.backup, folder / str(number), move.path.parent)
    path = PurePosixPath("/") / move.path.relative_to(root)
    return {
        "path": str(path),
        "target": move.target,
        "kept": str(number) if kept else "",
        "mode": mode,
    }


def _keep_file(backup: Path, copy: Path, place: Path) -> int:
    """Keeps what stood in a place, and its mode. Of a link what it led to is kept, for root alone:
    a rollback must not depend on a file that somebody else can write."""
    if not backup.is_symlink():
        copy_file(backup, copy)
        return backup.stat().st_mode & 0o7777
    copy.unlink(missing_ok=True)
    try:
        content, _ = read_installed(place / backup.readlink())
    except (FileNotFoundError, NotADirectoryError):
        content = b""
    create_file(copy, content, LINKED)
    return LINKED


def _point(state: Path, number: int) -> None:
    link = state / f"{CURRENT}.new"
    link.unlink(missing_ok=True)
    link.symlink_to(f"{FOLDER}/{number}")
    link.replace(state / CURRENT)
    sync_folder(state)


def former_artifacts(state: Path) -> list[Artifact]:
    """What was installed before the last apply, for a rollback; files of others among it.

    Raises NothingToRollBack where nothing is kept, or OSError.
    """
    kept = numbers(state)
    if not kept:
        raise NothingToRollBack("prodgen has applied nothing to this bench yet")
    last = state / FOLDER / str(kept[-1])
    before = state / FOLDER / str(kept[-2]) if len(kept) > 1 else None
    replaced = {one.path: one for one in _replaced(last)}
    found = []
    for one in listed_at(last / PATH):
        if one.destination not in replaced:
            text = (last / one.path).read_text()
            found.append(Artifact(one.path, text, one.destination, one.target, one.mode))
    for former in replaced.values():
        if former.content is not None:
            inner = PurePosixPath(former.target, former.path.name)
            text = former.content.decode("utf-8", "surrogateescape")
            found.append(Artifact(inner, text, former.path, former.target, former.mode))
    manifest = read_file(before / PATH) if before else None
    if manifest is not None:
        found.append(Artifact(PATH, manifest.decode(), PATH, "manifest"))
    return found


def former_inputs(state: Path) -> dict[str, str] | None:
    """What the files before the last apply were made from; None if it was not kept."""
    kept = numbers(state)
    return read_inputs(state / FOLDER / str(kept[-2])) if len(kept) > 1 else None


def created_files(state: Path) -> dict[PurePosixPath, str]:
    """What the last apply put where nothing was, and owns no longer: the files of a user's own
    that an adoption made, with their targets. Raises OSError."""
    kept = numbers(state)
    if not kept:
        return {}
    last = state / FOLDER / str(kept[-1])
    owned = {one.destination for one in listed_at(last / PATH)}
    return {
        one.path: one.target
        for one in _replaced(last)
        if one.content is None and one.path not in owned and one.path.is_absolute()
    }


def replaced_files(state: Path) -> frozenset[PurePosixPath]:
    """The places of what the last apply replaced, those of others' files among them. Raises
    OSError."""
    kept = numbers(state)
    found = _replaced(state / FOLDER / str(kept[-1])) if kept else []
    return frozenset(one.path for one in found if one.content is not None)


def former_production_keys(state: Path) -> dict[str, Value]:
    """What the last apply found for the production keys that it changed. Raises OSError."""
    kept = numbers(state)
    return noted_keys(state / FOLDER / str(kept[-1])) if kept else {}


class NothingToRollBack(Exception):
    """There is nothing to go back to."""


def _replaced(folder: Path) -> list[Former]:
    """What stood where a generation put its files. Raises OSError."""
    found = []
    for one in json.loads((folder / INDEX).read_bytes()):
        content = None
        if one["kept"]:
            content = (folder / REPLACED / one["kept"]).read_bytes()
        found.append(Former(PurePosixPath(one["path"]), one["target"], content, one["mode"]))
    return found
