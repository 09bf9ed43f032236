"""Every value of a plan has its origin, and `prodgen explain` reaches it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from prodgen.plan.views.explain import topics
from prodgen.provenance import Kind, Origin, Sourced
from tests.support.plans import FIXTURES, bench_files, fixture_plan, make_plan

WITH_PLAN = sorted(
    folder.parent.name
    for folder in FIXTURES.glob("*/frappe-bench")
    if folder.parent.name != "unknown-queue"
)
RICH = """\
web: {threads: 4, instances: 1}
workers: {pools: {bulk: {count: 2, queues: [long, default]}}, stop_cap: 300}
realtime: {port: 9100}
redis: {managed: true}
logging: {mode: files, folder: /srv/log}
resources: {worker: {memory_max: 2G, cpu_weight: 50}, bench: {tasks_max: 900}}
nginx: {hsts: preload, trusted_proxies: [10.0.0.0/8]}
supervisor: {groups: pool}
env: {TZ: UTC}
processes: {clock: {instances: 2, stop_timeout: 5, directory: apps, environment: {A: b}}}
sites:
  c.example.com: {nginx_port: 8080, max_file_size: 1000}
"""
PROCFILE = (
    "web: bench serve\nsocketio: bench socketio\nschedule: bench schedule\nworker: bench worker\n"
    "pool: bench worker-pool\nwatch: bench watch\nclock: cd apps && tick\n"
    "redis_cache: redis-server config/redis_cache.conf\n"
)
BARE = re.compile(r"plan\.(left_out|lines)\[\d+\]\.(name|reason)")
"""What is itself a reason."""


def rich_plan() -> Plan:
    """A plan that has everything that a plan can have."""
    pair = {"ssl_certificate": "/c.pem", "ssl_certificate_key": "/k.pem"}
    common = {"redis_cache": "redis://127.0.0.1:13000", "workers": {"bulk": {"timeout": 90}}}
    domains = ["b.example.com", {"domain": "d.example.com", **pair}]
    files = bench_files(PROCFILE, common, sites={"a.example.com": {"domains": domains, **pair}})
    return make_plan(files._replace(settings=Source("prodgen.yaml", RICH)))


PLANS = {case: fixture_plan(case) for case in WITH_PLAN} | {"everything": rich_plan()}


def leaves(value: object, path: str = "plan") -> Iterator[tuple[str, object]]:
    """Every sourced value, and every bare one, with its path."""
    if isinstance(value, Sourced):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}.{names[index]}" if names else f"{path}[{index}]")
    elif value is not None:
        yield path, value


def origins(origin: Origin) -> Iterator[Origin]:
    yield origin
    for reason in origin.because:
        yield from origins(reason)


@pytest.mark.parametrize("case", PLANS)
def test_no_value_is_without_an_origin(case: str) -> None:
    found = dict(leaves(PLANS[case]))
    assert len(found) > 100
    bare = {path for path, value in found.items() if not isinstance(value, Sourced)}
    assert {path for path in bare if not BARE.fullmatch(path)} == set()


@pytest.mark.parametrize("case", PLANS)
def test_each_reason_of_an_origin_says_something_and_where(case: str) -> None:
    for path, value in leaves(PLANS[case]):
        for one in origins(value.origin) if isinstance(value, Sourced) else ():
            assert one.text.strip(), path
            placed = one.kind in (Kind.FILE, Kind.SETTINGS) and one.text != "host"
            assert not placed or one.location or "folder" in one.text, (path, one)


@pytest.mark.parametrize("case", PLANS)
def test_explain_reaches_every_value(case: str) -> None:
    reached = [one for fields in topics(PLANS[case]).values() for one in fields.values()]
    for path, value in leaves(PLANS[case]):
        if isinstance(value, Sourced):
            assert any(one is value for one in reached), path


def test_the_topics_are_services_sites_and_sections() -> None:
    found = topics(PLANS["everything"])
    assert "frappe-bench-frappe-web" in found
    assert {"names[1].name", "names[2].certificate", "port"} <= set(found["a.example.com"])
    assert {"workers", "threads", "stop"} <= set(found["frappe-bench-frappe-web"])
    assert {"maxmemory", "conf"} <= set(found["frappe-bench-redis-cache"])
    assert {"resources.worker.memory_max", "logs"} <= set(found["systemd"])
    assert {"plan", "proxy", "versions", "nginx", "supervisor"} <= set(found)
