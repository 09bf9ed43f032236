"""The wait for processes that were told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from prodgen.deploy.managers.core.base import TimedOut


def await_stopped(left: Callable[[], Collection[str]], patience: float, poll: float) -> None:
    """Ask for the names that are left until there is none, with `poll` seconds between.

    Raises TimedOut if some are left after `patience` seconds.
    """
    end = time.monotonic() + patience
    while names := left():
        if time.monotonic() > end:
            raise TimedOut(f"{', '.join(names)} did not stop within {patience:.0f} s")
        time.sleep(poll)
