"""What the workers of a test do, and how it gets into their queues."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import uuid

from redis import Redis, exceptions
from rq import Queue, get_current_job
from rq import job as rq_job

from . import config

ATTEMPTS = 5


def connection() -> Redis:
    """A connection that was tried; like Frappe's it gives up after five attempts."""
    url = config.common_config().get("redis_queue")
    if not url:
        msg = "redis_queue missing in common_site_config.json"
        raise RuntimeError(msg)
    client: Redis = Redis.from_url(url)
    error = trouble(client)
    for _ in range(ATTEMPTS - 1):
        if error is None:
            break
        time.sleep(1)
        error = trouble(client)
    if error is not None:
        sys.stderr.write(f"Please make sure that Redis Queue runs @ {url}.\n")
        raise error
    return client


def trouble(client: Redis) -> Exception | None:
    """Why the server cannot be used now, if it cannot."""
    try:
        client.ping()
    except (exceptions.BusyLoadingError, exceptions.ConnectionError) as error:
        return error
    return None


def new_job_id(site: str) -> str:
    """A job id in the form of this Frappe version, which tells the site; an RQ that is newer
    than any Frappe's takes letters, digits and dashes only.
    """
    own = str(uuid.uuid4())
    if not config.since(15):
        return own
    if hasattr(rq_job, "validate_job_id"):
        return re.sub(r"[^\w-]", "_", f"{site}--{own}", flags=re.ASCII)
    return f"{site}||{own}" if config.since(16) else f"{site}::{own}"


def enqueue(
    queue: str, seconds: float, token: str, *, site: str, timeout: int | None = None, count: int = 1
) -> list[str]:
    """Put jobs into a queue that Frappe knows and return their ids."""
    config.validated_queues(queue)
    limit = timeout or config.queue_timeouts()[queue]
    target = Queue(config.redis_queue_name(queue), connection=connection())
    ids = []
    for number in range(count):
        name = token if count == 1 else f"{token}-{number}"
        job = target.enqueue_call(
            "frappe.jobs.sleep",
            kwargs={"seconds": seconds, "token": name},
            timeout=limit,
            job_id=new_job_id(site),
            result_ttl=600,
        )
        ids.append(str(job.id))
    return ids


def sleep(seconds: float, token: str) -> str:
    """Take some time; `logs/jobs.log` gets a line at the start and one at the finish."""
    note("start", token)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.5))
    note("finish", token)
    return token


def note(event: str, token: str) -> None:
    """One line of JSON about the running job."""
    job = get_current_job()
    line = {
        "event": event,
        "token": token,
        "job": str(job.id) if job else None,
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "group": os.getpgid(0),
        "session": os.getsid(0),
        "nice": os.nice(0),
        "version": (config.bench_path() / "apps/frappe/frappe/VERSION").read_text().strip(),
        "time": time.time(),
    }
    config.append_line(config.bench_path() / "logs" / "jobs.log", json.dumps(line))
