"""`prodgen init`: a settings file that changes nothing, and that an editor could have written."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.support.command import copy_bench, prodgen


def rendered(bench: Path, *options: str) -> str:
    done = prodgen("render", "-t", "all", "-t", "systemd", "-C", bench, *options)
    assert done.code == 0, done.err
    return done.out


def test_a_bench_renders_the_same_with_it_as_without(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    before = rendered(bench)
    assert prodgen("init", "-C", bench).code == 0
    assert rendered(bench) == before
    assert rendered(bench, "--locked") == before


def test_every_example_in_it_can_be_switched_on(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    prodgen("init", "-C", bench)
    path = bench / "prodgen.yaml"
    lines = path.read_text().splitlines()
    switched_on = [
        line[2:] if line.startswith("# ") and ":" in line.split("#")[1] else line for line in lines
    ]
    keys = [line for line in switched_on if line and line[0].isalpha() and ": " in f"{line} "]
    assert len(keys) > 12
    assert yaml.safe_load(path.read_text())["host"]["path"] == str(bench)


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    path = bench / "prodgen.yaml"
    path.write_text("version: 1\n")
    done = prodgen("init", "-C", bench)
    assert (done.code, path.read_text()) == (1, "version: 1\n")
    assert "is there already" in done.err
    assert prodgen("init", "--overwrite", "-C", bench).code == 0
    assert "host:" in path.read_text()


def test_outside_a_bench_it_writes_nothing(tmp_path: Path) -> None:
    assert prodgen("init", cwd=tmp_path).code == 1
    assert list(tmp_path.iterdir()) == []
