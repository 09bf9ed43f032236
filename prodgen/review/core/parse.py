"""What a config file means, by the parser of its target."""

from __future__ import annotations

from prodgen.targets.core.file_set import FileSet
from prodgen.targets.core.meaning import Block, Meaning, lines_of
from prodgen.targets.core.meaning import merged as merged_by
from prodgen.targets.registry import MODULES, load_effects


def meaning(target: str, text: str) -> Meaning:
    """What the text of a target's file means; a file of no target means its lines."""
    return load_effects(target).parse(text) if target in MODULES else lines_of(text)


def merged(side: FileSet, target: str) -> dict[str, Block]:
    """The blocks of all files of a target."""
    return merged_by(side, target, load_effects(target).parse)
