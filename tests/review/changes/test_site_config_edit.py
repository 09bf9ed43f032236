"""The production keys are changed in place, and back, and nothing else is touched."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.plan.core.model import Plan
from prodgen.review.changes.site_config_edit import (
    former_keys,
    hook_of,
    missing_keys,
    needs_hook,
    production_keys,
    with_keys,
)
from tests.support.plans import bench_files, make_plan
from tests.support.reviewed import PROCFILE, plan_with

PROGRAM = "/opt/prodgen/bin/prodgen"
TEXTS = [
    "",
    "{}",
    "{ }\n",
    '{"a": 1}',
    '{\n "a": 1,\n "b": {"c": [1, 2]}\n}\n',
    '{\r\n\t"restart_supervisor_on_update": false,\r\n\t"z": "é"\r\n}',
    '{"restart_systemd_on_update": true}',
    '{"b": 1, "restart_systemd_on_update": true, "a": 1}',
]
KEYS = {"restart_supervisor_on_update": True, "restart_systemd_on_update": False}
VALUES = st.none() | st.booleans() | st.text(max_size=8)


@pytest.mark.parametrize("text", TEXTS)
def test_the_keys_are_set_and_the_rest_stays(text: str) -> None:
    before = json.loads(text) if text.strip() else {}
    assert json.loads(with_keys(text, KEYS)) == before | KEYS


@pytest.mark.parametrize("text", [text for text in TEXTS if text not in ("", "{}", "{ }\n")])
def test_the_way_back_is_the_same_bytes(text: str) -> None:
    former = former_keys(text, KEYS)
    assert with_keys(with_keys(text, KEYS), former) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=6) | st.sampled_from(sorted(KEYS)), JSON, max_size=5),
    st.dictionaries(st.sampled_from(sorted(KEYS)) | st.text(max_size=3), VALUES, max_size=3),
    st.sampled_from([None, 0, 1, "\t"]),
)
def test_any_object_and_any_keys(
    data: dict[str, object], keys: dict[str, bool | str | None], indent: int | str | None
) -> None:
    text = json.dumps(data, indent=indent)
    wanted = {**data, **keys}
    for key, value in keys.items():
        if value is None:
            del wanted[key]
    changed = with_keys(text, keys)
    assert json.loads(changed) == wanted


def test_what_is_right_already_is_not_missing() -> None:
    assert missing_keys('{"restart_supervisor_on_update": true}', KEYS) == {}
    assert missing_keys('{"restart_systemd_on_update": true}', KEYS) == KEYS
    assert missing_keys("[1]", KEYS) == {}
    assert missing_keys("{", KEYS) == {}


@pytest.mark.pitfall("D-SD4")
def test_each_manager_has_its_flag() -> None:
    plan = plan_with()
    assert production_keys(plan) == KEYS
    by_systemd = make_plan(bench_files(PROCFILE, {"restart_systemd_on_update": True}))
    assert production_keys(by_systemd)["restart_systemd_on_update"] is True


def test_from_frappe_16_systemd_needs_no_flag() -> None:
    """It fails `bench update --restart-systemd` upstream, and links are right without it."""
    files = bench_files(PROCFILE, {"restart_systemd_on_update": True}, frappe="16.4.1")
    assert production_keys(make_plan(files))["restart_systemd_on_update"] is False


HOOK = f"sudo -n {PROGRAM} restart -C /home/frappe/frappe-bench"


def by_pool() -> Plan:
    plan = plan_with()
    groups = plan.supervisor.groups
    options = plan.supervisor._replace(groups=type(groups)("pool", groups.origin))
    return plan._replace(supervisor=options)


def test_bench_calls_prodgen_where_that_works() -> None:
    for plan in (plan_with(), by_pool()):
        assert production_keys(plan, HOOK) == {**KEYS, "supervisor_restart_cmd": HOOK}
        assert production_keys(plan) == KEYS
    assert needs_hook(by_pool())
    assert not needs_hook(plan_with())


@pytest.mark.parametrize(
    ("found", "stays"),
    [
        ("supervisorctl restart all", True),
        ("/opt/deploy.sh", True),
        ("/opt/prodgen/bin/prodgen restart -C /home/frappe/frappe-bench", False),
        ("sudo -n '/opt/a b/prodgen' restart -C /home/x", False),
        ("", False),
    ],
)
def test_a_hook_of_somebody_else_s_stays(found: str, stays: bool) -> None:
    text = json.dumps({"supervisor_restart_cmd": found})
    assert hook_of(text) == found
    assert ("supervisor_restart_cmd" not in production_keys(plan_with(), HOOK, text)) == stays
    assert production_keys(by_pool(), HOOK, text)["supervisor_restart_cmd"] == HOOK
