"""The file of secrets from the command line: checked where it is, else not needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import copy_bench, prodgen

FACTS = """\
host:
  path: /home/frappe/frappe-bench
  home: /home/frappe
  node: /usr/bin/node
  redis_server: /usr/bin/redis-server
"""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    return copy_bench(tmp_path / "frappe-bench")


@pytest.mark.parametrize("place", [".env", "config/secrets.env", "/absolute"])
def test_a_broken_line_is_named_without_its_value(bench: Path, place: str) -> None:
    path = str(bench / "secrets.env") if place == "/absolute" else place
    (bench / path).write_text("A=1\nDB_PASSWORD=hunter2 hunter2\n")
    (bench / "prodgen.yaml").write_text(f"env_file: {path}\n")
    for command in (("validate",), ("render",), ("plan", "--format", "json")):
        done = prodgen(*command, cwd=bench)
        assert done.code == 1
        assert "error[PG125]" in done.err
        assert f"{path}:2:13" in done.err
        assert "hunter2" not in done.all


def test_what_is_not_here_is_not_needed(bench: Path) -> None:
    (bench / "prodgen.yaml").write_text(f"{FACTS}env_file: /nowhere/secrets.env\n")
    outputs = []
    for _ in range(2):
        done = prodgen("render", "--locked", "-t", "supervisor", cwd=bench)
        assert done.code == 0, done.err
        assert "`prodgen validate` shows" in done.err  # PG609
        outputs.append(done.out)
        (bench / "prodgen.yaml").write_text(f"{FACTS}env_file: {bench}/secrets.env\n")
        (bench / "secrets.env").write_text("broken line: --locked looks at nothing outside\n")
    before, after = outputs
    assert after == before.replace("/nowhere/secrets.env", f"{bench}/secrets.env")


def test_the_output_does_not_depend_on_the_values(bench: Path) -> None:
    (bench / "prodgen.yaml").write_text(f"{FACTS}env_file: .env\n")
    outputs = set()
    for value in ("hunter2", "other"):
        (bench / ".env").write_text(f"DB_PASSWORD={value}\n")
        done = prodgen("render", "--locked", cwd=bench)
        assert done.code == 0, done.err
        assert "hunter2" not in done.all
        outputs.add(done.all)
        difference = prodgen("diff", "--root", bench, cwd=bench)
        assert "with-env.sh" in difference.out
        assert "hunter2" not in difference.all
    assert len(outputs) == 1
