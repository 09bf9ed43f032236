"""The reason of a change to nginx is the setting behind it, or none is given."""

from __future__ import annotations

import pytest

from prodgen.inputs.core.source import Source
from prodgen.review.impact.reasons import ReasonFinder
from prodgen.targets.core.effects import Action, Effect
from tests.support.plans import bench_files, make_plan

SETTINGS = """\
version: 1
nginx:
  access_log: "off"
  json_logs: true
  login_rate: 30
"""
SITES = {"one.example": {"max_file_size": 1000}}
SERVER = Effect("nginx", "server one.example (80, [::]:80)", Action.RELOAD)
OF_THE_SITE = "sites/one.example/site_config.json:"


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("access_log", "prodgen.yaml:3:15"),
        ("log_format", "prodgen.yaml:4:14"),
        ("limit_req_zone", "prodgen.yaml:5:15"),
        ("limit_req", "prodgen.yaml:5:15"),
        ("client_max_body_size", f"{OF_THE_SITE}2:19"),
    ],
)
def test_the_place_of_a_setting(key: str, place: str) -> None:
    files = bench_files("web: bench serve\n", sites=SITES)
    plan = make_plan(files._replace(settings=Source("prodgen.yaml", SETTINGS)))
    why = ReasonFinder(plan).of(SERVER, key)
    assert why is not None
    assert why.place == place


@pytest.mark.parametrize("key", ["proxy_buffers", "location / > proxy_pass", "limit_req"])
def test_a_site_is_not_to_blame_for_what_it_does_not_set(key: str) -> None:
    plan = make_plan(bench_files("web: bench serve\n", sites=SITES))
    assert ReasonFinder(plan).of(SERVER, key) is None
