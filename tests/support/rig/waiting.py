"""Waiting for something to come true, with a deadline and a reason."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class TooLateError(AssertionError):
    """What was waited for did not come true in time."""


def wait_for(
    check: Callable[[], T],
    deadline: float = 10.0,
    what: str = "the condition",
    every: float = 0.05,
) -> T:
    """The first true answer of `check`; an OSError in it counts as "not yet"."""
    end = time.monotonic() + deadline
    trouble: OSError | None = None
    while True:
        try:
            answer = check()
            if answer:
                return answer
            trouble = None
        except OSError as error:
            trouble = error
        if time.monotonic() >= end:
            more = f": {trouble}" if trouble else ""
            msg = f"{what} did not come true within {deadline:g} s{more}"
            raise TooLateError(msg)
        time.sleep(every)
