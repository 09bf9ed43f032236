"""What config files mean: named blocks of settings, without comments, order and layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from prodgen.targets.core.file_set import FileSet

Block = Mapping[str, tuple[str, ...]]
"""The values of each setting; several where it is given several times, in their order."""
Meaning = Mapping[str, Block]
"""Blocks by name."""
Parser = Callable[[str], Meaning]
"""Reads the text of one file. A text that is not in the target's language is one block of lines."""


def lines_of(text: str) -> dict[str, Block]:
    """The text as one block of lines, for a file that no parser reads."""
    return {"file": {"lines": tuple(text.splitlines())}}


def meanings(side: FileSet, target: str, parse: Parser) -> dict[PurePosixPath, Meaning]:
    """What each file of a target means."""
    return {path: parse(placed.text) for path, placed in side.items() if placed.target == target}


def merged(side: FileSet, target: str, parse: Parser) -> dict[str, Block]:
    """The blocks of all files of a target; what they say in nginx's http itself adds up."""
    found: dict[str, Block] = {}
    for blocks in meanings(side, target, parse).values():
        http = found.get("http", {})
        found |= blocks
        for key, values in http.items():
            found["http"] = {**found["http"], key: (*values, *blocks.get("http", {}).get(key, ()))}
    return found
