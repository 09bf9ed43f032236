"""Supervisor as the manager of a bench's processes."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prodgen.deploy.managers.core.base import (
    ManagerError,
    Process,
    State,
    instances_of,
    running_services,
)
from prodgen.deploy.managers.core.wait import await_stopped
from prodgen.deploy.managers.supervisor.core.rpc import ALREADY_STARTED, BAD_NAME, NOT_RUNNING, Rpc
from prodgen.deploy.system import procfs
from prodgen.plan.core.model import Plan, Service
from prodgen.targets.supervisor.groups import group_of

STATES = {
    "RUNNING": State.UP,
    "STARTING": State.STARTING,
    "BACKOFF": State.STARTING,
    "STOPPING": State.STOPPING,
    "STOPPED": State.DOWN,
    "EXITED": State.DOWN,
    "FATAL": State.FAILED,
    "UNKNOWN": State.FAILED,
}
POLL = 0.05


def expected_names(plan: Plan, service: Service) -> list[str]:
    """The processes of a service as its config names them (targets/supervisor/render.py)."""
    group, count, stem = group_of(plan, service), service.instances.value, service.name.value
    if count == 1:
        return [f"{group}:{stem}"]
    return [f"{group}:{stem}-{number}" for number in range(count)]


def as_process(name: str, service: Service, number: int, info: Mapping[str, Any]) -> Process:
    """The process as `getAllProcessInfo` describes it."""
    word = str(info.get("statename", ""))
    logs = (info.get("stdout_logfile"), info.get("stderr_logfile"))
    return Process(
        name=name,
        service=service,
        number=number,
        state=STATES.get(word, State.MISSING),
        word=word.lower() or State.MISSING.value,
        pid=int(info.get("pid", 0)),
        last_exit=_last_exit(info),
        logs=tuple(Path(log) for log in logs if log),
    )


def _last_exit(info: Mapping[str, Any]) -> str:
    """`exit 1`, `signal 9`, or why it could not be started."""
    if info.get("spawnerr"):
        return str(info["spawnerr"])
    status = int(info.get("exitstatus", 0))
    if status < 0:
        return f"signal {-status}"
    return f"exit {status}" if status else ""


class Supervisor:
    """The supervisord that an `Rpc` reaches, for the processes of one plan."""

    def __init__(self, plan: Plan, rpc: Rpc) -> None:
        self.plan = plan
        self.rpc = rpc

    def look(self) -> list[Process]:
        infos = {f"{one['group']}:{one['name']}": one for one in self.rpc.call("getAllProcessInfo")}
        found = []
        for service in running_services(self.plan):
            expected = expected_names(self.plan, service)
            stem = f"{group_of(self.plan, service)}:{service.name.value}"
            for number, name in enumerate(instances_of(stem, list(infos), expected)):
                found.append(as_process(name, service, number, infos.get(name, {})))
        return found

    def loaded(self) -> dict[str, Mapping[str, object]]:
        try:
            rows = self.rpc.call("getAllConfigInfo")
        except xmlrpc.client.Fault:  # before Supervisor 4
            return {}
        return {f"{row['group']}:{row['name']}": row for row in rows}

    def start(self, names: Sequence[str]) -> None:
        for name in names:
            self._ask("startProcess", name, ALREADY_STARTED)

    def stop(self, names: Sequence[str]) -> None:
        for name in names:
            self._ask("stopProcess", name, NOT_RUNNING)

    def _ask(self, method: str, name: str, harmless: int) -> None:
        try:
            self.rpc.call(method, name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == BAD_NAME:
                raise not_loaded(name) from fault
            if fault.faultCode != harmless:
                verb = method.removesuffix("Process")
                raise ManagerError(
                    "PG909",
                    f"Supervisor does not {verb} {name}: {fault.faultString}",
                    f"see what it wrote: supervisorctl tail {name} stderr",
                ) from fault

    def restart(self, names: Sequence[str], patience: float) -> None:
        self.stop(names)
        left = list(names)

        def start_stopped() -> list[str]:
            states = {one.name: one for one in self.look()}
            for name in list(left):
                one = states.get(name)
                if one is None or one.state is State.MISSING:
                    raise not_loaded(name)
                if one.state in (State.DOWN, State.FAILED) and not procfs.stat(one.pid or -1):
                    self.start([name])
                    left.remove(name)
            return left

        await_stopped(start_stopped, patience, POLL)


def not_loaded(name: str) -> ManagerError:
    """Supervisor has no such process."""
    return ManagerError(
        "PG908",
        f"Supervisor has loaded no {name}",
        "install the config that `prodgen render -t supervisor` makes, then `supervisorctl update`",
    )
