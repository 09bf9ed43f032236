"""What nginx serves now and would no longer serve is known by its files."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from prodgen.review.impact.dropped_sites import dropped_names, is_served, served
from tests.support.reviewed import FileSet, plan_with, side

BOTH = side(plan_with(), "systemd")


def without(name: str) -> FileSet:
    """The side of a plan in which a site has no name left."""
    plan = plan_with()
    kept = tuple(site for site in plan.sites if site.folder.value != name)
    return side(plan._replace(sites=kept), "systemd")


def test_it_knows_what_is_served() -> None:
    assert {"one.example", "two.example"} <= served(BOTH)
    assert "two.example" not in served(without("two.example"))


def test_a_name_that_goes_is_found() -> None:
    found = dropped_names(plan_with(), BOTH, without("two.example"))
    assert [name.name.value for name in found] == ["two.example"]


@pytest.mark.parametrize(
    "new", [BOTH, {PurePosixPath("/etc/a"): next(iter(BOTH.values()))._replace(target="systemd")}]
)
def test_nothing_goes_where_all_stays_or_nginx_is_not_meant(new: FileSet) -> None:
    assert list(dropped_names(plan_with(), BOTH, new)) == []


def test_a_site_by_its_folder() -> None:
    assert is_served("two.example", BOTH)
    assert not is_served("two.example", without("two.example"))
    assert not is_served("wo.example", BOTH)
