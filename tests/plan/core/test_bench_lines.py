"""What bench writes itself needs no word; everything else that is like it does."""

from __future__ import annotations

import pytest

from prodgen.diagnostics import Severity
from prodgen.plan.core.bench_lines import is_written_by_bench
from tests.support.plans import FACTS, bench_files, codes, declared, try_plan

MAC = "OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES NO_PROXY=*"
LOGS = "1>> logs/worker.log 2>> logs/worker.error.log"
OF_BENCH_4 = (
    "redis_cache: redis-server config/redis_cache.conf",
    "redis_socketio: redis-server config/redis_socketio.conf",
    "redis_queue: redis-server config/redis_queue.conf",
    "web: bench serve --port 8000",
    "",
    "socketio: /usr/bin/node apps/frappe/socketio.js",
    "watch: bench watch",
    "schedule: bench schedule",
    "worker_short: bench worker --queue short --quiet",
    "worker_long: bench worker --queue long --quiet",
    "worker_default: bench worker --queue default --quiet",
)
"""As bench 4.1 to 5.0 write it; before April 2018 without --quiet, from May 2020 into logs/."""
OF_BENCH_5 = (
    "redis_cache: redis-server config/redis_cache.conf",
    "redis_queue: redis-server config/redis_queue.conf",
    "web: bench serve  --port 8000",
    "",
    "socketio: /home/frappe/.nvm/versions/node/v18.20.4/bin/node apps/frappe/socketio.js",
    "",
    "watch: bench watch",
    "",
    "schedule: bench schedule",
    f"worker:  bench worker {LOGS}",
)
"""As bench 5.20 and newer write it; `{{ node }}` is a path, and the port may be missing."""


@pytest.mark.parametrize(
    "line",
    [
        *filter(None, (*OF_BENCH_4, *OF_BENCH_5)),
        "web: bench serve",
        "web: bench serve ",
        "worker_short: bench worker --queue short",
        f"worker_short: bench worker --queue short {LOGS}",
        f"worker: {MAC} bench worker {LOGS}",
        f"worker_email: {MAC} bench worker --queue email {LOGS}",
        "socketio: nodejs apps/frappe/socketio.js",
        "socketio: bench socketio",
    ],
)
def test_a_line_of_bench_is_known(line: str) -> None:
    assert is_written_by_bench(line.partition(":")[2])


@pytest.mark.parametrize(
    "command",
    [
        "bench --site x serve",
        "bench serve --port $PORT",
        "bench serve --noreload",
        "bench start",
        "bench worker --burst",
        "bench worker --queue a,b",
        "bench worker 1>> logs/x.log",
        "bench watch --apps x",
        "bench schedule --x",
        "nice bench schedule",
        "node apps/x/socketio.js",
        "valkey-server config/redis_cache.conf",
        "redis-server config/redis_cache.conf --port 1",
        "bench worker &",
        "redis-server config/redis_big.conf",
    ],
)
def test_another_line_is_not(command: str) -> None:
    assert not is_written_by_bench(command)


@pytest.mark.parametrize(
    ("lines", "frappe", "redis"),
    [
        (OF_BENCH_4, "13.58.21", {"redis_cache": 13000, "redis_queue": 11000}),
        (OF_BENCH_5, "15.72.4", {"redis_cache": 13000, "redis_queue": 11000}),
        (OF_BENCH_5, "16.4.1", {"redis_cache": 13000, "redis_queue": 11000}),
    ],
)
def test_the_bench_of_bench_init_has_no_warning(
    lines: tuple[str, ...], frappe: str, redis: dict[str, int]
) -> None:
    common = {
        "background_workers": 1,
        "file_watcher_port": 6787,
        "frappe_user": "frappe",
        "gunicorn_workers": 9,
        "live_reload": True,
        "rebase_on_pull": False,
        "redis_cache": "redis://127.0.0.1:13000",
        "redis_queue": "redis://127.0.0.1:11000",
        "redis_socketio": "redis://127.0.0.1:13000",
        "restart_supervisor_on_update": False,
        "restart_systemd_on_update": False,
        "serve_default_site": True,
        "shallow_clone": True,
        "socketio_port": 9000,
        "use_redis_auth": False,
        "webserver_port": 8000,
    }
    files = bench_files("\n".join(lines) + "\n", common, frappe=frappe, redis=redis)
    plan, found = try_plan(files, FACTS._replace(owner=declared("frappe")))
    assert plan
    worse = [code for code in codes(found, absent=True) if code not in codes(found, Severity.NOTE)]
    assert worse == []
