"""What a run has reported, and a session for it."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path

from prodgen.deploy.managers.core.base import ProcessManager
from prodgen.deploy.queue.redis_client import RedisQueue
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.events import Busy, Event, Waiting
from prodgen.deploy.session.session import Session
from prodgen.host.door import Door, enter
from prodgen.plan.core.model import Plan, Role, Service
from tests.support.fakes.fake_redis import ACCESS
from tests.support.owner import OWNER
from tests.support.plans import fixture_plan
from tests.support.systemd_plans import sourced

BENCH_ID = "home-frappe-bench"
HOST = socket.gethostname()
PLAN = fixture_plan("frappe-15")
SITES = [site.folder.value for site in PLAN.sites]
DOOR = Door(Path(PLAN.bench.value), OWNER)
"""Of a bench that is no folder here, whose processes are the children of a test."""


class Recorder:
    """Takes the events of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.waited: list[tuple[Busy, ...]] = []

    def __call__(self, event: Event | Waiting) -> None:
        if isinstance(event, Waiting):
            self.waited.append(event.workers)
        else:
            self.events.append(event)

    def texts(self, *kinds: str) -> list[str]:
        """What was said, of these kinds or all."""
        return [one.text for one in self.events if not kinds or one.kind in kinds]

    def kinds(self) -> list[str]:
        return [one.kind for one in self.events]


def services(*roles: Role) -> list[Service]:
    """The services of the plan that have these roles."""
    return [one for one in PLAN.services if one.role.value in roles]


def make_session(
    manager: ProcessManager,
    queue: RedisQueue | None = None,
    *,
    bench: Path | None = None,
    plan: Plan = PLAN,
    max_queued: int | None = None,
) -> tuple[Session, Recorder]:
    """A session for the plan, and what takes its events."""
    door = DOOR
    if bench:
        plan, door = plan._replace(bench=sourced(bench)), enter(bench)
    context = BenchContext(plan, door, ACCESS, BENCH_ID, max_queued)
    said = Recorder()
    return Session(context, manager, queue, said), said


def joined(texts: Iterable[str]) -> str:
    """For a look at all of them."""
    return "\n".join(texts)
