"""supervisord's XML-RPC interface in memory (prodgen/deploy/managers/supervisor/core/rpc.py)."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from typing import Any

from prodgen.deploy.managers.supervisor.core.rpc import BAD_NAME, Rpc, Server


class FakeSupervisord(Rpc):
    """Programs by `group:name`. What is stopped has ended at once, unless a hook says otherwise."""

    def __init__(self, *names: str) -> None:  # no connection
        self.server = Server("unix:///run/supervisor.sock")
        self.states = dict.fromkeys(names, "RUNNING")
        self.pids = dict.fromkeys(names, 0)
        self.differs: tuple[list[str], list[str], list[str]] = ([], [], [])
        """What `reloadConfig` finds: groups added, changed and removed."""
        self.done: list[str] = []
        self.faults: dict[str, xmlrpc.client.Fault] = {}
        self.on_stop: Callable[[str], None] = lambda name: self.states.update({name: "STOPPED"})

    def call(self, method: str, *given: Any) -> Any:
        if method == "getAllProcessInfo":
            return [self._info(name) for name in self.states]
        self.done.append(" ".join([method, *(str(one) for one in given if one is not False)]))
        if method in self.faults:
            raise self.faults[method]
        if method == "reloadConfig":
            return [list(self.differs)]
        return self._act(method, str(given[0]))

    def _act(self, method: str, subject: str) -> bool:
        members = [one for one in self.states if one == subject or one.startswith(f"{subject}:")]
        if method in ("stopProcess", "stopProcessGroup"):
            for name in members:
                if self.states[name] != "STOPPED":
                    self.on_stop(name)
        elif method == "removeProcessGroup":
            if not members:
                raise xmlrpc.client.Fault(BAD_NAME, f"BAD_NAME: {subject}")
            assert {self.states[one] for one in members} <= {"STOPPED", "EXITED", "FATAL"}
            for name in members:
                del self.states[name]
        return True

    def _info(self, name: str) -> dict[str, Any]:
        group, _, process = name.partition(":")
        state = self.states[name]
        return {"group": group, "name": process, "statename": state, "pid": self.pids[name]}
