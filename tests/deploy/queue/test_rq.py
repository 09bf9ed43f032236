"""RQ's records, and who is counted as a worker of the bench."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

import pytest

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.queue import rq
from prodgen.deploy.queue.redis_client import Access, RedisQueue, blocked_clients

BENCH = "home-frappe-bench"


def worker(**values: object) -> rq.Worker:
    row = {"queues": f"{BENCH}:short,{BENCH}:long", "state": "idle", "pid": "7", "hostname": "h"}
    row |= {"birth": "2026-11-20T20:00:00.5Z", **{key: str(value) for key, value in values.items()}}
    made = rq.worker_of("rq:worker:w", [row.get(name) for name in rq.WORKER_FIELDS])
    assert made
    return made


def test_a_worker_as_redis_has_it() -> None:
    one = worker(state="busy", current_job="one.test||1")
    assert (one.name, one.pid, one.host, one.is_busy) == ("w", 7, "h", True)
    assert one.queues == (f"{BENCH}:short", f"{BENCH}:long")
    assert one.born == 1795204800.5
    assert not one.told
    assert worker(shutdown_requested_date="2026-11-20T20:00:00Z").told


def test_a_name_without_a_hash_is_none() -> None:
    assert rq.worker_of("rq:worker:w", [None] * len(rq.WORKER_FIELDS)) is None


@pytest.mark.parametrize(
    ("job_id", "site"),
    [("one.test||ab", "one.test"), ("one.test::ab", "one.test"), ("0b1c-2", ""), ("", "")],
)
def test_the_site_of_a_job(job_id: str, site: str) -> None:
    assert rq.site_of(job_id) == site


@pytest.mark.parametrize(
    ("timeout", "began", "end"),
    [
        ("300", "2026-11-20T20:00:00.0Z", 1795204800 + 360),
        ("-1", "2026-11-20T20:00:00.0Z", None),
        ("300", None, None),
        (None, "2026-11-20T20:00:00.0Z", None),
        ("300", "yesterday", None),
    ],
)
def test_the_latest_end(timeout: str | None, began: str | None, end: float | None) -> None:
    job = rq.job_of("x", [timeout, began, "text", f"{BENCH}:long", "w"])
    assert job.latest_end == end
    assert job.queue == "long"


@pytest.mark.parametrize(
    ("started", "there"),
    [
        ({7: 1795204790.0}, True),
        ({7: 1795204805.0}, True),
        ({7: 1795209999.0}, False),  # another process has its pid
        ({7: None}, True),
        ({}, False),  # it is dead
    ],
)
def test_whether_a_worker_is_there(started: dict[int, float | None], *, there: bool) -> None:
    assert rq.is_there(worker(), "h", started) is there
    assert rq.is_there(worker(hostname="elsewhere"), "h", started)


def test_whose_worker_it_is() -> None:
    assert rq.is_of_bench(worker(), BENCH, [], "h")
    assert not rq.is_of_bench(worker(), "home-frappe", [], "h")
    assert rq.is_of_bench(worker(queues="short"), "", [7], "h")
    assert not rq.is_of_bench(worker(queues="short"), "", [8], "h")
    assert not rq.is_of_bench(worker(queues="short"), "", [7], "elsewhere")


def test_names() -> None:
    assert rq.bench_id(PurePosixPath("/home/frappe/bench"), None) == "home-frappe-bench"
    assert rq.bench_id(PurePosixPath("/home/frappe/bench"), "own") == "own"
    assert rq.redis_name("short", BENCH) == f"{BENCH}:short"
    assert rq.redis_name("short", "") == "short"


@pytest.mark.parametrize(
    ("major", "configured", "limit"),
    [(15, None, None), (16, None, 600), (16, 50, 50), (15, 50, 50), (16, 0, None)],
)
def test_the_limit_of_waiting_jobs(major: int, configured: int | None, limit: int | None) -> None:
    assert rq.queued_limit(major, 2, configured) == limit


def test_who_waits_in_a_pop() -> None:
    rows = [
        {"id": "3", "addr": "127.0.0.1:4000", "flags": "b"},
        {"id": "4", "addr": "[::1]:4001", "flags": "N"},
        {"id": "5", "addr": "/run/redis.sock:0", "flags": "xb"},
    ]
    assert [(one.id, one.port) for one in blocked_clients(rows)] == [(3, 4000), (5, 0)]


def test_no_secret_in_the_place() -> None:
    assert Access("redis://u:secret@h:1/0").place == "h:1"
    assert Access("unix:///run/r.sock?db=1").place == "/run/r.sock"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(DeployError, match="not installed") as refused:
        RedisQueue(Access("redis://127.0.0.1:9"))
    assert "prodgen[restart]" in refused.value.help


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("frappe.jobs.sleep(seconds=4, token='secret')", "frappe.jobs.sleep"),
        ("x.execute_job(kwargs={'pw': 's'}, method='erp.run', site='a')", "erp.run"),
        ("x.execute_job(method=<function pull at 0x7f>, site='a')", "pull"),
        ("", ""),
    ],
)
def test_a_job_is_shown_without_its_arguments(text: str, title: str) -> None:
    assert rq.title_of(text) == title


@pytest.mark.parametrize(
    ("state", "told", "latest_end", "may"),
    [
        ("idle", False, None, True),
        ("idle", True, None, True),
        ("busy", False, None, True),
        ("busy", False, 1099.0, True),
        ("busy", False, 1100.0, False),
        ("busy", True, 1001.0, False),
        ("busy", True, None, False),
    ],
)
def test_when_a_worker_may_be_stopped(
    state: str, told: bool, latest_end: float | None, may: bool
) -> None:
    one = rq.Worker(name="w", state=state, told=told)
    assert rq.may_stop(one, latest_end, 1000.0, 100) is may


def test_one_that_redis_has_lost_is_judged_by_its_job() -> None:
    assert rq.may_stop(None, None, 1000.0, 100)
    assert not rq.may_stop(None, 1100.0, 1000.0, 100)
