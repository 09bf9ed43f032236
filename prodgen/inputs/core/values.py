"""Typed access to the values of a checked document; each comes with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar, cast

from prodgen.inputs.core.document import Document, Path
from prodgen.provenance import Sourced

T = TypeVar("T")


class Values(NamedTuple):
    """The normalised data of a document that its schema has accepted.

    A key that is absent or null gives None. The type asked for is the one that the schema
    promises; another one is a bug of prodgen and raises TypeError.
    """

    document: Document | None = None
    data: Mapping[str, object] = {}

    def integer(self, *path: str | int) -> Sourced[int] | None:
        return self._typed(int, path)

    def text(self, *path: str | int) -> Sourced[str] | None:
        """The string at `path`; an empty one counts as absent, as it does for Frappe."""
        found = self._typed(str, path)
        return found if found and found.value.strip() else None

    def flag(self, *path: str | int) -> Sourced[bool] | None:
        return self._typed(bool, path)

    def table(self, *path: str | int) -> dict[str, object]:
        """The object at `path`, empty where there is none."""
        found = self._at(path)
        return cast("dict[str, object]", found) if isinstance(found, dict) else {}

    def items(self, *path: str | int) -> list[object]:
        """The list at `path`, empty where there is none."""
        found = self._at(path)
        return found if isinstance(found, list) else []

    def sourced(self, value: T, *path: str | int) -> Sourced[T]:
        """`value` with the origin of `path`."""
        if self.document is None:
            raise LookupError(f"no document holds {path}")
        return Sourced(value, self.document.origin(path))

    def _at(self, path: Path) -> object:
        found: object = self.data
        for part in path:
            if isinstance(found, dict):
                found = found.get(part)
            elif isinstance(found, list) and isinstance(part, int) and part < len(found):
                found = found[part]
            else:
                return None
        return found

    def _typed(self, wanted: type[T], path: Path) -> Sourced[T] | None:
        found = self._at(path)
        if found is None:
            return None
        if not isinstance(found, wanted) or (wanted is int and isinstance(found, bool)):
            raise TypeError(f"{path} is no {wanted.__name__}: {found!r}")
        return self.sourced(found, *path)
