"""A secret under Supervisor: it reaches every process that may have it, and no other eye."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.restarting import load, prodgen
from tests.support.live.secrets import Planted, Watch, files_below, plant, said, stale
from tests.support.live.supervised import USER, Figure, Supervised, supervised
from tests.support.rig import procs
from tests.support.rig.place import HOST
from tests.support.rig.waiting import wait_for

SETTINGS = "env_file: .env\n"
REDIS = (Role.CACHE, Role.QUEUE)


def put(run: Supervised, planted: Planted) -> None:
    """The file as `prodgen doctor` wants it."""
    file = run.bench.file(".env")
    file.touch(0o600)
    os.chown(file, *HOST.owner(USER))
    file.write_text(planted.text)


def check(run: Supervised, planted: Planted) -> int:
    """Every process but Redis has it, the children too; how many there are."""
    redis = {one.name.value for one in run.plan().with_role(*REDIS)}
    count = 0
    for name, pid in run.pids().items():
        family = [pid, *procs.descendants(pid)]
        if name.partition(":")[2] in redis:
            assert "DB_PASSWORD" not in procs.environment(pid)
            continue
        assert [planted.has_arrived(one) for one in family] == [True] * len(family), name
        found = procs.read(pid)
        assert found
        assert found.ppid == run.supervisor.child.pid, "a shell stands in between"
        assert not procs.command(pid)[0].endswith("sh"), "the shell is still there"
        count += len(family)
    return count


def unseen(run: Supervised, planted: Planted) -> None:
    """No file, no output and no command line shows it."""
    files = files_of(run)
    assert len(files) > 10
    assert planted.seen_in(files) == []
    asked = (["status"], ["avail"], ["tail", f"{run.group('web')}:*", "stderr"])
    texts = [said(run), *(str(run.supervisor.ctl(*words)) for words in asked)]
    assert not planted.is_in("\n".join(texts))


def files_of(run: Supervised) -> list[Path]:
    """Every file that prodgen and Supervisor have made: config, logs, Supervisor's own log."""
    return files_below(Path("/etc/prodgen", run.name), run.logs, run.supervisor.config.parent)


def test_from_the_file_to_the_processes_and_nowhere_else(ground: Path, figure: Figure) -> None:
    old, new = plant(), plant()
    with supervised(ground, settings=SETTINGS, up=False) as run:
        _nothing_starts_without(run)
        put(run, old)
        run.wait_up(60)
        count = check(run, old)
        put(run, new)
        assert "env" in stale(run), "the processes are older than the file"
        with Watch(new) as watch, load(run) as clients:
            done = prodgen(run, "restart")
        assert done.code == 0, done
        run.wait_up()
        check(run, new)
        unseen(run, new)
        assert old.seen_in(files_of(run)) == []
    assert watch.seen == set()
    assert clients.result.failed == 0, clients.result
    figure(
        f"{count} processes have their secrets, {watch.looks} looks at all command lines during a "
        f"restart saw none; {clients.result}"
    )


def _nothing_starts_without(run: Supervised) -> None:
    """Redis alone is up, and each log says why."""
    services = [one for one in run.plan().services if one.role.value not in REDIS]
    logs = {one.log.value for one in services}
    for log in logs:
        wait_for(partial(_says_why, run, log), 20, f"{log} to say why")
    running = [name for name, each in run.processes().items() if each["statename"] == "RUNNING"]
    assert all("redis" in name for name in running), running


def _says_why(run: Supervised, log: str) -> bool:
    files = run.logs.glob(f"{log}*.error.log*")
    return any("is not there" in run.log_text(path.name) for path in files)


@pytest.mark.matrix
def test_a_fault_put_back_is_seen(ground: Path) -> None:
    """`environment=`, and an argument for a moment: the checks see what they are there to see."""
    planted = plant()

    def edit(text: str) -> str:
        text = text.replace("environment=", f"environment=DB_PASSWORD='{planted.password}',")
        first = "/bin/sh -c 'sleep 0.3; shift; exec \"$@\"' sh"
        return text.replace("command=", f"command={first} {planted.password} ")

    with supervised(ground, settings=SETTINGS, up=False, edit=edit) as run:
        with Watch(planted) as watch:
            put(run, planted)
            run.wait_up(60)
        with pytest.raises(AssertionError, match=r"supervisor"):
            unseen(run, planted)
    assert watch.seen
