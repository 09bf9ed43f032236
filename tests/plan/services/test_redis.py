"""Which Redis servers the bench runs itself, and what is said of the others."""

from __future__ import annotations

import pytest

from prodgen.diagnostics import Severity
from prodgen.inputs.core.source import Source
from prodgen.inputs.reader import BenchFiles
from prodgen.plan.core.model import Address, Plan, Role
from prodgen.plan.views.labels import what_runs
from prodgen.targets.registry import load_target
from tests.support.plans import FACTS, bench_files, codes, make_plan, service, try_plan

PROCFILE = "web: bench serve\nredis_cache: redis-server config/redis_cache.conf\n"
BOTH = {"redis_cache": 13000, "redis_queue": 11000}


def own(plan: Plan) -> list[str]:
    return [
        one.name.value.removeprefix("frappe-bench-")
        for one in plan.with_role(Role.CACHE, Role.QUEUE)
    ]


def urls(cache: str, queue: str = "redis://127.0.0.1:11000") -> dict[str, object]:
    return {"redis_cache": cache, "redis_queue": queue}


@pytest.mark.parametrize(
    ("url", "warned", "noted"),
    [
        ("redis://127.0.0.1:13000", [], []),
        ("redis://localhost:13000", [], []),
        ("redis://[::1]:13000", [], []),
        ("redis://:secret@localhost:13000/1", [], []),
    ],
)
def test_a_local_url_that_the_conf_serves_is_ours(
    url: str, warned: list[str], noted: list[str]
) -> None:
    plan, found = try_plan(bench_files(PROCFILE, urls(url), redis=BOTH))
    assert plan
    assert own(plan) == ["redis-cache", "redis-queue"]
    assert codes(found, Severity.WARNING) == warned


@pytest.mark.pitfall("18")
@pytest.mark.pitfall("D-RD1")
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("redis://redis-cache:6379", "PG621"),
        ("redis://redis-cache", "PG621"),
        ("rediss://10.0.0.7:6379", "PG621"),
        ("unix:///run/redis/redis.sock", "PG621"),
        ("redis://127.0.0.1:6379", "PG623"),
        ("redis://127.0.0.1:13999", "PG623"),
    ],
)
def test_another_redis_is_left_alone_with_a_word(url: str, code: str) -> None:
    """Row 18, D-RD1: a remote host, a socket, or a port that the conf has not."""
    plan, found = try_plan(bench_files(PROCFILE, urls(url), redis=BOTH))
    assert plan
    assert own(plan) == ["redis-queue"]
    assert code in codes(found)


def test_a_missing_conf_is_a_warning() -> None:
    """Of what the Procfile starts, the host may have the file; of the other, nobody knows."""
    plan, found = try_plan(bench_files(PROCFILE, urls("redis://127.0.0.1:13000")))
    assert codes(found, Severity.WARNING) == ["PG622", "PG622"]
    assert plan
    assert own(plan) == ["redis-cache"]


def test_without_url_and_conf_the_procfile_says_what_runs() -> None:
    """A checkout without sites/ and config/: the host has both."""
    plan, found = try_plan(bench_files(PROCFILE))
    assert plan
    assert own(plan) == ["redis-cache"]
    assert service(plan, "redis-cache").address is None
    assert [str(one.location) for one in found if one.code == "PG622"] == ["Procfile:2:1"]


def test_a_managed_redis_needs_its_port() -> None:
    settings = Source("prodgen.yaml", "redis: {managed: true}")
    _, found = try_plan(bench_files(PROCFILE)._replace(settings=settings))
    assert codes(found, Severity.ERROR) == ["PG627"]


@pytest.mark.parametrize("url", ["localhost:13000", "unix:/run/x", "http://x", "redis://x:port"])
def test_a_url_that_redis_py_refuses_is_an_error(url: str) -> None:
    _, found = try_plan(bench_files(PROCFILE, urls(url), redis=BOTH))
    assert codes(found, Severity.ERROR) == ["PG620"]


def test_a_password_in_a_url_is_not_shown() -> None:
    _, found = try_plan(bench_files(PROCFILE, urls("http://me:secret@x"), redis=BOTH))
    assert "secret" not in "".join(one.message for one in found)


def test_sentinel_runs_no_redis() -> None:
    common = {**urls("redis://127.0.0.1:13000"), "redis_cache_sentinel_enabled": 1}
    plan, found = try_plan(bench_files(PROCFILE, common, redis=BOTH))
    assert plan
    assert own(plan) == ["redis-queue"]
    assert "PG624" in codes(found)


@pytest.mark.parametrize(
    ("frappe", "url", "expected"),
    [
        ("13.58.21", "redis://localhost:12000", True),
        ("14.93.2", "redis://localhost:12000", True),
        (None, "redis://localhost:12000", True),
        ("15.72.4", "redis://localhost:12000", False),
        ("13.58.21", "redis://127.0.0.1:13000", False),
    ],
)
def test_a_third_redis_runs_where_frappe_reads_it(
    frappe: str | None, url: str, expected: bool
) -> None:
    common = {**urls("redis://127.0.0.1:13000"), "redis_socketio": url}
    confs = {**BOTH, "redis_socketio": 12000}
    plan = make_plan(bench_files(PROCFILE, common, frappe=frappe, redis=confs))
    assert ("redis-socketio" in own(plan)) == expected


def test_those_who_need_redis_come_after_it() -> None:
    procfile = (
        PROCFILE + "worker: bench worker\nschedule: bench schedule\nsocketio: bench socketio\n"
    )
    plan = make_plan(bench_files(procfile, urls("redis://127.0.0.1:13000"), redis=BOTH))
    for one in plan.services:
        if one.role.value not in (Role.CACHE, Role.QUEUE):
            assert "frappe-bench-redis-queue" in one.after.value


@pytest.mark.pitfall("18")
def test_nobody_waits_for_a_redis_that_is_not_ours() -> None:
    plan = make_plan(bench_files(PROCFILE, urls("redis://far:1", "redis://far:2")))
    assert service(plan, "frappe-web").after.value == ()


@pytest.mark.pitfall("D-RD1")
@pytest.mark.parametrize(
    ("url", "ports"),
    [
        ("redis://127.0.0.1", ["6379"]),
        ("redis://127.0.0.1/1", ["6379"]),
        ("redis://127.0.0.1:13000", ["13000"]),
        ("unix:///run/redis/redis.sock", []),
        ("redis://far.example.com", []),
    ],
)
def test_the_port_of_a_conf_that_we_make(url: str, ports: list[str]) -> None:
    """A URL without port means Redis's own; a socket or another host needs no conf of ours."""
    settings = Source("prodgen.yaml", "redis: {managed: true}")
    plan = make_plan(bench_files(PROCFILE, {"redis_cache": url})._replace(settings=settings))
    artifacts, found = load_target("redis").render(plan)
    assert found == []
    lines = [line.split() for one in artifacts for line in one.text.splitlines()]
    assert [words[1] for words in lines if words[:1] == ["port"]] == ports


SOCKET = "/home/frappe/frappe-bench/config/redis_queue.sock"


def with_conf(text: str, common: dict[str, object], key: str = "redis_queue") -> BenchFiles:
    files = bench_files(f"{key}: redis-server config/{key}.conf\n", common)
    return files._replace(redis_confs={key: Source(f"config/{key}.conf", text)})


@pytest.mark.parametrize("url", [f"unix://{SOCKET}", f"unix://{SOCKET}?db=1"])
def test_a_redis_on_a_socket_of_the_bench_runs(url: str) -> None:
    text = f"port 0\nunixsocket {SOCKET}\n"
    plan, found = try_plan(with_conf(text, {"redis_queue": url}))
    assert plan
    queue = service(plan, "redis-queue")
    assert queue.address
    assert queue.address.value == Address(path=SOCKET)
    assert plan.left_out == ()
    assert codes(found) == []


@pytest.mark.parametrize("conf", ["port 0\nunixsocket /run/other.sock\n", "port 11000\n"])
def test_a_socket_that_the_conf_does_not_have_is_not_ours(conf: str) -> None:
    plan, found = try_plan(with_conf(conf, {"redis_queue": f"unix://{SOCKET}"}))
    assert plan
    assert own(plan) == []
    assert "PG621" in codes(found)


def test_a_socket_in_tmp_is_named() -> None:
    common: dict[str, object] = {"redis_queue": "unix:///tmp/q.sock"}
    _, found = try_plan(with_conf("port 0\nunixsocket /tmp/q.sock\n", common))
    assert "PG629" in codes(found)


@pytest.mark.parametrize(
    ("conf", "is_said"),
    [
        ("port 13000\nmaxmemory 50mb\nmaxmemory-policy allkeys-lru\n", True),
        ("port 13000\nmaxmemory 50mb\nmaxmemory-policy noeviction\n", False),
        ("port 13000\nmaxmemory-policy allkeys-lru\n", False),
    ],
)
def test_queues_on_a_redis_that_evicts_draw_a_warning(conf: str, is_said: bool) -> None:
    common: dict[str, object] = {
        "redis_cache": "redis://localhost:13000/0",
        "redis_queue": "redis://127.0.0.1:13000/1",
    }
    _, found = try_plan(with_conf(conf, common, "redis_cache"))
    assert ("PG628" in codes(found)) == is_said


@pytest.mark.parametrize(
    ("program", "path"),
    [
        ("valkey-server", "/usr/bin/valkey-server"),
        ("/opt/keydb/keydb-server", "/usr/bin/keydb-server"),
        ("redis-server", "/usr/bin/redis-server"),
    ],
)
def test_the_program_of_the_procfile_where_the_host_s_is_unknown(program: str, path: str) -> None:
    line = f"redis_queue: {program} config/redis_queue.conf\n"
    files = bench_files(line, {"redis_queue": "redis://127.0.0.1:1"}, redis={"redis_queue": 1})
    plan = make_plan(files, FACTS._replace(redis_server=None))
    assert service(plan, "redis-queue").argv.value[0] == path
    assert service(make_plan(files), "redis-queue").argv.value[0] == "/usr/bin/redis-server"


def test_the_urls_of_env_are_those_that_frappe_takes() -> None:
    files = with_conf("port 11000\n", {"redis_queue": "redis://elsewhere:6379"})
    settings = Source("prodgen.yaml", "env: {FRAPPE_REDIS_QUEUE: 'redis://127.0.0.1:11000'}\n")
    assert own(make_plan(files)) == []
    assert own(make_plan(files._replace(settings=settings))) == ["redis-queue"]


def test_redis_socketio_of_an_old_frappe_is_for_realtime() -> None:
    lines = (
        "web: bench serve\nsocketio: node apps/frappe/socketio.js\n"
        "redis_socketio: redis-server config/redis_socketio.conf\n"
    )
    common = {"redis_socketio": "redis://localhost:12000"}
    plan = make_plan(bench_files(lines, common, frappe="14.93.2", redis={"redis_socketio": 12000}))
    assert what_runs(plan, service(plan, "redis-socketio")) == "Redis for realtime"
    assert service(plan, "node-socketio").after.value == ("frappe-bench-redis-socketio",)
