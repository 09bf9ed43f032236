"""The scheduler: one a bench since 15.54, without any signal handling."""

from __future__ import annotations

import fcntl
import os
import time

from .. import config  # noqa: TID252

DEFAULT_NICENESS = 10


def set_niceness() -> None:
    """Lower the priority of a background process, as Frappe's workers and scheduler do."""
    os.nice(int(config.common_config().get("background_process_niceness") or DEFAULT_NICENESS))


def tick_seconds() -> float:
    """The time between two ticks."""
    given = config.common_config().get("scheduler_tick_interval")
    return float(given or (240 if config.since(16) else 60))


def take_lock() -> int | None:
    """The held lock in config/, nothing where another process has it; needs config/ writable."""
    path = config.bench_path() / "config" / "scheduler_process"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_paused() -> bool:
    """Whether a tick is to be skipped."""
    conf = config.common_config()
    if not config.since(15, 53, 1) and (config.sites_path() / ".restarting").exists():
        return True
    keys = ("pause_scheduler", "disable_scheduler", "maintenance_mode")
    return any(conf.get(key) for key in keys)


def start_scheduler() -> None:
    """Tick for ever; return after half a second where another scheduler holds the lock."""
    tick = tick_seconds()
    set_niceness()
    if config.since(15, 54) and take_lock() is None:
        time.sleep(0.5)
        return
    log("start")
    while True:
        time.sleep(tick)
        if not is_paused():
            log("tick")


def log(event: str) -> None:
    """A line in logs/scheduler.log: time, event, pid and niceness."""
    line = f"{time.time():.3f} {event} {os.getpid()} {os.nice(0)}"
    config.append_line(config.bench_path() / "logs" / "scheduler.log", line)
