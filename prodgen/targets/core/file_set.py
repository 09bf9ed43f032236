"""A set of files in their places: what is installed, or what should be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple


class Placed(NamedTuple):
    """A file where it is installed."""

    text: str
    target: str
    mode: int = 0o644


FileSet = Mapping[PurePosixPath, Placed]
"""Files by their destination."""
