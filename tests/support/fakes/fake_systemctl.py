"""systemctl(1) in memory: units with their properties, and every command that was run."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence

from prodgen.host.programs import Done

SHOWN = {"show", "list-units"}
"""Verbs that change nothing."""


class FakeSystemctl:
    """Stands in for `run`. What is stopped is inactive at once, unless a hook says otherwise."""

    def __init__(self, *units: str) -> None:
        self.units = {unit: {"ActiveState": "active", "MainPID": "0"} for unit in units}
        self.done: list[str] = []
        """Each command that changes something: the verb, its options, and its units."""
        self.fails: dict[str, str] = {}
        """What a verb fails with."""
        self.on_stop: Callable[[str], None] = lambda unit: self.put(unit, ActiveState="inactive")

    def put(self, unit: str, **properties: str) -> None:
        """Changes properties of a unit, or makes one."""
        self.units[unit] = {**self.units.get(unit, {}), **properties}

    def __call__(self, argv: Sequence[str], **_: object) -> Done:
        words = list(argv)
        if words[0] != "systemctl":
            self.done.append(" ".join(words))
            return Done(tuple(argv), 0, "", "")
        words = [word for word in words[1:] if word not in ("--no-ask-password", "--no-pager")]
        verb, rest = words[0], words[1:]
        if verb not in SHOWN:
            self.done.append(" ".join(word for word in words if word not in ("--", "--no-block")))
        if verb in self.fails:
            return Done(tuple(argv), 1, "", self.fails[verb])
        names = [word for word in rest if not word.startswith("-")]
        if verb == "stop":
            for unit in names:
                self.on_stop(unit)
        return Done(tuple(argv), 0, self._answer(verb, names), "")

    def _answer(self, verb: str, names: Sequence[str]) -> str:
        if verb == "show":
            found = {unit: self.units.get(unit, {"LoadState": "not-found"}) for unit in names}
            blocks = (
                "".join(f"{key}={value}\n" for key, value in {"Id": unit, **known}.items())
                for unit, known in found.items()
            )
            return "\n".join(blocks)
        if verb == "list-units":
            return "".join(
                f"{unit} loaded {known['ActiveState']} running What it is\n"
                for unit, known in self.units.items()
                if any(fnmatch.fnmatch(unit, pattern) for pattern in names)
            )
        return ""
