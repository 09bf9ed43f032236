"""One apply after its files are in place: what every step of it has at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from prodgen.deploy.managers.core.base import ProcessManager
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.events import Event, Report
from prodgen.plan.core.model import Manager
from prodgen.targets.core.effects import Action, Effect


@dataclass
class Activation:
    """The effects of an apply on what runs, and the problems met so far."""

    context: BenchContext
    effects: Sequence[Effect]
    report: Report
    manager: Callable[[], ProcessManager]
    """Gives the manager of the new config; raises DeployError if it cannot be reached."""
    supervisor_config: Path | None = None
    kept: frozenset[str] = frozenset()
    """What runs by the new config."""
    lock: int | None = None
    """The bench's, from `bench_lock`."""
    problems: tuple[str, ...] = ()

    def say(self, kind: str, text: str) -> None:
        """Reports one step."""
        self.report(Event(kind, text))

    def fail(self, text: str) -> None:
        """Reports what is wrong, and keeps it."""
        self.problems = (*self.problems, text)
        self.say("problem", text)

    def of(self, target: str, *actions: Action) -> list[Effect]:
        """The effects on a target, those of these actions if any are given."""
        found = [one for one in self.effects if one.target == target]
        return [one for one in found if not actions or one.action in actions]

    def ends(self, manager: Manager) -> bool:
        """Whether nothing is left for a manager to run."""
        busy = self.of(manager.value)
        return all(one.action in (Action.STOP, Action.REREAD) for one in busy) and not self.kept
