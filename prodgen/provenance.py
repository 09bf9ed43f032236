"""Where a value came from. Every value of a plan is a `Sourced` one, so none lacks its reason."""

from __future__ import annotations

from enum import Enum
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from prodgen.diagnostics import Location

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


class Kind(Enum):
    """The sources of a value, the strongest first (docs/architecture.md, precedence)."""

    FLAG = "flag"
    SETTINGS = "prodgen.yaml"
    FILE = "file"
    HOST = "host fact"
    DEFAULT = "default"
    DERIVED = "derived"


class Place(Protocol):
    """Something that knows its location, perhaps only when asked."""

    @property
    def location(self) -> Location: ...


class At(NamedTuple):
    """A place that is known already."""

    location: Location


class Origin(NamedTuple):
    """The reason for one value: in words, with its place, and with the reasons behind it."""

    kind: Kind
    text: str
    place: Place | None = None
    because: tuple[Origin, ...] = ()

    @property
    def location(self) -> Location | None:
        return self.place.location if self.place else None


class Sourced(Generic[T_co]):
    """A value and its origin. A plain class, since Python 3.10 knows no generic named tuple."""

    __slots__ = ("origin", "value")

    def __init__(self, value: T_co, origin: Origin) -> None:
        self.value: Final = value
        self.origin: Final = origin

    def __repr__(self) -> str:
        return f"Sourced({self.value!r}, {self.origin!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sourced):
            return NotImplemented
        return bool(self.value == other.value and self.origin == other.origin)

    def __hash__(self) -> int:
        return hash((self.value, self.origin))

    @property
    def location(self) -> Location | None:
        return self.origin.location

    def derive(self, value: U, text: str, *others: Sourced[object]) -> Sourced[U]:
        """A value that follows from this one (and from `others`), for the reason in `text`."""
        because = (self.origin, *(other.origin for other in others))
        return Sourced(value, Origin(Kind.DERIVED, text, None, because))


def default(value: U, text: str) -> Sourced[U]:
    """A value that nobody gave; `text` says why this one."""
    return Sourced(value, Origin(Kind.DEFAULT, text))
