"""Root restarts only what runs, or would run, as the owner of the bench."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.privilege.belonging import require_own
from prodgen.host.door import Door
from prodgen.host.run_as import NOBODY, identity_of
from tests.support.reviewed import plan_with
from tests.support.rig.tools import need_root

pytestmark = pytest.mark.process

PLAN = plan_with()
BENCH = Door(Path("/home/frappe/frappe-bench"), identity_of(NOBODY))
NAME = "g:one"


def one(pid: int = 0, user: str = "") -> Process:
    return Process(name=NAME, service=PLAN.services[0], pid=pid, user=user)


def is_barred(process: Process, loaded: Mapping[str, object] | None = None) -> bool:
    try:
        require_own([process], {NAME: loaded} if loaded is not None else {}, BENCH, PLAN)
    except NotAdmitted as barred:
        return [found.code for found in barred.found] == ["PG824"]
    return False


@pytest.fixture(autouse=True)
def by_root() -> None:
    need_root("root's own rules")


@pytest.mark.parametrize(("uid", "barred"), [(NOBODY, False), (0, True), (1, True)])
def test_who_runs_it_now_counts_first(uid: int, barred: bool) -> None:
    with subprocess.Popen(["sleep", "60"], user=uid) as child:
        try:
            assert is_barred(one(child.pid, user="nobody"), {"uid": NOBODY}) is barred
        finally:
            child.kill()


@pytest.mark.parametrize(("user", "barred"), [("nobody", False), ("root", True), ("daemon", True)])
def test_what_is_down_is_of_whom_its_unit_names(user: str, barred: bool) -> None:
    assert is_barred(one(user=user)) is barred


@pytest.mark.parametrize(("uid", "barred"), [(NOBODY, False), (0, True), ("none", True)])
def test_what_is_down_is_of_whom_supervisor_has_loaded(uid: object, barred: bool) -> None:
    assert is_barred(one(), {"uid": uid}) is barred


def test_nobody_else_is_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1001)
    assert not is_barred(one(user="root"))
