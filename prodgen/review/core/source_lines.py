"""Which line of the bench's files a complaint of nginx, Supervisor or systemd goes back to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from prodgen.diagnostics import Location
from prodgen.plan.core.model import Address, Plan
from prodgen.provenance import Origin, Sourced

SHORTEST = 3
"""Characters of a value that is looked for: a shorter one occurs by chance."""


def place_of(origin: Origin) -> Location | None:
    """The first place in the chain of reasons that has a line."""
    return next((one for one in _places(origin) if one.line), None)


def _places(origin: Origin) -> Iterator[Location]:
    if origin.location:
        yield origin.location
    for reason in origin.because:
        yield from _places(reason)


def find_source(plan: Plan, words: str) -> Location | None:
    """The place of the longest value of the plan that the words hold; None where none has one."""
    found = (
        (len(text), place)
        for text, origin in _values(plan)
        if len(text) >= SHORTEST and _holds(words, text) and (place := place_of(origin))
    )
    return max(found, key=lambda pair: pair[0], default=(0, None))[1]


def _holds(words: str, text: str) -> bool:
    """Whether the text stands there, not as a part of a longer name or number."""
    return re.search(rf"(?<![\w.-]){re.escape(text)}(?![\w-])", words) is not None


def _values(part: object) -> Iterator[tuple[str, Origin]]:
    """Every text, path and number in a part of a plan, with its origin."""
    if isinstance(part, Sourced):
        yield from ((text, part.origin) for text in _texts(part.value))
        yield from _values(part.value)
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _values(value)
    elif isinstance(part, tuple):
        for value in part:
            yield from _values(value)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Address):
        yield from (str(value), str(value.port))
    elif isinstance(value, (str, int, PurePath)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, tuple):
        for one in value:
            yield from _texts(one)
