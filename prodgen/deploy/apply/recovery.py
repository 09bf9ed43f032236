"""What an interrupted apply left: put back, or brought to its end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from prodgen.deploy.apply import bench_setup, boot_guard, journal
from prodgen.deploy.apply.history import CURRENT, DRAFT, FOLDER, keep_generation
from prodgen.deploy.apply.installed import listed_at
from prodgen.deploy.apply.journal import Journal, KeyChange, Move, Phase
from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.session.session import bench_lock
from prodgen.deploy.system.atomic_write import LARGEST, TEMPORARY_PREFIX
from prodgen.inputs.reader import read_whole
from prodgen.plan.core.model import Manager
from prodgen.review.changes.site_config_edit import FILE
from prodgen.targets.core.file_set import FileSet, Placed
from prodgen.targets.manifest import PATH


def sweep(state: Path) -> None:
    """Takes away what is left where no journal says that it is needed. Raises OSError."""
    drafts = state.glob(f"{TEMPORARY_PREFIX}*")
    for folder in (state / journal.PENDING, state / FOLDER / DRAFT, *drafts):
        if folder.is_dir():
            shutil.rmtree(folder)


def settle(state: Path, left: Journal) -> str:
    """Ends or undoes it without a word to what runs; what was done. Raises OSError.

    Right where nothing has been told of new files yet, and after a boot, which has told all.
    """
    done = "an apply that was interrupted has been undone"
    if left.phase is Phase.REPLACING:
        journal.undo(left.moves)
    elif left.phase is Phase.ACTIVATING:
        journal.remove(left.moves)
        done = "an apply that was interrupted has been brought to its end"
        if left.keys:
            done += _set_keys(state, left.keys)
        keep_generation(state)
    journal.discard(state, left.moves)
    sweep(state)
    boot_guard.clear_guard(state.name)
    return done


def _set_keys(state: Path, keys: KeyChange) -> str:
    """Sets the keys of the bench; why not, where its folder or its user is not there so early."""
    bench_setup.note_keys(state / FOLDER / DRAFT, keys.former)
    try:
        bench_setup.set_keys(keys)
    except (OSError, KeyError, ValueError) as failure:
        wanted = ", ".join(f"{key} = {json.dumps(value)}" for key, value in keys.wanted.items())
        return f"; set {wanted} in {keys.bench / FILE} by hand: {failure}"
    return ""


def recover_at_boot(state: Path) -> str:
    """For the guard's unit: puts the files right, and has systemd read them. Raises OSError."""
    with bench_lock(state):
        left = journal.read_journal(state)
        if left is None:
            return "nothing was interrupted"
        done = settle(state, left)
    changed = {move.target for move in left.moves}
    for one in Manager:
        if one.value in changed:
            backend_of(one).start_at_boot()
    return done


def sides_of(state: Path, root: Path, moves: Sequence[Move]) -> tuple[FileSet, FileSet]:
    """What was installed before the moves, and what is now: files that stayed are in both."""
    new = _kept_side(state)
    old = dict(new)
    for move in moves:
        path = PurePosixPath("/") / move.path.relative_to(root)
        old.pop(path, None)
        if move.backup is not None and move.backup.is_file():
            old[path] = _placed(move.backup, move.target)
        if move.staged is not None and move.path.is_file():
            new[path] = _placed(move.path, move.target)
    return old, new


def _kept_side(state: Path) -> dict[PurePosixPath, Placed]:
    """The files of the generation that is being installed, or just has been."""
    draft = state / FOLDER / DRAFT
    folder = draft if draft.is_dir() else state / CURRENT
    return {
        one.destination: _placed(folder / one.path, one.target)._replace(mode=one.mode)
        for one in listed_at(folder / PATH)
        if one.destination.is_absolute() and (folder / one.path).is_file()
    }


def _placed(path: Path, target: str) -> Placed:
    text = read_whole(path, LARGEST).decode("utf-8", "replace")
    return Placed(text, target, path.stat().st_mode & 0o7777)
