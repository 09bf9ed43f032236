"""What every reporter of diagnostics is told, and how those for programs write JSON."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import NamedTuple

Json = dict[str, object]


class Layout(NamedTuple):
    """Where the files are, and what the reader can show."""

    folder: PurePosixPath = PurePosixPath()
    """The path to the bench from here, so that a terminal, an editor or a CI finds the files."""
    color: bool = False
    columns: int = 0
    """Of the terminal; 0 if the text goes elsewhere, and nothing is wrapped."""


def dump(data: object) -> str:
    """The data as indented JSON with a line break at its end."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
