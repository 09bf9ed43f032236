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


MACOS = "OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES NO_PROXY=* "
REDIRECTED = " 1>> logs/worker.log 2>> logs/worker.error.log"
OF_A_QUEUE = "bench worker --queue "
USUAL = frozenset(
    {
        "redis-server config/redis_cache.conf",
        "redis-server config/redis_queue.conf",
        "redis-server config/redis_socketio.conf",
        "bench serve",
        "bench serve --port 8000",
        "node apps/frappe/socketio.js",
        "bench socketio",
        "bench watch",
        "bench schedule",
        "bench worker",
        f"bench worker{REDIRECTED}",
    }
)
"""Most of these commands as they are: a look here saves the compilation of ten patterns, and to
begin with the last, for workers of a queue, that of the others."""


def is_written_by_bench(command: str) -> bool:
    """Whether bench itself writes such a command."""
    text = " ".join(command.partition(" #")[0].split())
    program, _, rest = text.removeprefix(MACOS).partition(" ")
    plain = f"{program.rpartition('/')[2]} {rest}"
    if plain in USUAL and (text.startswith(program) or plain.startswith("bench worker")):
        return True
    queue = plain.removeprefix(OF_A_QUEUE).removesuffix(REDIRECTED)
    if plain.startswith(OF_A_QUEUE) and queue and not any(one in queue for one in " ,"):
        return True
    if not any(word in text for word in ("bench ", "redis-server ", "node")):
        return False
    return any(re.fullmatch(pattern, text) for _, pattern in reversed(BENCH_LINES))
