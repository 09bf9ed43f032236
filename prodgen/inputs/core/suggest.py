"""The "did you mean": the known word that another one is most likely a slip for."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 100
"""Characters; beyond that a word is no slip, and comparing it takes long."""


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known word most like `word`, at least by `likeness` (1 is equal); None where none is."""
    if not word or len(word) > LONGEST:
        return None
    from difflib import get_close_matches  # a good file needs no suggestion

    near = get_close_matches(word, known, 1, likeness)
    return near[0] if near else None
