"""What a change restarts: nothing, one group, and what stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.targets.supervisor.groups import groups
from tests.live.supervisor.test_bench import by_pool
from tests.support.live.supervised import Figure, Supervised, commands_of, supervised

WORKERS = {"reports": {"timeout": 60}}


def changed_by_update(run: Supervised, before: dict[str, int]) -> set[str]:
    """The groups whose processes are others after `supervisorctl update`."""
    done = run.supervisor.ctl("update")
    assert done.returncode == 0, done.stdout
    run.wait_up()
    now = run.pids()
    return {name.partition(":")[0] for name in now if now[name] != before.get(name)}


@pytest.mark.matrix_cases("pypi")
@pytest.mark.parametrize("origin", ["debian", "pypi"])
def test_a_comment_restarts_nothing(ground: Path, origin: str, figure: Figure) -> None:
    with supervised(ground, commands=commands_of(origin)) as run:
        before = run.pids()
        run.edit = lambda text: f"; looked at on Monday\n{text}\n; the end\n"
        run.install()
        assert run.supervisor.ctl("reread").stdout == "No config updates to processes\n"
        assert run.supervisor.ctl("update").stdout == ""
        assert run.pids() == before
        figure(f"a comment: 0 of {len(before)} processes restarted")


@pytest.mark.matrix_cases("pypi")
@pytest.mark.pitfall("27")
@pytest.mark.parametrize("origin", ["debian", "pypi"])
def test_a_pool_of_its_own_restarts_alone(ground: Path, origin: str, figure: Figure) -> None:
    commands = commands_of(origin)
    with supervised(ground, change=by_pool, commands=commands, config={"workers": WORKERS}) as run:
        expected = {name: len(found) for name, found in groups(run.plan()).items()}
        assert {name.partition(":")[0] for name in run.pids()} == set(expected)
        before = run.pids()
        run.bench.set_config(workers={"reports": {"timeout": 90}})
        run.install()
        assert changed_by_update(run, before) == {run.group("frappe-reports-worker")}
        before = run.pids()
        run.bench.set_config(workers=None)
        run.install()
        assert changed_by_update(run, before) == set()
        gone = run.group("frappe-reports-worker")
        assert not [name for name in run.pids() if name.startswith(gone)]
        figure(f"one pool changed, one removed: none of the other {len(expected) - 1} groups moved")


def test_bench_groups_restart_as_one(ground: Path, figure: Figure) -> None:
    """What the impact must say of the default grouping; the web and Redis stay in either."""
    with supervised(ground, config={"workers": WORKERS}) as run:
        before = run.pids()
        run.bench.set_config(workers={"reports": {"timeout": 90}})
        plan = run.install()
        found = changed_by_update(run, before)
        assert found == {run.group("workers")}
        together = len(groups(plan)[run.group("workers")])
        figure(f"one pool changed: all {together} services of the workers' group restarted")
