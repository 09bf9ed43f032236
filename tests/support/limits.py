"""A hard end for what must not wait: a named pipe that is opened, an endless file that is read."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Hung(BaseException):
    """It was still at it; no `except Exception` or `except OSError` takes this for its own."""


@contextmanager
def within(seconds: float = 2) -> Iterator[None]:
    """Raises Hung in the body once it has taken so long; for the main thread."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Hung(f"still at it after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
