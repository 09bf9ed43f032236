"""Variables before a command reach the services that the line becomes."""

from __future__ import annotations

import pytest

from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from tests.support.plans import bench_files, codes, make_plan, try_plan

WORKERS = {"frappe-short-worker", "frappe-long-worker"}


def those_with(plan: Plan, name: str) -> set[str]:
    return {
        one.name.value.removeprefix("frappe-bench-")
        for one in plan.services
        if name in dict(one.environment.value)
    }


@pytest.mark.parametrize(
    ("line", "services"),
    [
        ("web: A=1 bench serve", {"frappe-web"}),
        ("web: A=1 gunicorn -b 127.0.0.1:8000 shop.app:application", {"web"}),
        ("realtime: A=1 bench socketio", {"node-socketio"}),
        ("clock: A=1 bench schedule", {"frappe-schedule"}),
        ("worker: A=1 bench worker", WORKERS),
        ("worker: sh -c 'A=1 bench worker'", WORKERS),
        ("worker: A=1 sh -c 'bench worker'", WORKERS),
        ("worker: A=1 sh -c 'B=2 bench worker'", WORKERS),
        ("worker: bench worker\nother: A=1 bench worker --queue long", {"frappe-long-worker"}),
        ("worker: A=1 bench worker\nother: bench worker --queue long", {"frappe-short-worker"}),
        ("pool: A=1 bench worker-pool", {"frappe-pool"}),
        ("redis_cache: A=1 redis-server config/redis_cache.conf", {"redis-cache"}),
        ("other: A=1 tick", {"other"}),
    ],
)
def test_the_services_of_a_line_have_its_variables(line: str, services: set[str]) -> None:
    plan = make_plan(bench_files(f"{line}\n"))
    assert those_with(plan, "A") == services


def test_the_origin_names_the_line() -> None:
    plan = make_plan(bench_files("web: A=1 bench serve\n"))
    [web] = plan.services
    assert str(web.environment.origin.because[-1].location) == "Procfile:1:6"


def test_what_a_mac_needs_is_left_out_and_said() -> None:
    """On Linux NO_PROXY would keep jobs from the proxy that they need."""
    line = "worker: OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES NO_PROXY=* A=1 bench worker\n"
    plan, found = try_plan(bench_files(line))
    assert plan
    assert those_with(plan, "A") == WORKERS
    assert those_with(plan, "NO_PROXY") == set()
    assert codes(found) == ["PG607"]


def test_a_proxy_setting_of_the_users_own_stays() -> None:
    plan = make_plan(bench_files("worker: NO_PROXY=* bench worker\n"))
    assert those_with(plan, "NO_PROXY") == WORKERS


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ('env:\n  A: fine\n  B: "a\\nb"\n', "prodgen.yaml:3:6"),
        ('processes:\n  tick:\n    environment: {B: "\\e"}\n', "prodgen.yaml:3:22"),
    ],
)
def test_a_value_that_no_service_can_get_is_refused_at_its_place(settings: str, place: str) -> None:
    files = bench_files("tick: tick\n")._replace(settings=Source("prodgen.yaml", settings))
    plan, found = try_plan(files)
    assert plan is None
    assert [(one.code, str(one.location)) for one in found if one.code == "PG701"] == [
        ("PG701", place)
    ]
