"""Redis's own settings, where the bench leaves them to prodgen (redis.conf)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic
from prodgen.plan.core.model import Plan, Redis
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.base import Target, Unwritable, unwritable
from prodgen.targets.core.templating import render


class Context(NamedTuple):
    """What the template sees, in Redis's language."""

    bench: str
    name: str
    port: int
    data_folder: str
    keeps_data: bool
    maxmemory: int
    """Megabytes; 0 is no limit."""


def render_redis(plan: Plan) -> tuple[list[Artifact], list[Diagnostic]]:
    """A conf file for each Redis that `redis: {managed: true}` leaves to prodgen."""
    artifacts: list[Artifact] = []
    findings: list[Diagnostic] = []
    for service in plan.services:
        if service.redis is None:
            continue
        try:
            artifacts.append(_conf(plan, service.redis))
        except Unwritable as reason:
            findings.append(unwritable(service.redis.data_folder, reason, "Redis"))
    return ([] if findings else artifacts), findings


def _conf(plan: Plan, redis: Redis) -> Artifact:
    path = redis.conf.value
    context = Context(
        bench=plan.bench_name.value,
        name=path.stem,
        port=redis.port.value,
        data_folder=quoted(str(redis.data_folder.value)),
        keeps_data=redis.keeps_data.value,
        maxmemory=redis.maxmemory.value if redis.maxmemory else 0,
    )
    text = render("redis/redis.conf", context)
    return Artifact(PurePosixPath("redis", path.name), text, path, "redis")


def quoted(value: str) -> str:
    """The value in double quotes, with the escapes that Redis knows (src/sds.c, sdssplitargs)."""
    if not value.isprintable():
        raise Unwritable("it has a line break or a control character in it")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


TARGET = Target("redis", "settings of the bench's Redis, where redis.managed is set", render_redis)
