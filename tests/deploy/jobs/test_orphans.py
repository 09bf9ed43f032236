"""Work-horses that outlived their worker: those of this bench and of its owner, no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.deploy.jobs.orphans import Orphan, find_orphans
from prodgen.deploy.system import procfs
from prodgen.deploy.system.procfs import Stat
from prodgen.host.door import Door
from tests.support.owner import OWNER

DOOR = Door(Path("/home/frappe/frappe-bench"), OWNER)
SITES = "/home/frappe/frappe-bench/sites"
HORSE = ("python", "-m", "frappe.utils.bench_helper", "frappe", "worker", "--queue", "long")
INIT, HORSE_PID = 1, 50


class Host:
    """What /proc says of one process, whose parent is PID 1."""

    def __init__(self) -> None:
        self.others: list[Stat] = []
        self.parent = INIT
        self.words = list(HORSE)
        self.folder = SITES
        self.owner = OWNER.uid

    def everyone(self) -> list[Stat]:
        return [*self.others, Stat(HORSE_PID, "python", "S", self.parent, 0)]

    def found(self, managed: tuple[int, ...] = (), workers: tuple[int, ...] = ()) -> list[Orphan]:
        return find_orphans(DOOR, managed, workers)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """One with an orphan of the bench."""
    made = Host()
    monkeypatch.setattr(procfs, "everyone", made.everyone)
    monkeypatch.setattr(procfs, "words", lambda pid: made.words if pid == HORSE_PID else ["init"])
    monkeypatch.setattr(procfs, "folder", lambda _: made.folder)
    monkeypatch.setattr(procfs, "owner", lambda _: made.owner)
    monkeypatch.setattr(procfs, "started_at", lambda _: 7.0)
    return made


def test_one_whose_parent_is_gone(host: Host) -> None:
    assert host.found() == [Orphan(HORSE_PID, "long", 7.0)]


@pytest.mark.parametrize("name", ["systemd", "tini", "docker-init"])
def test_one_that_init_or_a_user_s_systemd_has_inherited(host: Host, name: str) -> None:
    host.parent = 40
    host.others = [Stat(40, name, "S", INIT, 0)]
    assert [one.pid for one in host.found()] == [HORSE_PID]


def test_a_process_of_another_user_is_none(host: Host) -> None:
    """Whoever may set its folder and its words: --end-orphans kills it with root's rights."""
    host.owner = OWNER.uid + 1
    assert host.found() == []


@pytest.mark.parametrize("folder", ["/home/frappe/other/sites", f"{SITES}/one.test", ""])
def test_one_of_another_bench_is_none(host: Host, folder: str) -> None:
    host.folder = folder
    assert host.found() == []


def test_what_is_no_worker_is_none(host: Host) -> None:
    host.words[4] = "schedule"
    assert host.found() == []


def test_who_has_somebody_is_none(host: Host) -> None:
    assert host.found(workers=(HORSE_PID,)) == []
    assert host.found(managed=(HORSE_PID,)) == []
    host.parent = 40
    host.others = [Stat(40, "python", "S", INIT, 0)]
    assert host.found() == []
