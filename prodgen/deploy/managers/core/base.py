"""The processes of a bench as their manager knows them, and what every manager can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from prodgen.deploy.core.errors import DeployError
from prodgen.plan.core.model import Plan, Role, Service
from prodgen.targets.registry import load_target

STOP_SLACK = 30.0
"""Seconds beyond the stop time of a process, or the latest end of its job, before its end counts
as late: a manager kills what has not ended, and RQ writes down what its job came to."""


class State(Enum):
    """What a process is at."""

    UP = "up"
    STARTING = "starting"
    STOPPING = "stopping"
    DOWN = "down"
    FAILED = "failed"
    MISSING = "not loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process (or instance) of a service."""

    name: str
    """As its manager calls it: `group:name`, or a unit."""
    service: Service
    number: int = 0
    state: State = State.MISSING
    word: str = ""
    """The manager's own word for the state."""
    pid: int = 0
    user: str = ""
    """Whom its manager runs it as; empty where the manager does not say."""
    last_exit: str = ""
    """How it ended last, in words; empty where nobody knows."""
    starts: int = 0
    """How often it came back by itself, where its manager counts."""
    logs: tuple[Path, ...] = ()
    """Files that it writes to; none where its manager has a journal."""
    stale: str = ""
    """What of its configuration is newer than the process, in words."""

    @property
    def role(self) -> Role:
        return self.service.role.value

    @property
    def short(self) -> str:
        """The name without what its manager adds."""
        return self.name.rpartition(":")[2].removesuffix(".service")


BY_SUDO = (
    "run it as root; `prodgen doctor` shows the commands that let sudo restart this bench alone"
)
"""The way out for who may not restart a bench."""


class ManagerError(DeployError):
    """The manager would not, or could not be asked."""


def how_to_load(plan: Plan) -> str:
    """The way out where the manager has not loaded a process of the plan."""
    reread = load_target(plan.manager.value.value).reread
    return f"install what `prodgen render` makes{f', then run `{reread}`' if reread else ''}"


class TimedOut(Exception):
    """Something did not come true in its time."""


class ProcessManager(Protocol):
    """What Supervisor and systemd have in common. Each may raise ManagerError."""

    def look(self) -> list[Process]:
        """The processes of the plan, in its order, as they are now."""

    def loaded(self) -> Mapping[str, Mapping[str, object]]:
        """What it has read of each process's config, by name; empty for one that does not tell."""

    def start(self, names: Sequence[str]) -> None:
        """Begins to start what does not run; what runs is left alone."""

    def stop(self, names: Sequence[str]) -> None:
        """Begins to stop; each is killed after its stop time."""

    def restart(self, names: Sequence[str], patience: float) -> None:
        """Stops them and begins to start them anew; raises TimedOut after `patience` seconds."""


def instances_of(stem: str, present: Sequence[str], expected: Sequence[str]) -> list[str]:
    """The names that belong to a service: those expected, and loaded ones beside them.

    What the manager has loaded counts, since its configuration may be older than the plan.
    """
    extra = [name for name in present if _is_instance(stem, name) and name not in expected]
    known = [name for name in expected if name in present]
    found = [*known, *sorted(extra)]
    return found or list(expected)


def _is_instance(stem: str, name: str) -> bool:
    rest = name.removeprefix(stem)
    return name.startswith(stem) and (not rest or (rest[1:].isdigit() and rest[0] in "-@"))


def running_services(plan: Plan) -> list[Service]:
    """The services of which at least one process should run."""
    return [service for service in plan.services if service.instances.value > 0]
