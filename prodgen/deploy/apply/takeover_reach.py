"""Who else than root can change what somebody has installed, and what it names on this host."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from prodgen.host.door import rights_for
from prodgen.host.trust import danger_on_way
from prodgen.inputs.reader import open_regular
from prodgen.review.adopt.core.reach import How, Opened, Reach


def reach_of(root: Path, place: PurePosixPath, opened: Iterable[Opened] = ()) -> Reach:
    """What others than root can change of the file `place` below `root`, and of its paths."""
    path = _below(root, str(place))
    writer = who_can_change(path)
    dangers = {}
    for one in opened:
        danger = _danger(_below(root, one.path), one)
        if not danger and writer and one.is_include:
            danger = _secret_in(_below(root, one.path), path)
        if danger:
            dangers[one] = danger
    source = os.path.realpath(path) if path.is_symlink() else ""
    return Reach(str(place), writer, source, dangers)


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def who_can_change(path: Path) -> str:
    """Who else than root can change a path, or put something there; empty for nobody.

    Whoever can write to the folder of a missing file can make it: everyone in one like /tmp.
    """
    try:
        danger = danger_on_way(path)
        return str(danger) if danger else _maker_of(path)
    except OSError as failure:
        if os.geteuid() != 0:  # what only root may look into, only root can change
            return ""
        reason = (failure.strerror or str(failure)).lower()
        return f"who can change {path} cannot be told ({reason})"


def _maker_of(path: Path) -> str:
    """Who can make what is missing at a path on which nobody can change what is there."""
    real = Path(os.path.realpath(path))
    if os.path.lexists(real):
        return ""
    return _who_can_add(next(one for one in real.parents if os.path.lexists(one)))


def _who_can_add(folder: Path) -> str:
    """Who can make files in a folder with the sticky bit; in others they could change all."""
    mode = folder.stat().st_mode
    shared = mode & stat.S_ISVTX and mode & (stat.S_IWOTH | stat.S_IWGRP)
    return f"everyone can make files in {folder}" if shared else ""


def _danger(path: Path, one: Opened) -> str:
    if one.how is How.WRITE:
        # The file may be a worker's by now: in a folder of root's nobody can put a link there.
        folders = (path.parent, Path(os.path.realpath(path)).parent)
        found = (who_can_change(each) or _may_add(each) for each in folders)
        return next(filter(None, found), "")
    if one.is_include:
        return next(filter(None, (who for _, who in _walk(Path("/"), path.parts[1:]))), "")
    return who_can_change(path)


def _may_add(folder: Path) -> str:
    try:
        return _who_can_add(folder)
    except OSError:  # it is missing, or not for us to see
        return ""


def _walk(here: Path, parts: tuple[str, ...]) -> list[tuple[Path, str]]:
    """Each file that a pattern stands for, with who else than root can change it; or the first
    folder on the way that others can change. A folder is read only if it is root's."""
    if not parts:
        return [(here, who_can_change(here))]
    if not re.search(r"[*?\[\\]", parts[0]):
        return _walk(here / parts[0], parts[1:])
    danger = who_can_change(here) or _may_add(here)
    if danger:
        return [(here, danger)]
    pattern = re.sub(r"[\[\\].*", "*", parts[0])  # more than glob(3) finds, never less
    try:
        names = sorted(one.name for one in here.iterdir() if fnmatch.fnmatchcase(one.name, pattern))
    except OSError:
        return []
    return [one for name in names for one in _walk(here / name, parts[1:])]


def _secret_in(pattern: Path, file: Path) -> str:
    """What an include names that whoever can change `file` may not read.

    A message of nginx's quotes what it cannot understand.
    """
    for included, _ in _walk(Path("/"), pattern.parts[1:]):
        if not included.is_file():
            continue
        try:
            with rights_for(file):
                os.close(open_regular(included)[0])
        except OSError:
            return f"who can change this file may not read {included}"
    return ""
