"""Which pools of workers a bench gets, how many processes each has, and how long they may take."""

from __future__ import annotations

import pytest

from prodgen.diagnostics import Severity
from prodgen.plan.core.model import Plan, Role
from prodgen.plan.core.python_module import module_run
from tests.support.plans import bench_files, codes, make_plan, service, try_plan

WORKER = "worker: bench worker 1>> logs/worker.log 2>> logs/worker.error.log\n"


def pools(plan: Plan) -> dict[str, int]:
    """The queues of each pool, and its processes."""
    return {
        ",".join(queue.name for queue in one.queues.value): one.instances.value
        for one in plan.with_role(Role.WORKER)
    }


@pytest.mark.parametrize(
    ("frappe", "expected"),
    [
        ("13.58.21", ["short", "default", "long"]),
        ("14.17.9", ["short", "default", "long"]),
        ("14.18.0", ["short,default", "long,default,short"]),
        ("15.72.4", ["short,default", "long,default,short"]),
        ("16.0.0-dev", ["short,default", "long,default,short"]),
        (None, ["short", "default", "long"]),
    ],
)
def test_the_usual_line_becomes_the_pools_of_its_frappe(
    frappe: str | None, expected: list[str]
) -> None:
    assert list(pools(make_plan(bench_files(WORKER, frappe=frappe)))) == expected


@pytest.mark.pitfall("17")
def test_each_custom_queue_has_its_own_pool() -> None:
    common = {"workers": {"email": {"timeout": 600}, "bulk": {"background_workers": 3}}}
    plan = make_plan(bench_files(WORKER, common))
    assert pools(plan) == {"short,default": 1, "long,default,short": 1, "email": 1, "bulk": 3}


def test_lines_with_a_queue_become_the_pool_of_that_queue() -> None:
    lines = "".join(f"worker_{q}: bench worker --queue {q} --quiet\n" for q in ("long", "short"))
    assert pools(make_plan(bench_files(lines))) == {"short": 1, "long": 1}


def test_a_line_for_one_queue_replaces_the_default_pool_that_begins_with_it() -> None:
    lines = WORKER + "long-worker: bench worker --queue long\n"
    assert pools(make_plan(bench_files(lines))) == {"short,default": 1, "long": 1}


@pytest.mark.parametrize(
    ("common", "lines", "count"),
    [
        ({}, 1, 1),
        ({}, 3, 3),
        ({"background_workers": 4}, 1, 4),
        ({"background_workers": "4"}, 1, 4),
        ({"background_workers": 4}, 3, 4),
        ({"background_workers": 4, "queues": {"short": {"background_workers": 2}}}, 1, 2),
        ({"background_workers": None}, 2, 2),
    ],
)
def test_the_count_of_a_pool(common: dict[str, object], lines: int, count: int) -> None:
    procfile = "".join(f"worker-{number}: bench worker\n" for number in range(lines))
    assert pools(make_plan(bench_files(procfile, common)))["short,default"] == count


def test_lines_and_background_workers_that_disagree_draw_a_warning_with_both_places() -> None:
    procfile = "worker: bench worker\nworker-2: bench worker\n"
    _, found = try_plan(bench_files(procfile, {"background_workers": 1}))
    warning = next(one for one in found if one.code == "PG613")
    assert str(warning.location) == "Procfile:1:1"
    assert str(warning.related[0][1]).startswith("sites/common_site_config.json:2:")


@pytest.mark.pitfall("17")
@pytest.mark.pitfall("D-SV1")
@pytest.mark.pitfall("D-SV1")
@pytest.mark.pitfall("D-SV7")
@pytest.mark.parametrize(
    ("workers", "queue", "stop"),
    [
        ({}, "short", 390),
        ({}, "long", 1590),
        ({"email": {"timeout": 600}}, "email", 690),
        ({"email": {}}, "email", 390),
        ({"email": None}, "email", 390),
        ({"email": {"timeout": "600"}}, "email", 690),
        ({"long": {"timeout": 7200}}, "long", 7290),
        ({"long": {"background_workers": 2}}, "long", 390),
        ({"long": None}, "long", 1590),
    ],
)
def test_a_pool_stops_later_than_rq_kills_its_longest_job(
    workers: dict[str, object], queue: str, stop: int
) -> None:
    """Never an empty stop time, never one without a margin."""
    plan = make_plan(bench_files(WORKER, {"workers": workers}))
    assert service(plan, f"frappe-{queue}-worker").stop.value.seconds == stop


@pytest.mark.pitfall("D-SV2")
@pytest.mark.pitfall("D-SV2")
def test_a_custom_worker_called_long_does_not_appear_twice() -> None:
    """bench writes two sections of one name."""
    plan = make_plan(bench_files(WORKER, {"workers": {"long": {"timeout": 3000}}}))
    names = [one.name.value for one in plan.services]
    assert len(names) == len(set(names))
    assert pools(plan) == {"short,default": 1, "long,default,short": 1}


def test_a_queue_that_frappe_does_not_know_is_an_error_with_the_json_to_add() -> None:
    _, found = try_plan(bench_files("email-worker: bench worker --queue email\n"))
    error = next(one for one in found if one.code == "PG610")
    assert str(error.location) == "Procfile:1:15"
    assert '"workers": {"email": {"timeout": 300}}' in error.help


def test_queues_says_which_queues_get_workers_of_their_own() -> None:
    common = {"queues": ["default"]}
    assert "default" in pools(make_plan(bench_files(WORKER, common)))
    plan, found = try_plan(bench_files(WORKER, {"queues": ["reports"]}))
    assert plan is None
    assert codes(found, Severity.ERROR) == ["PG610"]


@pytest.mark.parametrize("name", ["a,b", "a b", " ", ""])
def test_a_name_that_frappe_would_not_take_is_refused(name: str) -> None:
    _, found = try_plan(bench_files(WORKER, {"workers": {name: {}}}))
    assert codes(found, Severity.ERROR) == ["PG611"]


def test_a_pool_without_workers_is_empty_and_mentioned() -> None:
    plan, found = try_plan(bench_files(WORKER, {"background_workers": 0}))
    assert plan
    assert set(pools(plan).values()) == {0}
    assert "PG614" in codes(found, Severity.WARNING)


@pytest.mark.pitfall("38")
def test_workers_run_without_bench_and_without_a_shell() -> None:
    plan = make_plan(bench_files(WORKER))
    worker = service(plan, "frappe-short-worker")
    run = module_run(worker.argv.value)
    assert worker.argv.value[0] == "/home/frappe/frappe-bench/env/bin/python"
    assert run == ("frappe.utils.bench_helper", ("frappe", "worker", "--queue", "short,default"))
    assert str(worker.directory.value) == "/home/frappe/frappe-bench/sites"


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("bench worker --queue long --quiet", ("--quiet",)),
        ("bench worker --queue=long --strategy round_robin -u me", None),
        ("bench worker --strategy=random --queue long", ("--strategy", "random")),
    ],
)
def test_options_of_a_worker_are_kept(line: str, options: tuple[str, ...] | None) -> None:
    worker = service(make_plan(bench_files(f"w: {line}\n")), "frappe-long-worker")
    wanted = options or ("--strategy", "round_robin", "--rq-username", "me")
    assert worker.argv.value[-len(wanted) - 2 :] == ("--queue", "long", *wanted)


def test_a_password_of_a_worker_is_not_kept_and_said() -> None:
    plan, found = try_plan(bench_files("w: bench worker --queue long -u me -p hunter2\n"))
    assert plan
    assert "hunter2" not in repr(service(plan, "frappe-long-worker").argv.value)
    [said] = [one for one in found if one.code == "PG653"]
    assert "`--rq-password`" in said.message
    assert "hunter2" not in said.message


def test_lines_of_one_pool_with_other_options_draw_a_warning() -> None:
    lines = "a: bench worker --queue long\nb: bench worker --queue long --quiet\n"
    assert "PG653" in codes(try_plan(bench_files(lines))[1])


def test_lines_with_the_same_first_queue_are_pools_of_their_own() -> None:
    lines = "a: bench worker --queue short,default\nb: bench worker --queue short\n"
    plan = make_plan(bench_files(lines))
    assert pools(plan) == {"short,default": 1, "short": 1}
