"""Settings of prodgen.yaml: each has an effect, and wins over what the bench's own files say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from prodgen.diagnostics import Severity, has_errors
from prodgen.host.declared import complete, declared_facts
from prodgen.inputs.bench import parse_bench
from prodgen.inputs.core.source import Source
from prodgen.inputs.schema.check import load_schema
from prodgen.plan.planner import build_plan
from prodgen.plan.views.json import plan_to_json
from prodgen.targets.registry import MODULES, load_target
from tests.support.plans import FACTS, bench_files, codes, try_plan

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
    "host.python": "3.12",
    "host.frappe": "13.58.21",
    "host.openssl": "3.5.1",
    "host.home": "/srv/home",
    "host.path": "/srv/bench",
    "host.node": "/opt/node",
    "host.redis_server": "/opt/redis-server",
    "host.cpus": 2,
    "host.memory": "1G",
    "host.nginx_modules": ["http_gzip_static_module"],
    "host.ipv6": False,
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
    "realtime.port": 9123,
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
    "logging.folder": {"logging": {"mode": "files"}},
    "web.socket_group": {"web": {"bind": "unix:/run/web.sock"}},
}
"""Settings that another one must stand beside."""
SEVERAL: dict[str, tuple[object, ...]] = {
    "logging.mode": ("files", "journal"),
    "web.bind": ("unix:/run/web.sock", "192.0.2.7:8000"),
}
"""Settings whose values touch one target each."""
MANAGERS = "supervisor systemd"
TOUCHES = {
    "manager": "plan",
    "bench_name": f"{MANAGERS} nginx gunicorn",
    "user": MANAGERS,
    "host.path": f"{MANAGERS} nginx gunicorn",
    "host.home": MANAGERS,
    "host.cpus": "gunicorn",
    "host.memory": "gunicorn",
    "host.node": MANAGERS,
    "host.redis_server": MANAGERS,
    "host.frappe": f"{MANAGERS} nginx",
    "host.gunicorn": "gunicorn",
    "host.python": MANAGERS,
    "host.nginx": "nginx",
    "host.systemd": "systemd",
    "host.nginx_modules": "nginx",
    "host.openssl": "nginx",
    "host.ipv6": "nginx",
    "host.supervisor_folder": "supervisor",
    "sites": "nginx",
    "web.instances": f"{MANAGERS} gunicorn",
    "web.port": f"{MANAGERS} nginx",
    "web.bind": f"{MANAGERS} nginx gunicorn",
    "web.socket_group": MANAGERS,
    "web.timeout": f"{MANAGERS} nginx gunicorn",
    "web": "gunicorn",
    "workers": MANAGERS,
    "realtime": f"{MANAGERS} nginx",
    "redis": f"{MANAGERS} redis",
    "logging": MANAGERS,
    "nginx": "nginx",
    "systemd": "systemd",
    "supervisor": "supervisor",
    "env": MANAGERS,
    "ignore": "",
    "env_file": f"{MANAGERS} environment",
    "processes": MANAGERS,
    "resources": "systemd",
}
"""The targets whose output a setting changes; a section stands for those of it not named here."""


def leaves(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, found in schema["properties"].items():
        if found.get("properties"):
            yield from leaves(found, f"{path}{name}.")
        elif name not in ("version", "environments"):
            yield f"{path}{name}", found


LEAVES = dict(leaves(dict(load_schema("prodgen"))))


def outcome(settings: dict[str, Any]) -> dict[str, str]:
    """What comes of the bench with these settings: the text of each target, and the plan's own."""
    files = bench_files(
        PROCFILE, COMMON, sites=SITES, redis={"redis_cache": 13000, "redis_queue": 11000}
    )
    files = files._replace(settings=Source("prodgen.yaml", json.dumps(settings)))
    bench, found = parse_bench(files)
    assert bench, found
    facts = complete(declared_facts(bench.settings), FACTS)
    planned, more = build_plan(bench, facts)
    assert planned.plan, more
    texts = {"plan": json.dumps(plan_to_json(planned.plan)["manager"]["value"])}  # type: ignore[index]
    for name in MODULES:
        artifacts, found = load_target(name).render(planned.plan)
        assert not has_errors(found), found
        texts[name] = "".join(f"{one.destination}\n{one.text}" for one in artifacts)
    return texts


def other_value(name: str, found: dict[str, Any]) -> object:
    if name in OTHER_VALUES:
        return OTHER_VALUES[name]
    values = [*found.get("examples", ()), *found.get("enum", ())]
    return next(one for one in values if one not in (None, found.get("default")))


def changed_by(name: str, value: object) -> set[str]:
    """The targets that are another text with this value of the setting."""
    base = json.loads(json.dumps(WITH.get(name, {})))
    changed = json.loads(json.dumps(base))
    *sections, key = name.split(".")
    inner = changed
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[key] = value
    before, after = outcome(base), outcome(changed)
    return {target for target in before if before[target] != after[target]}


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAVES)
def test_each_setting_changes_the_targets_that_it_is_for(name: str) -> None:
    """None is without effect, and none is without effect where it should have one."""
    values = SEVERAL.get(name) or (other_value(name, LEAVES[name]),)
    section = name.partition(".")[0]
    expected = TOUCHES[name] if name in TOUCHES else TOUCHES[section]
    touched: set[str] = set().union(*(changed_by(name, value) for value in values))
    assert touched == set(expected.split())


def test_the_walk_finds_the_settings() -> None:
    assert len(LEAVES) > 50
    assert {"web.workers", "manager", "resources.worker", "nginx.tls"} <= set(LEAVES)


def test_an_unknown_process_without_a_command_is_refused() -> None:
    files = bench_files(PROCFILE)._replace(
        settings=Source("prodgen.yaml", "processes:\n  wacth: {instances: 2}"),
    )
    _, found = try_plan(files)
    assert codes(found, Severity.ERROR) == ["PG420"]
    [error] = [one for one in found if one.code == "PG420"]
    assert str(error.location).startswith("prodgen.yaml:2:")
