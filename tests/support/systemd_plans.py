"""Plans of a bench for the tests of the systemd target: all roles, with or without changes."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from prodgen.host.facts import HostFacts
from prodgen.inputs.bench import parse_bench
from prodgen.inputs.core.source import Source
from prodgen.inputs.reader import BenchFiles, read_bench
from prodgen.plan.core.model import Plan
from prodgen.plan.core.options import SystemdOptions
from prodgen.plan.planner import build_plan
from prodgen.provenance import Kind, Origin, Sourced
from prodgen.targets.systemd.render import render_systemd

HERE = Origin(Kind.DEFAULT, "a test")
PROCFILE = """\
redis_cache: redis-server config/redis_cache.conf
redis_queue: redis-server config/redis_queue.conf
web: bench serve --port 8000
socketio: /usr/bin/node apps/frappe/socketio.js
watch: bench watch
schedule: bench schedule
worker: bench worker 1>> logs/worker.log
bot: ./apps/bot/run --fast
"""
CONFIG = {
    "background_workers": 2,
    "frappe_user": "frappe",
    "redis_cache": "redis://127.0.0.1:13000",
    "redis_queue": "redis://127.0.0.1:11000",
    "socketio_port": 9000,
    "webserver_port": 8000,
    "workers": {"reports": {"timeout": 4000, "background_workers": 1}},
}


def sourced(value: Any) -> Sourced[Any]:
    """A value without any history."""
    return Sourced(value, HERE)


def facts(path: str, systemd: str | None, **known: Any) -> HostFacts:
    """A host for the bench at `path`."""
    given: dict[str, Any] = {
        "path": PurePosixPath(path),
        "owner": "frappe",
        "home": PurePosixPath("/home/frappe"),
        "cpus": 2,
        "memory": 4 * 1024**3,
        "node": PurePosixPath("/usr/bin/node"),
        "redis_server": PurePosixPath("/usr/bin/redis-server"),
        "frappe": "15.72.4",
        **known,
    }
    if systemd:
        given["systemd"] = systemd
    return HostFacts(**{name: sourced(value) for name, value in given.items()})


def with_options(plan: Plan, **options: Any) -> Plan:
    """The plan with other choices about its units."""
    values: dict[str, Any] = {
        name: value if name == "resources" else sourced(value) for name, value in options.items()
    }
    return plan._replace(systemd=SystemdOptions()._replace(**values))


def make_plan(
    path: str = "/home/frappe/frappe-bench",
    *,
    systemd: str | None = "252",
    procfile: str = PROCFILE,
    config: dict[str, Any] | None = None,
    **known: Any,
) -> Plan:
    """The plan of a bench with these files."""
    conf = "port {}\n"
    files = BenchFiles(
        root=Path(path),
        procfile=Source("Procfile", procfile),
        common=Source("sites/common_site_config.json", json.dumps({**CONFIG, **(config or {})})),
        redis_confs={
            name: Source(f"config/{name}.conf", conf.format(port))
            for name, port in (("redis_cache", 13000), ("redis_queue", 11000))
        },
    )
    return _planned(files, facts(path, systemd, **known))


def plan_of_folder(folder: Path, path: str, *, systemd: str | None = "252", **known: Any) -> Plan:
    """The plan of a bench whose files lie in `folder`, for a host where it is at `path`."""
    files, _ = read_bench(folder)
    return _planned(files, facts(path, systemd, **known))


def _planned(files: BenchFiles, host: HostFacts) -> Plan:
    bench, found = parse_bench(files)
    assert bench is not None, found
    planned, found = build_plan(bench, host)
    assert planned.plan is not None, found
    return planned.plan


def units_of(plan: Plan) -> dict[str, str]:
    """The text of each unit by its name."""
    artifacts, found = render_systemd(plan)
    assert artifacts, found
    return {artifact.destination.name: artifact.text for artifact in artifacts}
