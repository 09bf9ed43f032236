"""Workers: real RQ ones, started as Frappe starts them."""

from __future__ import annotations

import os
from threading import Thread
from typing import TYPE_CHECKING, Any

from rq import Worker
from rq.worker import SimpleWorker
from rq.worker_pool import WorkerPool

from .. import config, jobs  # noqa: TID252
from .scheduler import set_niceness, start_scheduler

if TYPE_CHECKING:
    Base = Worker
else:
    Base = object


class WithScheduler(Base):
    """Since 15.54 each worker of a pool tries to be the scheduler too, in a thread."""

    def work(self, *args: Any, **kwargs: Any) -> Any:
        """Start the scheduler's thread, then work as ever."""
        self.try_scheduler()
        kwargs["with_scheduler"] = False
        above: Any = super()
        return above.work(*args, **kwargs)

    def run_maintenance_tasks(self, *args: Any, **kwargs: Any) -> Any:
        """Try again, in case that the scheduling worker is gone."""
        self.try_scheduler()
        above: Any = super()
        return above.run_maintenance_tasks(*args, **kwargs)

    def try_scheduler(self) -> None:
        """Start the thread; it ends by itself where the lock is taken."""
        if config.since(15, 54):
            Thread(target=start_scheduler, daemon=True).start()


class FrappeWorker(WithScheduler, Worker):
    """A worker of a pool."""


class FrappeWorkerNoFork(WithScheduler, SimpleWorker):
    """A worker of a pool that runs its jobs without a work-horse."""


def redis_queues(names: str | None) -> list[str]:
    """The names in Redis of the wanted queues, refused like Frappe does."""
    return [config.redis_queue_name(name) for name in config.validated_queues(names)]


def start_worker(names: str | None, *, quiet: bool, burst: bool) -> None:
    """One worker on the queues, until it is told to stop."""
    client = jobs.connection()
    queues = redis_queues(names)
    set_niceness()
    level = "WARNING" if quiet else "INFO"
    Worker(queues, connection=client).work(logging_level=level, burst=burst)


def start_worker_pool(names: str | None, *, workers: int, quiet: bool, burst: bool) -> None:
    """A pool of workers that share the queues."""
    client = jobs.connection()
    queues = redis_queues(names)
    set_niceness()
    no_fork = config.since(16) and os.environ.get("FRAPPE_BACKGROUND_WORKERS_NOFORK") == "1"
    kind: Any = FrappeWorkerNoFork if no_fork else FrappeWorker
    pool = WorkerPool(queues, connection=client, num_workers=workers, worker_class=kind)
    pool.start(logging_level="WARNING" if quiet else "INFO", burst=burst)
