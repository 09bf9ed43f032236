"""RQ's own records in Redis, understood: workers, jobs and names of keys. No library is needed.

The forms are those of RQ 1.10 to 2.6 (rq/worker.py, rq/job.py, rq/suspension.py); a job's data is
never unpickled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import PurePosixPath

WORKERS = "rq:workers"
QUEUES = "rq:queues"
SUSPENDED = "rq:suspended"
WORKER_FIELDS = (
    "queues",
    "state",
    "current_job",
    "pid",
    "hostname",
    "birth",
    "last_heartbeat",
    "shutdown_requested_date",
)
JOB_FIELDS = ("timeout", "started_at", "description", "origin", "worker_name")
METHOD = re.compile(r"\bmethod='?(?:<function )?([A-Za-z_][\w.]*)")
"""In the call of Frappe's own wrapper, `execute_job` (frappe/utils/background_jobs.py)."""
KILL_MARGIN = 60
"""Seconds past its time-out at which RQ kills a job (rq/worker.py, monitor_work_horse)."""
QUEUED_LIMIT = (500, 50)
"""Jobs, and jobs for each site, beyond which Frappe 16 refuses new ones."""
NUMBER = "[0-9]{1,10}"
"""Anybody may have written a record."""
BIRTH_SLACK = 10.0
"""Seconds that a process may be younger than its record: the two clocks are read apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker as it has written itself down; times in seconds since the epoch."""

    name: str
    queues: tuple[str, ...] = ()
    state: str = ""
    """started, idle, busy or suspended; empty where Redis has lost it."""
    job: str = ""
    pid: int = 0
    host: str = ""
    born: float | None = None
    told: bool = False
    """Whether it has been told to end once its job is done. Telling it again would kill the job."""

    @property
    def is_busy(self) -> bool:
        return self.state == "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that runs."""

    id: str
    queue: str = ""
    site: str = ""
    description: str = ""
    timeout: int | None = None
    """Seconds; None where it has no limit, or nobody knows it."""
    began: float | None = None
    worker: str = ""

    @property
    def latest_end(self) -> float | None:
        """When RQ itself kills it."""
        if self.began is None or self.timeout is None or self.timeout < 0:
            return None
        return self.began + self.timeout + KILL_MARGIN


def may_stop(worker: Worker | None, latest_end: float | None, now: float, seconds: int) -> bool:
    """Whether a worker can be told to stop with `seconds` before its manager kills it.

    `latest_end` is that of its job, None for one without a limit or for no job; `worker` is None
    if Redis does not know it. A busy worker
    that was told already must not be told again: the second SIGTERM would kill the job.
    """
    if worker and worker.is_busy and worker.told:
        return False
    return latest_end is None or latest_end - now < seconds


def worker_of(key: str, row: Sequence[str | None]) -> Worker | None:
    """The worker of a hash (values of `WORKER_FIELDS`); None where the hash is gone."""
    found = dict(zip(WORKER_FIELDS, row, strict=True))
    if all(value is None for value in row):
        return None
    pid = found["pid"] or ""
    return Worker(
        name=key.removeprefix("rq:worker:"),
        queues=tuple(name for name in (found["queues"] or "").split(",") if name),
        state=found["state"] or "",
        job=found["current_job"] or "",
        pid=int(pid) if re.fullmatch(NUMBER, pid) else 0,
        host=found["hostname"] or "",
        born=timestamp(found["birth"]),
        told=bool(found["shutdown_requested_date"]),
    )


def job_of(job_id: str, row: Sequence[str | None]) -> Job:
    """The job of a hash (values of `JOB_FIELDS`)."""
    found = dict(zip(JOB_FIELDS, row, strict=True))
    limit = found["timeout"] or ""
    return Job(
        id=job_id,
        queue=queue_of(found["origin"] or ""),
        site=site_of(job_id),
        description=title_of(found["description"] or ""),
        timeout=int(limit) if re.fullmatch(f"-?{NUMBER}", limit) else None,
        began=timestamp(found["started_at"]),
        worker=found["worker_name"] or "",
    )


def title_of(description: str) -> str:
    """What a job does, in a word: Frappe's method, else what is called. Never its arguments."""
    found = METHOD.search(description)
    return found[1] if found else description.partition("(")[0]


def timestamp(text: str | None) -> float | None:
    """RQ's own form of a time in UTC, with or without fractions."""
    for form in ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(text or "", form).replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            continue
    return None


def site_of(job_id: str) -> str:
    """The site that Frappe 15 (`site::id`) and 16 (`site||id`) put into a job's id."""
    for sign in ("||", "::"):
        site, found, _ = job_id.partition(sign)
        if found:
            return site
    return ""


def bench_id(path: PurePosixPath, configured: str | None) -> str:
    """What begins the names of this bench's queues (frappe/utils/background_jobs.py)."""
    return configured or str(path).strip("/").replace("/", "-")


def queue_of(name: str) -> str:
    """A queue's name without the bench's."""
    return name.rpartition(":")[2]


def redis_name(queue: str, bench: str) -> str:
    """A queue's name in Redis; `bench` is empty for Frappe 13."""
    return f"{bench}:{queue}" if bench else queue


def is_of_bench(worker: Worker, bench: str, pids: Iterable[int], host: str) -> bool:
    """Whether a worker is this bench's: by its queues, or by its process where they tell nothing.

    Frappe 13 has plain names of queues (`bench` is empty).
    """
    if bench:
        return any(name.startswith(f"{bench}:") for name in worker.queues)
    return worker.host == host and worker.pid in set(pids)


def is_there(worker: Worker, host: str, started: Mapping[int, float | None]) -> bool:
    """Whether its process lives, as far as this host can tell; `started` has the living ones.

    After a power cut Redis still has the workers of before, and another process may have the pid.
    """
    if worker.host != host or not worker.pid:
        return True
    if worker.pid not in started:
        return False
    since = started[worker.pid]
    return since is None or worker.born is None or since <= worker.born + BIRTH_SLACK


def queued_limit(major: int, sites: int, configured: int | None) -> int | None:
    """How many jobs Frappe lets wait before it refuses a web request that adds one."""
    if configured is not None:
        return configured or None
    return QUEUED_LIMIT[0] + QUEUED_LIMIT[1] * sites if major >= 16 else None
