"""No queue is forgotten: each has workers, or a warning says which has none."""

from __future__ import annotations

import pytest

from prodgen.diagnostics import Severity
from prodgen.plan.core.model import Role
from tests.support.plans import bench_files, codes, make_plan, try_plan

BY_NAME = "".join(f"worker_{name}: bench worker --queue {name}\n" for name in ("short", "default"))


@pytest.mark.parametrize(
    ("procfile", "left"),
    [
        (BY_NAME, "long"),
        ("worker: bench worker --queue short\n", "default or long"),
        ("pool: bench worker-pool --queue short\n", "default or long"),
    ],
)
def test_a_queue_of_frappes_that_nobody_serves(procfile: str, left: str) -> None:
    _, found = try_plan(bench_files(procfile))
    [warning] = [one for one in found if one.code == "PG617"]
    assert warning.message == f"no worker takes jobs of {left}: they would wait for ever"
    assert str(warning.location).startswith("Procfile:1:")


@pytest.mark.parametrize(
    "procfile",
    [
        "worker: bench worker\n",
        "pool: bench worker-pool\n",
        BY_NAME + "worker_long: bench worker --queue long\n",
        BY_NAME + "pool: bench worker-pool --queue long\n",
        BY_NAME + "other: bench gevent-worker --queue long\n",
        "web: bench serve\n",
    ],
)
def test_every_queue_is_served_or_all_are_elsewhere(procfile: str) -> None:
    _, found = try_plan(bench_files(procfile))
    assert "PG617" not in codes(found, Severity.WARNING)


@pytest.mark.pitfall("17")
def test_a_custom_queue_has_workers_though_no_line_names_it() -> None:
    """bench's own generator gives each queue under `workers` a program."""
    lines = BY_NAME + "worker_long: bench worker --queue long\n"
    common = {"workers": {"email": {"timeout": 600, "background_workers": 2}}}
    plan = make_plan(bench_files(lines, common))
    counts = {
        one.queues.value[0].name: (one.instances.value, one.stop.value.seconds)
        for one in plan.with_role(Role.WORKER)
    }
    assert counts == {"short": (1, 390), "default": (1, 390), "long": (1, 1590), "email": (2, 690)}


def test_a_pool_of_all_queues_serves_the_custom_one_too() -> None:
    lines = "worker: bench worker --queue short\npool: bench worker-pool\n"
    plan = make_plan(bench_files(lines, {"workers": {"email": {}}}))
    assert [one.name.value for one in plan.with_role(Role.WORKER)] == [
        "frappe-bench-frappe-short-worker"
    ]


def test_a_bad_queue_is_reported_once_though_two_rules_look_at_queues() -> None:
    lines = "worker: bench worker\npool: bench worker-pool\n"
    _, found = try_plan(bench_files(lines, {"workers": {"a,b": {}}}))
    assert codes(found, Severity.ERROR) == ["PG611"]
