"""What each diagnostic code means: the text behind `prodgen explain CODE`.

The texts stand in `codes.json` beside this file, by code, each with a title, an
explanation, its severity and, where there is one, its family.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple


class Code(NamedTuple):
    """One kind of finding: a title of a few words, and what it means and how to fix it."""

    title: str
    text: str
    severity: str
    """The mildest that it comes with: error, warning or note. Only a warning can be accepted."""
    family: str = ""
    """The code that all of its kind once shared, so that filters by it still hold."""


class _Codes(Mapping[str, Code]):
    """The codes, read when somebody asks for one."""

    @cached_property
    def _entries(self) -> dict[str, Code]:
        texts = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
        return {code: Code(**entry) for code, entry in texts.items()}

    def __getitem__(self, code: str) -> Code:
        return self._entries[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


CODES: Mapping[str, Code] = _Codes()


def members(family: str) -> list[str]:
    """The codes of a family; none if no code names it as its family."""
    return [code for code, entry in CODES.items() if entry.family == family]
