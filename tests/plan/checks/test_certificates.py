"""What becomes of names whose certificate nginx cannot load."""

from __future__ import annotations

import pytest

from prodgen.host.facts import detected
from prodgen.plan.checks.certificates import leave_out, pairs_of, unchecked
from prodgen.provenance import Sourced
from tests.support.plans import FACTS, bench_files, make_plan

GOOD, BAD = ("/good.pem", "/good.key"), ("/bad.pem", "/bad.key")


def _with(pair: tuple[str, str], *domains: object) -> dict[str, object]:
    chain, key = pair
    return {"ssl_certificate": chain, "ssl_certificate_key": key, "domains": list(domains)}


PLAN = make_plan(
    bench_files(
        "web: bench serve\n",
        sites={
            "plain.test": {},
            "bad.test": _with(BAD),
            "good.test": _with(
                GOOD, {"domain": "x.test", "ssl_certificate": BAD[0], "ssl_certificate_key": BAD[1]}
            ),
        },
    )
)


@pytest.mark.pitfall("D-NG7")
def test_names_with_a_bad_certificate_are_left_out_and_no_others() -> None:
    assert sorted(pairs_of(PLAN)) == [BAD, GOOD]
    plan, found = leave_out(PLAN, {BAD: "the file is gone"})
    left = {one.folder.value: [name.name.value for name in one.names] for one in plan.sites}
    assert left == {"good.test": ["good.test"], "plain.test": ["plain.test"]}
    assert [one.code for one in found] == ["PG644", "PG644"]
    assert all("the file is gone" in one.message and one.location for one in found)


def test_good_certificates_change_nothing() -> None:
    assert leave_out(PLAN, {}) == (PLAN, [])


def test_those_of_another_machine_are_mentioned_once() -> None:
    (only,) = unchecked(PLAN)
    assert only.message.startswith("2 certificates not looked at")
    assert unchecked(make_plan(bench_files("web: bench serve\n", sites={"a.test": {}}))) == []


@pytest.mark.pitfall("14")
def test_a_kernel_without_ipv6_is_not_asked_to_listen_there() -> None:
    def ipv6(has: bool) -> bool:
        facts = FACTS._replace(ipv6=Sourced(has, detected(has, "kernel")))
        return make_plan(bench_files("web: bench serve\n"), facts).nginx.ipv6.value

    assert ipv6(has=True)
    assert not ipv6(has=False)
