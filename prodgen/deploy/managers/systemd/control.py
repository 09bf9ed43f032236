"""systemd as the manager of a bench's processes: systemctl(1), run without asking anybody."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from prodgen.deploy.managers.core.base import (
    BY_SUDO,
    ManagerError,
    Process,
    State,
    running_services,
)
from prodgen.deploy.managers.core.wait import await_stopped
from prodgen.host.programs import Done, run
from prodgen.plan.core.model import Plan, Service
from prodgen.targets.systemd.escape import escaped_name
from prodgen.targets.systemd.units import is_template, running_units

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "MainPID",
    "ExecMainCode",
    "ExecMainStatus",
    "Result",
    "NRestarts",
    "NeedDaemonReload",
    "InvocationID",
    "User",
)
STATES = {
    "active": State.UP,
    "reloading": State.UP,
    "activating": State.STARTING,
    "deactivating": State.STOPPING,
    "inactive": State.DOWN,
    "failed": State.FAILED,
}
KILLED = ("2", "3")
"""CLD_KILLED and CLD_DUMPED of `ExecMainCode`: the status is a signal."""
POLL = 0.1
DENIED = ("authentication", "Access denied", "Permission denied")


def control(plan: Plan, uid: int) -> tuple[str, ...]:
    """The systemctl of the manager that runs the bench, for the user `uid`."""
    own = ("systemctl", "--no-ask-password", "--no-pager")
    if plan.systemd.scope.value == "system":
        return own
    if uid == 0:
        return (*own, "--user", f"--machine={plan.user.value}@.host")
    return (*own, "--user")


def show_command(control: Sequence[str], units: Sequence[str]) -> tuple[str, ...]:
    """Asks for the state of units."""
    return (*control, "show", f"--property={','.join(PROPERTIES)}", "--", *units)


def list_command(control: Sequence[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """Asks which units of these patterns are loaded."""
    return (*control, "list-units", "--all", "--plain", "--no-legend", "--", *patterns)


def verb_command(control: Sequence[str], verb: str, units: Sequence[str]) -> tuple[str, ...]:
    """Begins to do something with units; nothing is waited for."""
    return (*control, verb, "--no-block", "--", *units)


def parse_show(text: str) -> dict[str, dict[str, str]]:
    """The properties by unit."""
    blocks = (
        dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
        for part in text.strip().split("\n\n")
    )
    return {block["Id"]: block for block in blocks if "Id" in block}


def as_process(unit: str, service: Service, number: int, found: Mapping[str, str]) -> Process:
    """The process as `systemctl show` describes it."""
    missing = found.get("LoadState", "not-found") != "loaded"
    active = found.get("ActiveState", "")
    return Process(
        name=unit,
        service=service,
        number=number,
        state=State.MISSING if missing else STATES.get(active, State.FAILED),
        word=State.MISSING.value if missing else _word(active, found.get("SubState", "")),
        pid=int(found.get("MainPID") or 0),
        user="" if missing else found.get("User") or "root",
        last_exit=_last_exit(found),
        starts=int(found.get("NRestarts") or 0),
        stale="its unit file" if found.get("NeedDaemonReload") == "yes" else "",
    )


def _word(active: str, sub: str) -> str:
    return sub if sub in ("running", "auto-restart", "exited") else active


def _last_exit(found: Mapping[str, str]) -> str:
    status = found.get("ExecMainStatus", "0")
    if found.get("ExecMainCode") in KILLED:
        return f"signal {status}"
    return f"exit {status}" if status not in ("", "0") else ""


class Systemd:
    """The systemd (the machine's, or the user's own) that runs the processes of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.control = control(plan, os.geteuid())
        self.log_files = plan.systemd.logs.value == "files"

    def look(self) -> list[Process]:
        units = self._units()
        said = self._run(show_command(self.control, [unit for unit, _, _ in units])).out
        found = parse_show(said)
        return [
            self._with_logs(as_process(unit, service, number, found.get(unit, {})))
            for unit, service, number in units
        ]

    def _units(self) -> list[tuple[str, Service, int]]:
        """The units that the plan expects, and instances of them that are loaded beside."""
        services = running_services(self.plan)
        patterns = [f"{escaped_name(one.name.value)}@*.service" for one in services]
        listed = self._run(list_command(self.control, patterns)).out
        loaded = [line.split()[0].lstrip("●") for line in listed.splitlines() if line.split()]
        found = []
        for service in services:
            expected = running_units(service)
            stem = f"{escaped_name(service.name.value)}@"
            extra = [unit for unit in loaded if unit.startswith(stem) and is_template(service)]
            names = [*expected, *sorted(set(extra) - set(expected))]
            found += [(unit, service, number) for number, unit in enumerate(names)]
        return found

    def _with_logs(self, one: Process) -> Process:
        if not self.log_files:
            return one
        from dataclasses import replace

        stem = self.plan.log_folder.value / one.service.log.value
        return replace(one, logs=(Path(f"{stem}.log"), Path(f"{stem}.error.log")))

    def loaded(self) -> dict[str, Mapping[str, object]]:
        return {}

    def start(self, names: Sequence[str]) -> None:
        if names:
            self._run(verb_command(self.control, "start", names))

    def stop(self, names: Sequence[str]) -> None:
        if names:
            self._run(verb_command(self.control, "stop", names))

    def restart(self, names: Sequence[str], patience: float) -> None:
        before = self._invocations(names)
        self._run(verb_command(self.control, "restart", names))
        left = set(names)

        def not_restarted() -> list[str]:
            now = self._invocations(names)
            left.intersection_update(
                name for name in left.copy() if now.get(name, "") in ("", before.get(name, ""))
            )
            return sorted(left)

        await_stopped(not_restarted, patience, POLL)

    def _invocations(self, names: Sequence[str]) -> dict[str, str]:
        """The id of each unit's present run; empty while it has none."""
        found = parse_show(self._run(show_command(self.control, names)).out)
        for name in names:
            if found.get(name, {}).get("LoadState", "not-found") != "loaded":
                raise not_loaded(name)
        return {
            name: one["InvocationID"] if one["ActiveState"] != "deactivating" else ""
            for name, one in found.items()
        }

    def _run(self, argv: Sequence[str]) -> Done:
        done = run(argv)
        if done.code != 0:
            raise self._refused(done)
        return done

    def _refused(self, done: Done) -> ManagerError:
        if any(word in done.err for word in DENIED):
            # No rule of polkit for manage-units by the unit's name: it gives stop, kill, bind and
            # set-property too, and the units of every bench whose name begins alike.
            return ManagerError("PG906", f"systemd does not let you: {done.reason}", BY_SUDO)
        if done.code == 127 or "bus" in done.err:
            return ManagerError(
                "PG910",
                f"systemd cannot be asked: {done.reason}",
                "run it where systemd is PID 1; for units of a user: loginctl enable-linger USER",
            )
        return ManagerError(
            "PG909", f"{' '.join(done.argv[:4])} …: {done.reason}", "see `journalctl -e` for more"
        )


def not_loaded(unit: str) -> ManagerError:
    """systemd has no such unit."""
    return ManagerError(
        "PG908",
        f"systemd has loaded no {unit}",
        "install the units that `prodgen render -t systemd` makes, then `systemctl daemon-reload`",
    )
