"""Which names each site is served under, with which certificate, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.diagnostics import Severity
from prodgen.inputs.core.source import Source
from prodgen.inputs.reader import SiteFolder
from prodgen.plan.core.model import Plan
from tests.support.plans import bench_files, codes, make_plan, try_plan

WEB = "web: bench serve\n"
PAIR = {"ssl_certificate": "/c.pem", "ssl_certificate_key": "/k.pem"}
Sites = dict[str, dict[str, object]]


def names(plan: Plan) -> dict[str, list[str]]:
    return {site.folder.value: [one.name.value for one in site.names] for site in plan.sites}


def certificates(plan: Plan) -> dict[str, str]:
    return {
        one.name.value: one.certificate.value.chain
        for site in plan.sites
        for one in site.names
        if one.certificate
    }


def test_a_site_is_served_under_its_folder_and_its_domains() -> None:
    sites: Sites = {
        "erp.example.com": {"domains": ["www.example.com", {"domain": "Shop.Example.com"}]},
        "crm.example.com": {"domains": ["crm.example.com"]},
        "plain": {},
        "other": {"domains": None},
    }
    assert names(make_plan(bench_files(WEB, sites=sites))) == {
        "erp.example.com": ["erp.example.com", "www.example.com", "shop.example.com"],
        "crm.example.com": ["crm.example.com"],
        "plain": ["plain"],
        "other": ["other"],
    }


@pytest.mark.pitfall("D-NG16")
def test_a_domain_claimed_by_two_sites_names_both_places() -> None:
    """D-NG16."""
    sites: Sites = {"a.com": {"domains": ["x.com"]}, "b.com": {"domains": ["X.com"]}}
    plan, found = try_plan(bench_files(WEB, sites=sites))
    assert plan is None
    [error] = [one for one in found if one.code == "PG640"]
    assert error.location
    assert error.location.file == "sites/b.com/site_config.json"
    assert error.related[0][1].file == "sites/a.com/site_config.json"


@pytest.mark.parametrize(
    "domain",
    ["a b.com", "a;b.com", "x.com;\n}", "http://x.com", "x.com/", "-x.com", "x..com", "$host", "*"],
)
def test_what_is_no_host_name_is_refused(domain: str) -> None:
    _, found = try_plan(bench_files(WEB, sites={"a.com": {"domains": [domain]}}))
    assert codes(found, Severity.ERROR) == ["PG641"]


@pytest.mark.parametrize(
    "domain", ["x.com", "*.x.com", "10.0.2.15", "my_site.local", "xn--e1afmkfd.test"]
)
def test_ordinary_names_are_taken(domain: str) -> None:
    plan = make_plan(bench_files(WEB, sites={"a.com": {"domains": [domain]}}))
    assert names(plan) == {"a.com": ["a.com", domain]}


def test_certificates_of_a_site_and_of_one_domain() -> None:
    own: dict[str, object] = {
        "domain": "x.com",
        "ssl_certificate": "/x",
        "ssl_certificate_key": "/xk",
    }
    sites: Sites = {
        "a.com": {**PAIR, "domains": [own, "y.com"]},
        "b.com": {"domains": [own | {"domain": "z.com"}]},
    }
    assert certificates(make_plan(bench_files(WEB, sites=sites))) == {
        "a.com": "/c.pem",
        "x.com": "/x",
        "y.com": "/c.pem",
        "z.com": "/x",
    }


@pytest.mark.pitfall("D-NG13")
def test_a_wildcard_certificate_covers_one_label() -> None:
    """D-NG13: not x.y.example.com."""
    common = {"wildcard": {"domain": "*.example.com", **PAIR}}
    sites: Sites = {"a.example.com": {}, "a.b.example.com": {}, "example.com": {}}
    assert list(certificates(make_plan(bench_files(WEB, common, sites=sites)))) == ["a.example.com"]


@pytest.mark.parametrize(
    ("common", "site", "megabytes"),
    [({}, {}, 50), ({"max_file_size": 10}, {}, 50), ({"max_file_size": 200 * 1024**2}, {}, 201),
     ({"max_file_size": 200 * 1024**2}, {"max_file_size": 100 * 1024**2}, 101)],
)  # fmt: skip
@pytest.mark.pitfall("10")
def test_the_largest_body(
    common: dict[str, object], site: dict[str, object], megabytes: int
) -> None:
    """Row 10."""
    [made] = make_plan(bench_files(WEB, common, sites={"a.com": site})).sites
    assert made.largest_body.value == megabytes * 1024**2


def test_a_broken_site_is_left_out_with_a_warning_and_the_others_stay() -> None:
    files = bench_files(WEB, sites={"a.com": {}})
    broken = SiteFolder("b.com", Source("sites/b.com/site_config.json", '{"db_name": }'))
    files = files._replace(sites=(*files.sites, broken))
    plan, found = try_plan(files)
    assert plan
    assert list(names(plan)) == ["a.com"]
    [warning] = [one for one in found if one.code.startswith("PG3")]
    assert "b.com is left out" in warning.help


def test_a_folder_that_frappe_takes_for_no_site_is_left_out() -> None:
    plan, found = try_plan(bench_files(WEB, sites={"my site": {}, "a.com": {}}))
    assert plan
    assert list(names(plan)) == ["a.com"]
    assert codes(found, Severity.WARNING) == ["PG642"]


def test_ports_instead_of_names() -> None:
    sites: Sites = {"a.com": {}, "b.com": {"nginx_port": "8001"}}
    plan = make_plan(bench_files(WEB, sites=sites))
    assert [site.port.value for site in plan.sites] == [80, 8001]


def test_no_sites_yet_is_normal(tmp_path: Path) -> None:
    plan, found = try_plan(bench_files(WEB))
    assert plan
    assert plan.sites == ()
    assert codes(found) == []


@pytest.mark.parametrize("name", ["-x.com", "a..b", f"{'a' * 64}.com", "x_", "." * 3])
def test_a_folder_that_is_no_host_name_is_left_out_and_the_others_stay(name: str) -> None:
    plan, found = try_plan(bench_files(WEB, sites={name: {"domains": ["b.com"]}, "a.com": {}}))
    if name == "x_":  # Frappe, browsers and nginx take an underscore
        assert plan
        assert list(names(plan)) == ["a.com", "x_"]
        return
    assert plan
    assert list(names(plan)) == ["a.com"]
    assert codes(found) == ["PG642"]
