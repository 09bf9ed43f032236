"""What stands in the way of a change before anything of it is tried."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.apply.preflight import Change, refusals_of
from prodgen.deploy.system.other_benches import folders_in, namesakes
from prodgen.targets.core.file_set import Placed
from tests.support.reviewed import plan_with

INSTALLED = {
    "supervisor": "[program:x]\ncommand=/bin/true\ndirectory={}/sites\nuser=frappe\n",
    "systemd": "[Service]\nExecStart=/bin/true\nWorkingDirectory={}/sites\n",
}


def bench(folder: Path) -> Path:
    """A folder that passes for a bench."""
    (folder / "sites").mkdir(parents=True)
    (folder / "sites/common_site_config.json").write_text("{}")
    return folder


@pytest.mark.parametrize("manager", INSTALLED)
def test_another_bench_of_this_name_keeps_its_config(tmp_path: Path, manager: str) -> None:
    other = bench(tmp_path / "frappe-bench")
    text = INSTALLED[manager].format(other)
    old = {PurePosixPath("/etc/x.conf"): Placed(text, manager)}
    found, _ = refusals_of(Change(plan_with(), [], [], old, {}, is_planned=False), tmp_path)
    told = [one for one in found if f"the bench {other} is called frappe-bench too" in one.message]
    assert len(told) == 1
    assert "bench_name" in told[0].help


@pytest.mark.parametrize("manager", INSTALLED)
def test_a_bench_may_replace_its_own_and_what_is_left_of_one_that_is_gone(
    tmp_path: Path, manager: str
) -> None:
    plan = plan_with()
    own = INSTALLED[manager].format(plan.bench.value)
    gone = INSTALLED[manager].format(tmp_path / "gone")
    assert not namesakes(plan, folders_in(own + gone))
