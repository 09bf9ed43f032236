"""An end to what one question to Redis may take: the bench's user may have put anything there.

The client has a time-out for each read, so an answer that trickles in would take for ever, and it
keeps whatever comes.
"""

from __future__ import annotations

import time
from typing import Any

MOST_SECONDS = 20.0
MOST_BYTES = 64 * 1024 * 1024


class Budget:
    """What is left of the time and the bytes of one question."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new question."""
        self.end = time.monotonic() + MOST_SECONDS
        self.left = MOST_BYTES

    def take(self, count: int) -> None:
        """Counts bytes that came. Raises ConnectionError if it is too much, or too late."""
        self.left -= count
        if self.left < 0 or time.monotonic() > self.end:
            raise ConnectionError("the answer takes too long, or is too large")


class Limited:
    """A socket whose answers are counted."""

    def __init__(self, plain: Any, budget: Budget) -> None:
        self._plain = plain
        self._budget = budget

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def recv(self, *sizes: int) -> bytes:
        """As socket.recv."""
        found: bytes = self._plain.recv(*sizes)
        self._budget.take(len(found))
        return found

    def recv_into(self, buffer: Any, *sizes: int) -> int:
        """As socket.recv_into."""
        count: int = self._plain.recv_into(buffer, *sizes)
        self._budget.take(count)
        return count


def limit(pool: Any, budget: Budget) -> None:
    """Has each connection that a pool of the `redis` client makes count its answers."""
    plain: Any = pool.connection_class

    class Counted(plain):  # type: ignore[misc]
        """A connection of the same kind."""

        def _connect(self) -> Limited:
            return Limited(super()._connect(), budget)

    pool.connection_class = Counted
