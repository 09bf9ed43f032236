"""All workers suspended for a while (RQ's `rq:suspended`), with an expiry, and always lifted."""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType

from prodgen.deploy.redisqueue import Away, RedisQueue
from prodgen.deploy.stage import Stage

MARK = "prodgen@"
EXPIRY = 60
"""Seconds after which it ends by itself where prodgen cannot end it any more."""
RENEWAL = 15.0
LIFT_PATIENCE = 15.0


def is_leftover(value: str) -> bool:
    """Whether a suspension is one that an interrupted prodgen has left."""
    return value.startswith(MARK)


class Suspension:
    """As a context: no worker begins another job until its end.

    A suspension that somebody else has made is neither renewed nor lifted.
    """

    def __init__(self, stage: Stage, queue: RedisQueue) -> None:
        self.stage = stage
        self.queue = queue
        self.mark = f"{MARK}{stage.host}:{os.getpid()}:{time.time_ns()}"
        self.is_ours = False
        self._ended = threading.Event()
        self._renewal = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Suspension:
        value, _ = self.queue.suspension()
        if value and not is_leftover(value):
            self.stage.say("note", "all workers are suspended already, by somebody else; left so")
            return self
        self.is_ours = True
        self.queue.suspend(self.mark, EXPIRY)
        self._renewal.start()
        self.stage.say("suspended", "no worker begins another job now", expires_in=EXPIRY)
        return self

    def _renew(self) -> None:
        while not self._ended.wait(RENEWAL):
            try:
                self.queue.suspend(self.mark, EXPIRY)
            except Away:
                continue

    def lift(self) -> None:
        """Ends it, if it is ours; a Redis that restarts is waited for."""
        if not self.is_ours:
            return
        self.is_ours = False
        self._ended.set()
        self._renewal.join(LIFT_PATIENCE)
        end = time.monotonic() + LIFT_PATIENCE
        while True:
            try:
                self.queue.lift(self.mark)
            except Away:
                if time.monotonic() > end:
                    self.stage.fail(f"Redis is away; the suspension ends within {EXPIRY} s")
                    return
                time.sleep(0.2)
            else:
                self.stage.say("resumed", "workers take jobs again")
                return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lift()


def clear_leftover(stage: Stage) -> None:
    """Lifts the suspension of a prodgen that was killed."""
    if stage.queue is None:
        return
    value, seconds = stage.queue.suspension()
    if is_leftover(value):
        stage.queue.lift(value)
        text = f"lifted a suspension that an interrupted prodgen had left ({seconds} s were left)"
        stage.say("note", text)
