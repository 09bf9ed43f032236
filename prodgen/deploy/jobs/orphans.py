"""Work-horses that outlived their worker: they go on with a job that RQ no longer watches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from prodgen.deploy.system import procfs
from prodgen.deploy.system.procfs import Stat
from prodgen.host.door import Door
from prodgen.plan.core.python_module import BENCH_HELPER

REAPERS = frozenset({"systemd", "init", "tini", "dumb-init", "docker-init"})
"""Who inherits a process whose parent is gone, beside PID 1."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """One of them; `since` in seconds since the epoch."""

    pid: int
    queues: str
    since: float | None


def find_orphans(door: Door, managed: Iterable[int], workers: Collection[int]) -> list[Orphan]:
    """Those of the bench. `managed` are the processes of its manager, `workers` those of Redis."""
    every = procfs.everyone()
    kept = {pid for root in managed if root for pid in (root, *procfs.descendants(root, every))}
    names = {one.pid: one.name for one in every}
    found = []
    for one in every:
        if one.pid in kept or one.pid in workers or not _is_left_alone(one, names):
            continue
        words = procfs.words(one.pid)
        is_of_bench = procfs.folder(one.pid) == str(door.path / "sites")
        if is_worker(words) and is_of_bench and procfs.owner(one.pid) == door.owner.uid:
            found.append(Orphan(one.pid, queues_of(words), procfs.started_at(one.pid)))
    return found


def _is_left_alone(one: Stat, names: dict[int, str]) -> bool:
    return one.parent == 1 or names.get(one.parent, "") in REAPERS


def is_worker(words: Sequence[str]) -> bool:
    """Whether a command line is that of a worker; a work-horse has its worker's."""
    return any(BENCH_HELPER in word for word in words) and "worker" in words


def queues_of(words: Sequence[str]) -> str:
    """What follows `--queue`."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    return next((value for word, value in pairs if word == "--queue"), "")
