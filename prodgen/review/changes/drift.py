"""Installed files that changed since prodgen wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.targets.manifest import digest


class Drift(NamedTuple):
    """One installed file that somebody changed or added; `left` is what prodgen wrote."""

    path: PurePosixPath
    what: str
    left: str | None = None
    found: str | None = None


EDITED = "was edited since prodgen wrote it"
GONE = "is gone since prodgen wrote it"
FOREIGN = "is not prodgen's: no manifest lists it"


def drift_of(
    installed: Mapping[PurePosixPath, bytes],
    owned: Mapping[PurePosixPath, str],
    left: Mapping[PurePosixPath, str],
) -> Iterator[Drift]:
    """How the installed files (by destination) differ from the digests that the manifest holds.

    `left` are the texts that prodgen kept of its last apply, for the edit to be shown.
    """
    for path in sorted({*installed, *owned}):
        content = installed.get(path)
        if content is None:
            yield Drift(path, GONE, left.get(path))
        elif path not in owned:
            yield Drift(path, FOREIGN, None, _text(content))
        elif digest(content) != owned[path]:
            yield Drift(path, EDITED, left.get(path), _text(content))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
