"""All workers suspended for a while (RQ's `rq:suspended`), with an expiry, and always lifted."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from types import FrameType, TracebackType

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.queue.redis_client import RedisQueue, RedisUnavailable
from prodgen.deploy.session.session import Session

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

    A suspension that somebody else has made is neither renewed nor lifted. A timer renews it, no
    thread: while a thread reached Redis with the rights of the bench's owner, the main thread would
    have them too, and a program that it started then would have root's real uid.
    """

    def __init__(self, session: Session, queue: RedisQueue) -> None:
        self.session = session
        self.queue = queue
        self.mark = f"{MARK}{session.host}:{os.getpid()}:{time.time_ns()}"
        self.is_ours = False
        self._renewing = queue.another()

    def __enter__(self) -> Suspension:
        value, _ = self.queue.suspension()
        if value and not is_leftover(value):
            self.session.say("note", "all workers are suspended already, by somebody else; left so")
            return self
        self.is_ours = True
        self.queue.suspend(self.mark, EXPIRY)
        signal.signal(signal.SIGALRM, self._renew)
        signal.setitimer(signal.ITIMER_REAL, RENEWAL, RENEWAL)
        self.session.say("suspended", "no worker begins another job now", expires_in=EXPIRY)
        return self

    def _renew(self, _number: int, _frame: FrameType | None) -> None:
        """Where Redis is away, the next time may find it."""
        with contextlib.suppress(RedisUnavailable, DeployError):
            self._renewing.suspend(self.mark, EXPIRY)

    def lift(self) -> None:
        """Ends it, if it is ours; a Redis that restarts is waited for."""
        if not self.is_ours:
            return
        self.is_ours = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        end = time.monotonic() + LIFT_PATIENCE
        while True:
            try:
                self.queue.lift(self.mark)
            except RedisUnavailable:
                if time.monotonic() > end:
                    self.session.fail(f"Redis is away; the suspension ends within {EXPIRY} s")
                    return
                time.sleep(0.2)
            else:
                self.session.say("resumed", "workers take jobs again")
                return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lift()


def clear_leftover(session: Session) -> None:
    """Lifts the suspension of a prodgen that was killed."""
    if session.queue is None:
        return
    value, seconds = session.queue.suspension()
    if is_leftover(value):
        session.queue.lift(value)
        text = f"lifted a suspension that an interrupted prodgen had left ({seconds} s were left)"
        session.say("note", text)
