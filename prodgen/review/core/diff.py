"""A diff for people: the lines that differ, each file under its path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import unified_diff

from prodgen.review.core.file_sets import FileChange
from prodgen.review.core.redact import Masking
from prodgen.targets.core.file_set import Placed

NOTHING = "/dev/null"
CONTEXT = 3


def unified(changes: Sequence[FileChange], mask: Masking) -> Iterator[str]:
    """The lines of a unified diff, as patch(1) and `git apply` read it; secrets are masked."""
    for change in changes:
        yield from _file(change, mask)


def _file(change: FileChange, mask: Masking) -> Iterator[str]:
    old, new = _lines(change.old, mask), _lines(change.new, mask)
    if change.old and change.new and change.old.mode != change.new.mode:
        yield f"# {change.path}: mode {change.old.mode:04o} -> {change.new.mode:04o}"
    before = f"a{change.path}" if change.old else NOTHING
    after = f"b{change.path}" if change.new else NOTHING
    for line in unified_diff(old, new, before, after, n=CONTEXT, lineterm=""):
        body, end = line.rstrip("\n"), line.endswith(NO_NEWLINE)
        yield body.removesuffix(NO_NEWLINE)
        if end:
            yield "\\ No newline at end of file"


NO_NEWLINE = "\0"


def _lines(placed: Placed | None, mask: Masking) -> list[str]:
    if placed is None:
        return []
    lines = mask(placed.text).split("\n")
    if lines[-1] == "":
        return lines[:-1]
    return [*lines[:-1], lines[-1] + NO_NEWLINE]
