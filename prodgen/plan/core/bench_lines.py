"""The commands that bench 4 and 5 write into a Procfile themselves.

They are the ordinary case, so what production makes of them needs no word. The source is
bench/config/templates/Procfile with its history from April 2016 (RQ in place of Celery) on.
"""

from __future__ import annotations

import re

REDIRECTS = r"(?: 1>> logs/worker\.log 2>> logs/worker\.error\.log)?"
ON_MACOS = r"(?:OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES NO_PROXY=\* )?"
BENCH_LINES: tuple[tuple[str, str], ...] = (
    ("redis_cache", r"(?:\S*/)?redis-server config/redis_cache\.conf"),
    ("redis_queue", r"(?:\S*/)?redis-server config/redis_queue\.conf"),
    ("redis_socketio", r"(?:\S*/)?redis-server config/redis_socketio\.conf"),
    ("web", r"(?:\S*/)?bench serve(?: --port [0-9]+)?"),
    ("socketio", r"(?:\S*/)?node(?:js)? apps/frappe/socketio\.js"),
    ("socketio", r"(?:\S*/)?bench socketio"),
    ("watch", r"(?:\S*/)?bench watch"),
    ("schedule", r"(?:\S*/)?bench schedule"),
    ("worker", rf"{ON_MACOS}(?:\S*/)?bench worker{REDIRECTS}"),
    ("worker_QUEUE", rf"{ON_MACOS}(?:\S*/)?bench worker --queue [^\s,]+(?: --quiet)?{REDIRECTS}"),
)
"""The usual name of the process, and the pattern of its command.

A user may give the process another name, and the program its path.
"""


def is_written_by_bench(command: str) -> bool:
    """Whether bench itself writes such a command."""
    text = " ".join(command.partition(" #")[0].split())
    return any(re.fullmatch(pattern, text) for _, pattern in BENCH_LINES)
