"""A redis_queue in memory, with the interface of prodgen/deploy/queue/redis_client.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from prodgen.deploy.queue import rq
from prodgen.deploy.queue.redis_client import Access, Client, RedisQueue, RedisUnavailable

ACCESS = Access("redis://127.0.0.1:11000")


class FakeQueue(RedisQueue):
    """What RQ keeps in Redis. While `away` is not 0, each question finds Redis away, and counts."""

    def __init__(self) -> None:  # no connection
        self.access = ACCESS
        self.rows: dict[str, rq.Worker] = {}
        self.running: dict[str, rq.Job] = {}
        self.waiting: dict[str, int] = {}
        self.popping: list[Client] = []
        """Connections that wait in a pop."""
        self.in_hand: set[int] = set()
        """Those of them whose pop has just brought a job: it cannot be ended any more."""
        self.mark, self.seconds = "", 0
        self.away = 0
        self.asked: list[str] = []

    def another(self) -> FakeQueue:
        return self

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            self.away -= 1
            raise RedisUnavailable("redis_queue at 127.0.0.1:11000 does not answer")

    def put(self, name: str, **changes: Any) -> None:
        """Changes the record of a worker, or makes one."""
        self.rows[name] = replace(self.rows.get(name, rq.Worker(name=name)), **changes)

    def workers(self) -> list[rq.Worker]:
        self._ask("workers")
        return list(self.rows.values())

    def state(self, worker: str) -> str:
        self._ask("state")
        return self.rows[worker].state if worker in self.rows else ""

    def jobs(self, ids: Iterable[str]) -> dict[str, rq.Job]:
        self._ask("jobs")
        return {one: self.running.get(one, rq.Job(id=one)) for one in ids}

    def lengths(self, queues: Sequence[str]) -> dict[str, int]:
        self._ask("lengths")
        return {name: self.waiting.get(name, 0) for name in queues}

    def queues(self) -> list[str]:
        self._ask("queues")
        return sorted(self.waiting)

    def blocked(self) -> list[Client]:
        self._ask("blocked")
        return list(self.popping)

    def unblock(self, client_id: int) -> bool:
        self._ask("unblock")
        return client_id not in self.in_hand

    def suspension(self) -> tuple[str, int]:
        self._ask("suspension")
        return self.mark, self.seconds

    def suspend(self, mark: str, seconds: int) -> None:
        self._ask("suspend")
        self.mark, self.seconds = mark, seconds

    def lift(self, mark: str) -> bool:
        self._ask("lift")
        found = self.mark == mark
        if found:
            self.mark, self.seconds = "", 0
        return found

    def setting(self, name: str) -> str:
        self._ask(f"setting {name}")
        return ""
