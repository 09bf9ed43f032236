"""The hook for pre-commit: when it runs, and what it does then."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.support.command import copy_bench, prodgen
from tests.support.plans import ROOT

[HOOK] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("path", "is_wanted"),
    [
        ("Procfile", True),
        ("deploy/bench/Procfile", True),
        ("prodgen.yaml", True),
        ("sites/common_site_config.json", True),
        ("sites/erp.example.com/site_config.json", True),
        ("sites/apps.json", True),
        ("config/redis_queue.conf", True),
        ("apps/erpnext/erpnext/hooks.py", False),
        ("sites/erp.example.com/private/files/Procfile.pdf", False),
        ("NotAProcfile", False),
    ],
)
def test_it_runs_where_a_file_that_is_read_changes(path: str, is_wanted: bool) -> None:
    assert bool(re.search(HOOK["files"], path)) == is_wanted


def test_it_lets_a_good_bench_pass_and_no_bad_one(tmp_path: Path) -> None:
    program, *arguments = shlex.split(HOOK["entry"])
    assert (HOOK["id"], program, HOOK["pass_filenames"]) == ("prodgen-validate", "prodgen", False)
    bench = copy_bench(tmp_path / "bench")
    assert prodgen(*arguments, cwd=bench).all == ""
    (bench / "Procfile").write_text("web: bench serve\nx: bench worker --queue nobodys\n")
    done = prodgen(*arguments, cwd=bench)
    assert (done.code, "error[PG610]" in done.err) == (1, True)
