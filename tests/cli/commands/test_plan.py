"""`prodgen plan`, `explain` and `schema`: what will run, and why."""

from __future__ import annotations

import json

import pytest

from prodgen.codes import CODES
from prodgen.inputs.schema.check import schema_names
from tests.support.command import prodgen
from tests.support.plans import FIXTURES

CASES = sorted(folder.name for folder in FIXTURES.iterdir() if (folder / "frappe-bench").is_dir())


@pytest.mark.parametrize("case", [case for case in CASES if case != "unknown-queue"])
def test_the_table_fits_eighty_columns(case: str) -> None:
    done = prodgen("plan", "-C", FIXTURES / case / "frappe-bench")
    assert done.code == 0
    lines = done.out.splitlines()
    assert all(len(line) <= 80 for line in lines[2:]), lines
    assert lines[3].split() == ["SERVICE", "N", "RUNS", "STOP", "PORT", "MB"]


def test_the_table_says_what_runs() -> None:
    rows = {line.split()[0]: line.split() for line in prodgen("plan").out.splitlines() if line}
    assert rows["frappe-web"][1:] == [
        "2",
        "Gunicorn,",
        "5",
        "workers",
        "each",
        "300",
        "s",
        "8000",
        "590",
    ]
    assert rows["frappe-email-worker"][1:] == ["2", "email", "690", "s", "62"]
    assert rows["node-socketio"][-2] == "9000"
    assert rows["redis-cache"][-2] == "13000"
    assert rows["Left"][2] == "watch:"


def test_json_has_an_origin_for_each_value() -> None:
    plan = json.loads(prodgen("plan", "--format", "json").out)
    assert plan["format_version"] == 1
    web = next(one for one in plan["services"] if one["role"]["value"] == "web")
    workers = web["gunicorn"]["workers"]
    assert workers["value"] == 5
    assert workers["origin"]["because"][0]["file"] == "sites/common_site_config.json"
    assert workers["origin"]["because"][0]["line"] == 6


@pytest.mark.parametrize("topic", ["frappe-web.workers", "frappe-bench-frappe-web.workers"])
def test_explain_gives_the_chain_to_the_line_of_the_file(topic: str) -> None:
    done = prodgen("explain", topic)
    assert done.code == 0
    common = "sites/common_site_config.json"
    assert done.out.splitlines()[:3] == [
        "frappe-bench-frappe-web.workers = 5",
        "  9 in all over 2 instances",
        f"    gunicorn_workers ({common}:6:22)",
    ]


def test_explain_walks_a_whole_service_and_the_plan() -> None:
    for topic in ("frappe-long-worker", "plan"):
        done = prodgen("explain", topic)
        assert done.code == 0, done.err
        assert len(done.out.splitlines()) > 10


@pytest.mark.parametrize(
    ("topic", "first"),
    [
        ("erp.example.com.port", "erp.example.com.port = 80"),
        ("crm.example.com", "crm.example.com.folder = crm.example.com"),
        ("nginx.hsts", "nginx.hsts = max-age"),
        ("proxy.read_timeout", "proxy.read_timeout = 130"),
        ("nginx.ipv6", "nginx.ipv6 = true"),
        ("nginx.access_log", 'nginx.access_log = ""'),
        ("redis-cache.stop", "frappe-bench-redis-cache.stop = signal TERM, seconds 60"),
    ],
)
def test_explain_knows_sites_and_sections_too(topic: str, first: str) -> None:
    done = prodgen("explain", topic)
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == first


@pytest.mark.parametrize("code", ["PG610", "pg203"])
def test_explain_says_what_a_code_means(code: str) -> None:
    done = prodgen("explain", code)
    assert done.out.startswith(f"{code.upper()}: {CODES[code.upper()].title}\n")
    assert all(len(line) <= 80 for line in done.out.splitlines())


@pytest.mark.parametrize("topic", ["PG999", "nothing", "frappe-web.nothing"])
def test_explain_refuses_what_is_not_there(topic: str) -> None:
    done = prodgen("explain", topic)
    assert (done.code, done.out) == (64, "")


def test_schemas_are_listed_and_printed() -> None:
    assert [line.split()[0] for line in prodgen("schema").out.splitlines()] == schema_names()
    for name in schema_names():
        found = json.loads(prodgen("schema", name).out)
        assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
