"""Whole processes, measured in turns: round by round, so that a busy machine slows all alike."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

MIB = 1024


class Contender(NamedTuple):
    """A command that is measured, in the folder it runs in."""

    name: str
    command: Sequence[str]
    folder: Path


class Sample(NamedTuple):
    """One run: seconds on the clock, seconds of CPU time, and the peak of memory in MiB."""

    wall: float
    cpu: float
    memory: float


class Failed(Exception):
    """A contender did not do its work; the text is its name and what it said."""


def run(contender: Contender) -> Sample:
    """One run of the whole process, its output thrown away."""
    start = time.perf_counter()
    process = subprocess.Popen(
        contender.command,
        cwd=contender.folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise Failed(f"{contender.name}: exit code {process.returncode}\n{said.decode()}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / MIB)


def rounds(contenders: Sequence[Contender], count: int) -> dict[str, list[Sample]]:
    """The samples of each contender by its name, after one round that only warms up."""
    for one in contenders:
        run(one)
    found: dict[str, list[Sample]] = {one.name: [] for one in contenders}
    for _ in range(count):
        for one in contenders:
            found[one.name].append(run(one))
    return found


def middle(samples: Sequence[Sample]) -> Sample:
    """The median of each figure."""
    return Sample(*(median(figures) for figures in zip(*samples, strict=True)))


class Ratio(NamedTuple):
    """How many times the other's figure ours is: the median of the rounds, and their spread."""

    median: float
    least: float
    most: float


def ratio(ours: Sequence[Sample], others: Sequence[Sample], figure: str) -> Ratio:
    """Ours to the other's, each round by itself; `figure` is wall, cpu or memory."""
    pairs = zip(ours, others, strict=True)
    found = [getattr(mine, figure) / getattr(other, figure) for mine, other in pairs]
    return Ratio(median(found), min(found), max(found))


def _environment() -> Mapping[str, str]:
    """Ours without what changes how Python starts; bench asks no registry for a newer bench."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return own | {"PYTHONPATH": str(Path(__file__).parents[1]), "FRAPPE_DOCKER_BUILD": "1"}
