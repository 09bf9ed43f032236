"""A process manager that does what a test has scripted (prodgen/deploy/managers/core/base.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from prodgen.deploy.managers.core.base import Process, State

Hook = Callable[[str], None]


def processes_of(services: Iterable[Any], *, pids: Iterable[int] = ()) -> list[Process]:
    """A running process for each instance of the services, with these pids or without one."""
    numbers = iter(pids)
    return [
        Process(
            name=f"g:{one.name.value}-{number}",
            service=one,
            number=number,
            state=State.UP,
            word="running",
            pid=next(numbers, 0),
        )
        for one in services
        for number in range(one.instances.value)
    ]


class FakeManager:
    """Keeps the processes and every verb that it was told; hooks say what comes of one."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.found = {one.name: one for one in processes}
        self.calls: list[tuple[str, str]] = []
        self.on_start: Hook = lambda name: self.put(name, state=State.UP, word="running")
        self.on_stop: Hook = lambda name: self.put(name, state=State.DOWN, word="stopped", pid=0)
        self.on_restart: Hook = lambda name: self.put(name, pid=self.found[name].pid + 1)
        self.on_look: Callable[[], None] = lambda: None

    def put(self, name: str, **changes: Any) -> None:
        """Changes what is known of a process."""
        self.found[name] = replace(self.found[name], **changes)

    def told(self, verb: str) -> list[str]:
        """The processes that a verb was said of, in order."""
        return [name for said, name in self.calls if said == verb]

    def look(self) -> list[Process]:
        self.on_look()
        return list(self.found.values())

    def loaded(self) -> dict[str, dict[str, object]]:
        return {}

    def start(self, names: Sequence[str]) -> None:
        self._each("start", names, self.on_start)

    def stop(self, names: Sequence[str]) -> None:
        self._each("stop", names, self.on_stop)

    def restart(self, names: Sequence[str], patience: float) -> None:
        assert patience > 0
        self._each("restart", names, self.on_restart)

    def _each(self, verb: str, names: Sequence[str], hook: Hook) -> None:
        for name in names:
            self.calls.append((verb, name))
            hook(name)
