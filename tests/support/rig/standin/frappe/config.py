"""The bench's folders and configuration, read as Frappe reads them."""

from __future__ import annotations

import faulthandler
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

from . import __version__

CACHE_SECONDS = 60
FRAMEWORK_QUEUES = {"short": 300, "default": 300, "long": 1500}
DEFAULT_TIMEOUT = 300
SITE_NAME = re.compile(r"^[a-zA-Z0-9._-]+$")

_cached: dict[str, tuple[float, dict[str, Any]]] = {}


class ValidationError(Exception):
    """What `frappe.throw` raises."""


def version() -> tuple[int, ...]:
    """The stand-in's version as numbers; a suffix such as `-dev` is left out."""
    return tuple(int(number) for number in re.findall(r"\d+", __version__)[:3])


def since(*number: int) -> bool:
    """Whether this version is at least the given one."""
    return version() >= number


def bench_path() -> Path:
    """The bench's folder: from the environment (15 and later), else from where the app lies."""
    given = os.environ.get("FRAPPE_BENCH_ROOT") if since(15) else None
    return Path(given or Path(__file__).resolve().parents[3])


def sites_path() -> Path:
    """The sites folder; relative to the current folder unless the environment says otherwise."""
    return Path(os.environ.get("SITES_PATH", "."))


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; an absent file counts as empty."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text())
    return found if isinstance(found, dict) else {}


def common_config() -> dict[str, Any]:
    """common_site_config.json with the overrides that the environment may hold."""
    conf = read_json(sites_path() / "common_site_config.json")
    if since(15):
        for key in ("redis_queue", "redis_cache"):
            conf[key] = os.environ.get(f"FRAPPE_{key.upper()}") or conf.get(key)
        conf["redis_queue"] = conf["redis_queue"] or "redis://127.0.0.1:11311"
    return conf


def site_config(site: str) -> dict[str, Any]:
    """The common configuration updated by the site's own."""
    return {**common_config(), **read_json(sites_path() / site / "site_config.json")}


def request_config(site: str) -> dict[str, Any]:
    """The site's configuration for a web request; version 16 keeps it for a minute."""
    if not since(16):
        return site_config(site)
    found = _cached.get(site)
    if found is None or time.monotonic() - found[0] > CACHE_SECONDS:
        found = (time.monotonic(), site_config(site))
        _cached[site] = found
    return found[1]


def is_site(name: str) -> bool:
    """Whether there is such a site: a real folder with a site_config.json."""
    folder = sites_path() / name
    if not SITE_NAME.match(name) or name in (".", ".."):
        return False
    return folder.is_dir() and not folder.is_symlink() and (folder / "site_config.json").exists()


def all_sites() -> list[str]:
    """The names of the bench's sites."""
    return sorted(entry.name for entry in sites_path().iterdir() if is_site(entry.name))


def queue_timeouts() -> dict[str, int]:
    """The queues in order of priority, with their time-outs in seconds."""
    custom = common_config().get("workers") or {}
    own = {name: each.get("timeout", DEFAULT_TIMEOUT) for name, each in custom.items()}
    return {**FRAMEWORK_QUEUES, **own}


def validated_queues(names: str | None) -> list[str]:
    """The comma-separated queues, all when none is named; one that is not known is refused."""
    known = list(queue_timeouts())
    queues = [name.strip() for name in names.split(",")] if names else known
    for name in queues:
        if name not in known:
            msg = f"Queue should be one of {', '.join(known)}"
            raise ValidationError(msg)
    return queues


def redis_queue_name(queue: str) -> str:
    """The name a queue has in Redis: plain in version 13, later under the bench's id."""
    if not since(14):
        return queue
    own = str(bench_path()).strip("/").replace("/", "-")
    return f"{common_config().get('bench_id', own)}:{queue}"


def append_line(path: Path, line: str) -> None:
    """Add one line in one write, so that lines of several processes never mix."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line.encode() + b"\n")
    finally:
        os.close(handle)


def log_database(site: str | None = None) -> None:
    """Write to the log that Frappe opens in the bench, or in the site; raises when it cannot."""
    folder = bench_path() if site is None else sites_path() / site
    (folder / "logs").mkdir(exist_ok=True)
    append_line(folder / "logs" / "database.log", f"{time.time():.3f} {os.getpid()}")


def register_fault_handler() -> None:
    """SIGUSR1 dumps the stacks to stderr, in every Frappe process since version 14."""
    if since(14):
        faulthandler.register(signal.SIGUSR1, file=sys.__stderr__ or sys.stderr)
