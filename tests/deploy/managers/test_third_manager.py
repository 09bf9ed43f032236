"""A third manager is a folder on each side and the lines of the recipe, and mypy asks for them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.command import COMMAND, Done, copy_bench, prodgen
from tests.support.owner import OWNER, give
from tests.support.runit import recipe
from tests.support.runit.backend import STATE

SETTINGS = f"version: 1\nmanager: runit\nuser: {OWNER.name}\n"


class Toy(NamedTuple):
    """A prodgen that knows the third manager, and a bench that it runs."""

    package: Path
    bench: Path
    state: Path

    def run(self, *words: str | Path, command: Sequence[str] = COMMAND) -> Done:
        """What the command says, called where nobody else can put modules in its way."""
        env = {"PYTHONPATH": str(self.package), STATE: str(self.state)}
        return prodgen(*words, cwd=self.package, env=env, command=command)

    def on_bench(self, name: str, *words: str | Path) -> Done:
        """What one of the commands says of the bench."""
        return self.run(name, "-C", self.bench, *words)

    def pid(self, service: str) -> int:
        return int((self.state / f"frappe-bench-{service}").read_text())


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of prodgen that follows the recipe."""
    made = recipe.copy_prodgen(tmp_path_factory.mktemp("prodgen"))
    recipe.follow(made)
    return made


@pytest.fixture
def toy(package: Path, ground: Path) -> Iterator[Toy]:
    """Nothing runs yet; what does at the end is ended."""
    bench = copy_bench(ground / "frappe-bench")
    (bench / "prodgen.yaml").write_text(SETTINGS)
    give(bench)
    state = ground / "state"
    state.mkdir()
    yield Toy(package, bench, state)
    for file in state.iterdir():
        os.kill(int(file.read_text()), signal.SIGKILL)


pytestmark = pytest.mark.process


def test_its_target_takes_one_line(ground: Path) -> None:
    package = recipe.copy_prodgen(ground / "prodgen")
    recipe.follow(package, [recipe.TARGET])
    toy = Toy(package, copy_bench(ground / "frappe-bench"), ground)
    done = toy.on_bench("render", "-t", "runit", "-o", ground / "out")
    assert done.code == 0, done
    assert list((ground / "out").glob("runit/*/run"))
    assert "## runit" in (ground / "out/README.md").read_text()
    assert toy.on_bench("diff", "-t", "runit").code == 0


def test_it_plans(toy: Toy) -> None:
    done = toy.on_bench("plan", "--format", "json")
    assert done.code == 0, done
    assert json.loads(done.out)["manager"]["value"] == "runit"
    assert "under runit" in toy.on_bench("plan", "--format", "svg").out


def test_it_renders(toy: Toy) -> None:
    done = toy.on_bench("render", "-o", toy.state.parent / "out")
    assert done.code == 0, done
    out = toy.state.parent / "out"
    run = (out / "runit/frappe-bench-frappe-schedule/run").read_text()
    assert f"exec chpst -u {OWNER.name} env " in run
    readme = (out / "README.md").read_text()
    assert "## runit" in readme
    assert "    ln -s /etc/sv/frappe-bench-frappe-schedule /etc/service/" in readme
    assert "-m 0755 runit/frappe-bench-frappe-schedule/run /etc/sv/" in readme
    assert (out / "gunicorn/gunicorn.conf.py").exists(), "a companion of every manager"
    assert "runit" in toy.run("targets").out
    assert toy.run("verify", out).code == 0


def test_it_diffs(toy: Toy) -> None:
    out = toy.state.parent / "out"
    assert toy.on_bench("render", "-o", out).code == 0
    (toy.bench / "prodgen.yaml").write_text(
        f"{SETTINGS}web: {{threads: 7}}\nenv: {{A: b}}\nprocesses: {{schedule: false}}\n"
    )
    done = toy.on_bench("diff", "--against", out, "--format", "json")
    assert done.code == 0, done
    steps = {
        name: (one["action"], [each["key"] for each in one["settings"]])
        for one in json.loads(done.out)["steps"]
        if one["target"] == "runit"
        for name in one["subjects"]
    }
    assert steps["frappe-bench-frappe-schedule"] == ("stop", [])
    action, keys = steps["frappe-bench-frappe-web"]
    assert action == "restart"
    assert {"exec", "threads"} <= set(keys), "its own file, and one that it reads at its start"


def test_what_runs_is_seen_and_restarts(toy: Toy) -> None:
    """`restart` ends and starts the process itself; `status` and `logs` know their way."""
    status = json.loads(toy.on_bench("status", "--format", "json").out)
    assert {one["up"] for one in status["services"]} == {0}
    done = toy.on_bench("restart", "scheduler")
    assert done.code == 0, done
    first = toy.pid("frappe-schedule")
    assert toy.on_bench("restart", "scheduler").code == 0
    assert toy.pid("frappe-schedule") != first
    assert not Path(f"/proc/{first}").exists() or _is_dead(first)
    said = toy.on_bench("logs", "scheduler").out
    assert "svlogd has this line" in said
    assert "Supervisor" not in toy.on_bench("status").all


def _is_dead(pid: int) -> bool:
    """Whether it has ended, and only its parent has not looked."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


FOLLOW = """
import sys
from pathlib import Path
from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench, render_targets
from prodgen.deploy.apply.activate import activate
from prodgen.deploy.managers.registry import manager_of
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.review.core.file_sets import file_set_of
from prodgen.review.impact.impact import impact, running

outcome = plan_bench(Selection(Path(sys.argv[1])), locked=False, programs=())
plan = outcome.plan
new = file_set_of(render_targets(outcome, ["runit"]))

def follow(old, new):
    manager = manager_of(plan)
    wanted = frozenset(running(new))
    effects = impact(old, new)
    activate(Activation(BenchContext(plan), effects, print, lambda: manager, kept=wanted))
    print(sum(one.state.value == "up" for one in manager.look()), len(wanted))

follow({}, new)
follow(new, {})
"""


def test_what_runs_follows_new_files(toy: Toy) -> None:
    """What is new starts, and all of it ends where nothing is wanted any more."""
    done = toy.run(toy.bench, command=(sys.executable, "-c", FOLLOW))
    assert done.code == 0, done
    started, ended = ([int(one) for one in line.split()] for line in done.out.splitlines())
    assert started[0] == started[1] > 3
    assert ended == [0, 0]


def mypy(package: Path) -> list[str]:
    """The files in which mypy finds something, as often as it does."""
    files = ("prodgen/plan/core/model.py", "prodgen/deploy/managers/registry.py")
    words = [sys.executable, "-m", "mypy", *files, "prodgen/targets/registry.py", "tests"]
    env: Mapping[str, str] = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package)}
    done = subprocess.run(words, cwd=package, env=env, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    lines = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert all('"assert_never"' in line and "RUNIT" in line for line in lines), done.stdout
    return [line.partition(":")[0] for line in lines]


@pytest.mark.slow
def test_mypy_finds_what_a_new_manager_lacks(tmp_path: Path) -> None:
    package = recipe.copy_prodgen(tmp_path / "prodgen")
    recipe.follow(package, [recipe.MEMBER])
    assert mypy(package) == [recipe.TITLE.file, recipe.BACKEND.file]
    recipe.follow(package, [one for one in recipe.ALL if one is not recipe.MEMBER])
    assert mypy(package) == []
    shutil.rmtree(package)
