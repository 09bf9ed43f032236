"""Counts that a host cannot bear draw a warning that shows the arithmetic."""

from __future__ import annotations

import pytest

from prodgen.diagnostics import Diagnostic, Severity
from prodgen.host.facts import detected
from prodgen.plan.core.memory import idle_megabytes
from prodgen.provenance import Sourced
from tests.support.plans import FACTS, bench_files, declared, service, try_plan

PROCFILE = "web: bench serve\nworker: bench worker\nschedule: bench schedule\n"
GIGABYTE = 1024**3


def warnings(common: dict[str, object], cpus: int = 4, gigabytes: float = 8) -> list[Diagnostic]:
    facts = FACTS._replace(cpus=declared(cpus), memory=declared(int(gigabytes * GIGABYTE)))
    plan, found = try_plan(bench_files(PROCFILE, common), facts)
    assert plan
    return [one for one in found if one.severity is Severity.WARNING]


@pytest.mark.pitfall("15")
@pytest.mark.parametrize(
    ("common", "message"),
    [
        (
            {"gunicorn_workers": 241},
            "many Gunicorn workers: 241 on 4 CPUs; 2 x 4 + 1 is usual, and 241 x 150 MB = 36150 MB",
        ),
        (
            {"background_workers": 300},
            "many background workers: 600 (300 + 300) on 4 CPUs, and 600 x 150 MB = 90000 MB",
        ),
    ],
)
def test_the_arithmetic(common: dict[str, object], message: str) -> None:
    """The corpus has both."""
    [warning] = warnings(common)
    assert warning.message == f"{message} of 8192 MB memory"
    assert str(warning.location).startswith("sites/common_site_config.json:2:")
    assert warning.help == f"lower {next(iter(common))}"


@pytest.mark.parametrize(
    ("common", "cpus", "gigabytes", "codes"),
    [
        ({"gunicorn_workers": 32}, 4, 8, []),
        ({"gunicorn_workers": 33}, 4, 8, ["PG603"]),
        ({"gunicorn_workers": 33}, 16, 8, []),
        ({"gunicorn_workers": 33}, 16, 4, ["PG603"]),
        ({"background_workers": 16}, 4, 8, []),
        ({"background_workers": 17}, 4, 8, ["PG616"]),
        ({"background_workers": 5}, 4, 1, ["PG616"]),
        ({}, 1, 1, []),
    ],
)
def test_what_is_many(
    common: dict[str, object], cpus: int, gigabytes: float, codes: list[str]
) -> None:
    assert [one.code for one in warnings(common, cpus, gigabytes)] == codes


def test_the_workers_of_a_worker_pool_count_too() -> None:
    procfile = "web: bench serve\npool: bench worker-pool --num-workers 300\n"
    plan, found = try_plan(bench_files(procfile))
    assert plan
    [warning] = [one for one in found if one.code == "PG616"]
    assert warning.message.startswith("many background workers: 300 on 4 CPUs, and 300 x 150 MB")
    assert str(warning.location).startswith("Procfile:2:")
    assert warning.help == "lower --num-workers"
    assert idle_megabytes(service(plan, "frappe-pool")) == 11 + 300 * 31


def test_facts_of_this_machine_may_be_those_of_another_host() -> None:
    facts = FACTS._replace(cpus=Sourced(1, detected(1, "cgroup CPU quota")))
    _, found = try_plan(bench_files(PROCFILE, {"gunicorn_workers": 20}), facts)
    [warning] = [one for one in found if one.code == "PG603"]
    assert warning.help == "lower gunicorn_workers, or declare the host's `cpus` and `memory`"


def test_the_default_count_says_that_a_quota_bounds_it() -> None:
    facts = FACTS._replace(cpus=Sourced(1, detected(1, "cgroup CPU quota")))
    plan, _ = try_plan(bench_files(PROCFILE), facts)
    assert plan
    gunicorn = service(plan, "frappe-web").gunicorn
    assert gunicorn
    [total, *_] = gunicorn.workers.origin.because
    assert total.text == "2 x 1 CPUs + 1"
    assert total.because[0].text == "1 (cgroup CPU quota)"
