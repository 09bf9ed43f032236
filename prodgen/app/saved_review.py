"""A reviewed change, kept as digests in a file until it is applied."""

from __future__ import annotations

import json
from pathlib import Path

from prodgen.app.review import Comparison, Stopped, unreadable
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import rights_for
from prodgen.inputs.reader import read_whole
from prodgen.targets.core.file_set import FileSet, Placed
from prodgen.targets.manifest import NewerFormat, digest, require_known

FORMAT_VERSION = 1


def write_review(path: Path, comparison: Comparison) -> None:
    """Write the digests of both sides. Raises Stopped if the file cannot be written."""
    from prodgen.deploy.system.atomic_write import write_file

    try:
        with rights_for(path):
            write_file(path, (json.dumps(_data(comparison), indent=2) + "\n").encode())
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        raise Stopped(
            error("PG801", f"cannot write {path}: {reason}", None, "name another place with -o")
        ) from failure


def check_review(path: Path, comparison: Comparison) -> None:
    """Raises Stopped unless both sides are as they were reviewed."""
    try:
        with rights_for(path):
            kept = json.loads(read_whole(path))
        require_known(kept["format_version"])
        known = bool(kept["format_version"] == FORMAT_VERSION)
    except NewerFormat as newer:
        raise Stopped(newer.diagnostic(path)) from newer
    except OSError as failure:
        raise Stopped(unreadable(failure)) from failure
    except (ValueError, KeyError, TypeError, RecursionError):
        kept, known = {}, False
    if not known:
        help_line = "name a file that `prodgen diff -o FILE` made"
        raise Stopped(error("PG804", f"{path} is no review of prodgen's", None, help_line))
    now = _data(comparison)
    for side, words in (("old", "installed"), ("new", "wanted")):
        if kept.get(side) != now[side]:
            raise Stopped(_moved(path, words, kept.get(side), now[side]))


def _moved(path: Path, words: str, before: object, now: object) -> Diagnostic:
    one, two = (side if isinstance(side, dict) else {} for side in (before, now))
    names = sorted(name for name in {*one, *two} if one.get(name) != two.get(name))
    return error(
        "PG807",
        f"what is {words} has changed since {path} was written: {', '.join(names)}",
        None,
        "run `prodgen diff` again, read it, and apply that",
    )


def _data(comparison: Comparison) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "bench": comparison.title,
        "old": _digests(comparison.old),
        "new": _digests(comparison.new),
    }


def _digests(side: FileSet) -> dict[str, str]:
    return {str(path): _digest(one) for path, one in sorted(side.items())}


def _digest(one: Placed) -> str:
    return f"{digest(one.text.encode('utf-8', 'surrogateescape'))} {one.mode:04o}"
