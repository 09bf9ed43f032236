"""`prodgen` alone: what it sees, and the next command to type."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prodgen.cli.command_list import COMMANDS
from tests.support.command import copy_bench, prodgen
from tests.support.plans import FIXTURES

CASES = sorted(folder.name for folder in FIXTURES.iterdir() if (folder / "frappe-bench").is_dir())


def next_command(text: str) -> str:
    return text.split("\nNext")[1].split("\n\n")[1].split()[1]


def test_in_a_bench_it_says_what_it_sees(tmp_path: Path) -> None:
    done = prodgen(cwd=copy_bench(tmp_path / "frappe-bench") / "sites")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert done.out.split()[:4] == ["Bench", "frappe-bench,", "in", str(tmp_path / "frappe-bench")]
    assert "Frappe       version 16.4.1, run as the user frappe" in lines
    assert (
        "Processes    10 under Supervisor: 2 Redis, 2 web, realtime, scheduler, 4 workers" in lines
    )
    assert "Sites        crm.example.com, erp.example.com" in lines
    assert next_command(done.out) == "plan"


def test_a_bench_with_errors_is_to_be_validated() -> None:
    done = prodgen(cwd=FIXTURES / "unknown-queue/frappe-bench")
    assert (done.code, next_command(done.out)) == (0, "validate")
    assert re.search(r"^Files +1 error; ", done.out, re.MULTILINE)


def test_an_installed_bench_is_compared_first(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    settings = (
        f"version: 1\nmanager: systemd\nhost: {{home: {tmp_path}}}\nsystemd: {{scope: user}}\n"
    )
    (bench / "prodgen.yaml").write_text(settings)
    state = tmp_path / ".local/state/prodgen/frappe-bench"
    state.mkdir(parents=True)
    assert next_command(prodgen(cwd=bench).out) == "plan"
    (state / "manifest.json").write_text("{}")
    done = prodgen(cwd=bench)
    assert next_command(done.out) == "diff"
    assert "Installed    by prodgen" in done.out


def test_outside_it_says_what_a_bench_is(tmp_path: Path) -> None:
    done = prodgen(cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "A bench is the folder that `bench init` makes" in done.out


@pytest.mark.parametrize("case", CASES)
def test_it_fits_80_columns_and_has_no_colour(case: str, tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench", case)
    done = prodgen(cwd=bench)
    assert done.code == 0
    assert "\x1b" not in done.out
    assert [
        line for line in done.out.splitlines() if len(line) > 80 and str(bench) not in line
    ] == []
    typed = re.findall(r"^  prodgen (\w+)", done.out, re.MULTILINE)
    assert typed
    assert set(typed) <= set(COMMANDS)
