"""What becomes of each setting of a config that prodgen takes over."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Disposition(Enum):
    """What becomes of one setting of theirs."""

    OURS = "the same in ours"
    DEFAULT = "bench's own: ours does it its way"
    MOVED = "kept, in a file of your own"
    OPEN = "not kept until you set it"
    """Ours has a setting for it, or none at all; the note says which."""


class AdoptedSetting(NamedTuple):
    """One setting of theirs, or a block of them that goes as a whole."""

    disposition: Disposition
    target: str
    subject: str
    """The server, location or program that it stands in."""
    text: str
    note: str = ""
    """Where it goes, what to set, or what ours does instead."""
    settings: int = 1
    """How many settings it stands for."""


class Addition(NamedTuple):
    """Text that goes into a file of the user's own; `place` is the kind of file."""

    place: str
    text: str


class Adoption(NamedTuple):
    """All settings of theirs, and the text that is kept."""

    entries: tuple[AdoptedSetting, ...] = ()
    additions: tuple[Addition, ...] = ()

    def of(self, disposition: Disposition) -> list[AdoptedSetting]:
        """The settings with one disposition."""
        return [one for one in self.entries if one.disposition is disposition]

    def plus(self, other: Adoption) -> Adoption:
        """Both together."""
        return Adoption(self.entries + other.entries, self.additions + other.additions)

    def texts(self) -> dict[str, str]:
        """The text of each kind of file; what several servers say alike stands once."""
        found: dict[str, list[str]] = {}
        for place, text in dict.fromkeys(self.additions):
            found.setdefault(place, []).append(text)
        return {place: HEAD + "\n".join(texts) for place, texts in sorted(found.items())}


HEAD = "# Yours: taken over by `prodgen adopt`. prodgen leaves this file alone.\n\n"


def unreadable_file(target: str, name: str, text: str) -> Adoption:
    """A file that its own reader would not take: none of it can be understood."""
    lines = len(text.splitlines())
    note = "it cannot be read to its end: correct or remove the file first"
    return Adoption(
        (AdoptedSetting(Disposition.OPEN, target, name, f"{lines} lines", note, lines),)
    )


def joined(found: Iterable[Adoption]) -> Adoption:
    """Several together."""
    whole = Adoption()
    for one in found:
        whole = whole.plus(one)
    return whole
