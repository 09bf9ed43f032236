"""Many files changed as one: each step is undone where a later one fails."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path, PurePosixPath

FOLDER_MODE = 0o755


class Unrestored(OSError):
    """A change failed half-way and could not be undone; `kept` holds the old files."""

    def __init__(self, failure: OSError, kept: Path) -> None:
        super().__init__(failure.errno, failure.strerror, failure.filename)
        self.kept = kept


class Swap:
    """Puts the files of `STAGING/new` in place; the old ones are in `STAGING/old` meanwhile."""

    def __init__(self, staging: Path) -> None:
        self.staging = staging
        self._undo: list[Callable[[], object]] = []
        self._numbers = count()

    def apply(
        self, folder: Path, write: Sequence[PurePosixPath], remove: Sequence[PurePosixPath]
    ) -> None:
        """Replaces `write` below `folder` by the staged files and removes `remove`, or nothing."""
        old = self.staging / "old"
        old.mkdir()
        old.chmod(FOLDER_MODE)  # whatever the umask
        try:
            for path in write:
                self._make_folders(folder, path)
                self._replace(self.staging / "new" / path, folder / path)
            for path in remove:
                self._take_away(folder / path)
        except BaseException as failure:
            self._restore(failure)
            raise
        for path in remove:
            remove_empty_folders(folder, path)

    def _make_folders(self, folder: Path, path: PurePosixPath) -> None:
        for made in make_folders(folder, path):
            self._undo.append(made.rmdir)

    def _replace(self, new: Path, place: Path) -> None:
        old = self._place_for_old()
        there = os.path.lexists(place)
        if there:
            _keep(place, old)
        new.replace(place)
        self._undo.append(partial(old.replace, place) if there else place.unlink)

    def _take_away(self, place: Path) -> None:
        old = self._place_for_old()
        with contextlib.suppress(FileNotFoundError):
            place.replace(old)
            self._undo.append(partial(old.replace, place))

    def _place_for_old(self) -> Path:
        return self.staging / "old" / str(next(self._numbers))

    def _restore(self, failure: BaseException) -> None:
        """Undoes every step, the last first; where one cannot be undone, the others still are."""
        left = [fault for undo in reversed(self._undo) if (fault := _fault_of(undo))]
        if left:
            first = failure if isinstance(failure, OSError) else left[0]
            raise Unrestored(first, self.staging / "old") from failure


def _keep(place: Path, old: Path) -> None:
    """Gives the file a second name; a copy where there are no hard links, or none to this one."""
    try:
        os.link(place, old, follow_symlinks=False)
    except OSError:
        shutil.copy2(place, old, follow_symlinks=False)


def _fault_of(step: Callable[[], object]) -> OSError | None:
    try:
        step()
    except OSError as fault:
        return fault
    return None


def make_folders(base: Path, path: PurePosixPath) -> Iterator[Path]:
    """Makes the folders between `base` and the file at `path` below it; gives those it makes."""
    for parent in reversed(path.parents):
        folder = base / parent
        if not folder.is_dir():
            folder.mkdir()
            yield folder
            folder.chmod(FOLDER_MODE)


def remove_empty_folders(base: Path, path: PurePosixPath) -> None:
    """Removes the folders above the file at `path` that are empty now, up to `base`."""
    with contextlib.suppress(OSError):
        for parent in path.parents[:-1]:
            (base / parent).rmdir()
