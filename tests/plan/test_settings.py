"""Settings of prodgen.yaml: each has an effect, and wins over what the bench's own files say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from prodgen.diagnostics import Severity, has_errors
from prodgen.host.declared import complete, declared_facts
from prodgen.inputs.bench import parse_bench
from prodgen.inputs.schema import load_schema
from prodgen.inputs.source import Source
from prodgen.plan.planner import build_plan
from prodgen.plan.wire import plan_to_json
from prodgen.targets.registry import MODULES, load_target
from tests.plans import FACTS, bench_files, codes, try_plan

PROCFILE = (
    "redis_cache: redis-server config/redis_cache.conf\nweb: bench serve --port 8000\n"
    "socketio: bench socketio\nschedule: bench schedule\nworker: bench worker\nclock: tick\n"
)
COMMON: dict[str, object] = {
    "redis_cache": "redis://127.0.0.1:13000",
    "redis_queue": "redis://127.0.0.1:11000",
    "workers": {"email": {}},
}
PAIR = {"ssl_certificate": "/c.pem", "ssl_certificate_key": "/k.pem"}
SITES: dict[str, dict[str, object]] = {"a.example.com": {**PAIR}, "b.example.com": {}}
OTHER_VALUES: dict[str, object] = {
    "host.nginx": "1.27.4",
    "host.systemd": "257",
    "host.gunicorn": "27.0.1",
    "host.frappe": "13.58.21",
    "host.openssl": "3.5.1",
    "host.home": "/srv/home",
    "host.path": "/srv/bench",
    "host.node": "/opt/node",
    "host.redis_server": "/opt/redis-server",
    "host.cpus": 2,
    "host.memory": "1G",
    "host.nginx_modules": ["http_gzip_static_module"],
    "user": "erp",
    "bench_name": "other",
    "sites": {"c.example.com": {}},
    "workers.pools": {"short": 7},
    "env": {"TZ": "UTC"},
    "processes": {"clock": False},
    "logging.folder": "/var/log/elsewhere",
    "systemd.scope": "user",
    "nginx.trusted_proxies": ["10.0.0.0/8"],
    "nginx.acme_webroot": "/var/www/certbot",
    "web.port": 8123,
    "web.timeout": 60,
    "web.max_requests": 7,
    "supervisor.log_backups": 7,
    "supervisor.scheduler_wait": 60,
}
WITH: dict[str, dict[str, Any]] = {
    "nginx.http3": {"host": {"nginx": "1.27.4"}},
    "host.openssl": {"host": {"nginx": "1.27.4"}},
    "nginx.hsts_max_age": {"nginx": {"hsts": "max-age"}},
    "systemd.read_only_paths": {"systemd": {"hardening": "strict"}},
}
"""Settings that another one must stand beside."""


def leaves(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, found in schema["properties"].items():
        if found.get("properties"):
            yield from leaves(found, f"{path}{name}.")
        elif name not in ("version", "environments"):
            yield f"{path}{name}", found


LEAVES = dict(leaves(dict(load_schema("prodgen"))))


def outcome(settings: dict[str, Any]) -> str:
    """Everything that comes of the bench with these settings, as one text."""
    files = bench_files(
        PROCFILE, COMMON, sites=SITES, redis={"redis_cache": 13000, "redis_queue": 11000}
    )
    files = replace(files, settings=Source("prodgen.yaml", json.dumps(settings)))
    bench, found = parse_bench(files)
    assert bench, found
    facts = complete(declared_facts(bench.settings), FACTS)
    planned, more = build_plan(bench, facts)
    assert planned.plan, more
    texts = [json.dumps(plan_to_json(planned.plan)["manager"]["value"])]  # type: ignore[index]
    for name in MODULES:
        artifacts, found = load_target(name).render(planned.plan)
        assert not has_errors(found), found
        texts += [f"{one.destination}\n{one.text}" for one in artifacts]
    return "\n".join(texts)


def other_value(name: str, found: dict[str, Any]) -> object:
    if name in OTHER_VALUES:
        return OTHER_VALUES[name]
    values = [*found.get("examples", ()), *found.get("enum", ())]
    return next(one for one in values if one not in (None, found.get("default")))


@pytest.mark.parametrize("name", LEAVES)
def test_no_setting_is_without_effect(name: str) -> None:
    base = json.loads(json.dumps(WITH.get(name, {})))
    changed = json.loads(json.dumps(base))
    *sections, key = name.split(".")
    inner = changed
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[key] = other_value(name, LEAVES[name])
    assert outcome(changed) != outcome(base)


def test_the_walk_finds_the_settings() -> None:
    assert len(LEAVES) > 50
    assert {"web.workers", "manager", "resources.worker", "nginx.tls"} <= set(LEAVES)


def test_an_unknown_process_without_a_command_is_refused() -> None:
    files = replace(
        bench_files(PROCFILE),
        settings=Source("prodgen.yaml", "processes:\n  wacth: {instances: 2}"),
    )
    _, found = try_plan(files)
    assert codes(found, Severity.ERROR) == ["PG420"]
    [error] = [one for one in found if one.code == "PG420"]
    assert str(error.location).startswith("prodgen.yaml:2:")
