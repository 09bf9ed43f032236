"""Two versions of one bench for the tests of a review."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from prodgen.plan.core.model import Plan
from prodgen.review.core.file_sets import file_set_of
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.effects import Action, Effect
from prodgen.targets.core.file_set import Placed
from prodgen.targets.registry import load_target
from tests.support.plans import bench_files, make_plan

PROCFILE = """\
redis_cache: redis-server config/redis_cache.conf
redis_queue: redis-server config/redis_queue.conf
web: bench serve --port 8000
socketio: /usr/bin/node apps/frappe/socketio.js
schedule: bench schedule
worker: bench worker
"""
COMMON: Mapping[str, object] = {
    "redis_cache": "redis://127.0.0.1:13000",
    "redis_queue": "redis://127.0.0.1:11000",
    "background_workers": 1,
    "gunicorn_workers": 4,
    "workers": {"reports": {"timeout": 600, "background_workers": 1}},
}
REDIS = {"redis_cache": 13000, "redis_queue": 11000}
SITES: Mapping[str, Mapping[str, object]] = {"one.example": {}, "two.example": {}}
MANAGERS = ("supervisor", "systemd")
FileSet = dict[PurePosixPath, Placed]


def plan_with(**changes: object) -> Plan:
    """The plan of the sample bench, with other keys in its common_site_config.json."""
    files = bench_files(PROCFILE, {**COMMON, **changes}, sites=SITES, redis=REDIS)
    return make_plan(files)


def side(plan: Plan, manager: str) -> FileSet:
    """What is installed for a plan."""
    made: list[Artifact] = []
    for name in (manager, "nginx", "gunicorn", "redis"):
        artifacts, found = load_target(name).render(plan)
        assert artifacts or name == "redis", found
        made += artifacts
    return file_set_of(made)


def edited(old: FileSet, name: str, before: str, after: str) -> FileSet:
    """The side with a replacement in the file of this name; there must be something to replace."""
    made = {
        path: placed._replace(text=placed.text.replace(before, after))
        if path.name == name
        else placed
        for path, placed in old.items()
    }
    assert made != old
    return made


def actions(effects: list[Effect]) -> dict[str, Action]:
    """What happens to each subject, without the bench's name."""
    return {one.subject.replace("frappe-bench-", ""): one.action for one in effects}
