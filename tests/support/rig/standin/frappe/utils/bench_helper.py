"""`python -m frappe.utils.bench_helper frappe COMMAND`, run in the sites folder."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from rq import Queue

from .. import __version__, config, jobs  # noqa: TID252
from . import background_jobs, scheduler


def parser() -> argparse.ArgumentParser:
    """The part of Frappe's command line that production needs."""
    top = argparse.ArgumentParser(prog="bench")
    top.add_argument("--site")
    commands = top.add_subparsers(dest="command", required=True)
    for name in ("worker", "worker-pool"):
        if name == "worker-pool" and not config.since(15):
            continue
        worker = commands.add_parser(name)
        worker.add_argument("--queue")
        worker.add_argument("--quiet", action="store_true")
        worker.add_argument("--burst", action="store_true")
        if name == "worker-pool":
            worker.add_argument("--num-workers", type=int, default=2)
    for name in ("schedule", "migrate", "ready-for-migration", "version"):
        commands.add_parser(name)
    enqueue = commands.add_parser("enqueue")
    enqueue.add_argument("--queue", default="short")
    enqueue.add_argument("--seconds", type=float, default=0.0)
    enqueue.add_argument("--token", default="job")
    enqueue.add_argument("--timeout", type=int)
    enqueue.add_argument("--count", type=int, default=1)
    return top


def say(text: str) -> None:
    """A line of output."""
    sys.stdout.write(f"{text}\n")


def main(argv: list[str]) -> int:
    """Run one command; an error ends in a traceback and code 1, as in Frappe."""
    if argv[:1] != ["frappe"]:
        sys.stderr.write("Usage: bench_helper frappe COMMAND" + "\n")
        return 2
    config.register_fault_handler()
    asked = parser().parse_args(argv[1:])
    if asked.command.startswith("worker"):
        return work(asked)
    if asked.command == "schedule":
        scheduler.start_scheduler()
    elif asked.command == "version":
        say(f"frappe {__version__}")
    elif asked.command == "migrate":
        return migrate(asked.site)
    elif asked.command == "ready-for-migration":
        return ready(asked.site)
    elif asked.command == "enqueue":
        site = asked.site or config.all_sites()[0]
        more = {"site": site, "timeout": asked.timeout, "count": asked.count}
        say(json.dumps(jobs.enqueue(asked.queue, asked.seconds, asked.token, **more)))
    return 0


def work(asked: argparse.Namespace) -> int:
    """Run a worker or a pool until it ends."""
    if asked.command == "worker":
        background_jobs.start_worker(asked.queue, quiet=asked.quiet, burst=asked.burst)
    else:
        how = {"quiet": asked.quiet, "burst": asked.burst}
        background_jobs.start_worker_pool(asked.queue, workers=asked.num_workers, **how)
    return 0


def migrate(site: str | None) -> int:
    """Leave a line in each site's log; `migrate.json` in a site tells it to take time, or fail."""
    for name in config.all_sites() if site in (None, "all") else [str(site)]:
        say(f"Migrating {name}")
        told = config.read_json(config.sites_path() / name / "migrate.json")
        maintenance = bool(config.site_config(name).get("maintenance_mode"))
        line = {"site": name, "maintenance": maintenance, "pid": os.getpid()}
        config.append_line(config.bench_path() / "logs" / "migrations.log", json.dumps(line))
        time.sleep(told.get("seconds", 0))
        if told.get("fail"):
            msg = f"asked to fail on {name}"
            raise RuntimeError(msg)
        logs = config.sites_path() / name / "logs"
        logs.mkdir(exist_ok=True)
        config.append_line(logs / "migrate.log", f"{time.time():.3f} migrated")
    return 0


def ready(site: str | None) -> int:
    """0 where no job of the site is queued or running, else 1."""
    client = jobs.connection()
    pending: list[str] = []
    for name in config.queue_timeouts():
        queue = Queue(config.redis_queue_name(name), connection=client)
        pending += [*queue.get_job_ids(), *queue.started_job_registry.get_job_ids()]
    own = [job for job in pending if site is None or job.startswith((f"{site}::", f"{site}||"))]
    say(f"{len(own)} pending jobs")
    return 1 if own else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
