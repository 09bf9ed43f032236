"""The figures that a plan is made with, each with the reason for it. Times in seconds."""

from __future__ import annotations

import re

QUEUE_TIMEOUTS = {"short": 300, "default": 300, "long": 1500}
"""Frappe's own queues (frappe/utils/background_jobs.py)."""
CUSTOM_QUEUE_TIMEOUT = 300
"""Of a queue under `workers` that names none (frappe/utils/background_jobs.py)."""
JOB_STOP_MARGIN = 90
"""RQ kills a job 60 s after its time-out (rq/worker.py); the manager must be later than that."""

HONCHO_PORT = 5000
HONCHO_STEP = 100
"""PORT of the first process, and from each process to the next (honcho/environ.py)."""
WEB_PORT = 8000
HTTP_TIMEOUT = 120
PROXY_MARGIN = 10
"""nginx waits longer than Gunicorn, so that the application's own answer arrives."""
STOP_STEPS = (120, 300, 900, 3600)
"""Supervisor restarts a program whose stop time changed, so the web's moves in coarse steps."""
STOP_MARGIN = 10
MAX_REQUESTS = 5000
WEB_INSTANCES = 2
"""Two Gunicorn masters on one socket can be restarted in turn, and no request is refused."""
SECOND_MASTER = 100 * 1024**2
"""Bytes of a second copy of the application (benchmarks/memory.py: 85 MB for one of 100)."""
MEMORY_SHARE = 10
"""The second master is worth it where it takes no more than one part in so many."""
THREADS = 1

REALTIME_STOP = 10
SCHEDULER_STOP = 10
REDIS_STOP = 60
"""Redis saves its data before it ends."""
SMALLEST_CACHE = 50
"""Megabytes; bench gives a cache no less."""
OTHER_STOP = 10

UPLOAD_LIMIT = 25 * 1024**2
"""Frappe's own limit (frappe/core/api/file.py); System Settings may allow more."""
SMALLEST_BODY_LIMIT = 50 * 1024**2
"""What bench has always allowed."""
MULTIPART_OVERHEAD = 1024**2

LINKS_WITHOUT_PORT = (16,)
"""The first Frappe that does not write its port into links where neither `restart_…_on_update` is
set (frappe/utils/data.py `get_url`)."""


def version_of(text: str) -> tuple[int, ...]:
    """`15.72.4` as (15, 72, 4); what follows the figures (`-dev`) is left off."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def stop_step(seconds: int) -> int:
    """The first step that is longer than `seconds` by the margin; whole hours beyond them."""
    wanted = seconds + STOP_MARGIN
    for step in STOP_STEPS:
        if step >= wanted:
            return step
    hour = STOP_STEPS[-1]
    return -(-wanted // hour) * hour


COMBINED_QUEUES = (14, 18)
"""The first Frappe whose workers take several queues (`bench worker --queue a,b`)."""
WORKER_POOL = (15,)
"""The first Frappe with `bench worker-pool`."""
REALTIME_ON_QUEUE = (15,)
"""The first Frappe whose realtime goes through redis_queue, and whose default port is 9000."""
REALTIME_SOCKET = (15, 46)
"""The first Frappe whose realtime server may listen on a unix socket."""
PYTHON_REALTIME = (17,)
"""No Frappe before it has a realtime server in Python (frappe/realtime/server.py)."""
OLDEST_KNOWN = (13,)
NEWEST_KNOWN = (18,)
"""The first Frappe that nobody has tried with prodgen."""
BY_SUPERVISOR = "restart_supervisor_on_update"
BY_SYSTEMD = "restart_systemd_on_update"
PRODUCTION_FLAGS = (BY_SUPERVISOR, BY_SYSTEMD)
"""Keys of common_site_config.json by which Frappe and bench know production
(frappe/utils/data.py `get_url`, bench/utils/bench.py `restart_supervisor_processes`)."""
