"""systemd, of the machine or of a user, as the process manager of a bench."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from prodgen.deploy.managers.core.base import Process, ProcessManager
from prodgen.deploy.managers.core.log_line import LogLine
from prodgen.deploy.managers.systemd import activate, journal
from prodgen.deploy.managers.systemd.control import Systemd, control, parse_show, show_command
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.backend import Backend
from prodgen.host.programs import run
from prodgen.plan.core.model import Plan, Service
from prodgen.targets.systemd.units import SYSTEM_FOLDER, USER_FOLDER, unit_file


class SystemdBackend:
    """What depends on systemd. It says of a unit itself whether its file is newer."""

    daemon = "systemd"
    is_asked_as_root = False

    def connect(self, plan: Plan, _supervisor_config: Path | None) -> ProcessManager:
        return Systemd(plan)

    def config_file(self, plan: Plan, service: Service) -> PurePosixPath:
        folder = plan.home.value / USER_FOLDER if plan.is_of_user else SYSTEM_FOLDER
        return folder / unit_file(service)

    def runs_as_installed(self, _one: Process, _loaded: Mapping[str, object], _text: str) -> bool:
        return False

    def log_links(self, _plan: Plan) -> Mapping[str, PurePosixPath]:
        return {}

    def journal(
        self, plan: Plan, names: Sequence[str], tail: int, follow: bool
    ) -> Iterator[LogLine]:
        return journal.read_journal(names, tail, follow=follow, user=plan.is_of_user)

    def last_words(self, plan: Plan, name: str, count: int) -> list[str]:
        return journal.last_words(name, count, user=plan.is_of_user)

    def change(self, activation: Activation) -> None:
        activate.change(activation)

    def stop(self, activation: Activation) -> None:
        activate.stop(activation)

    def forget(self, activation: Activation) -> None:
        run((*control(activation.context.plan, os.geteuid()), "daemon-reload"))

    def start_at_boot(self) -> None:
        run(("systemctl", "daemon-reload"))
        run(("systemctl", "start", "--no-block", "multi-user.target"))

    def running(
        self, plan: Plan, names: Sequence[str], _supervisor_config: Path | None
    ) -> set[str]:
        shown = parse_show(run(show_command(control(plan, os.geteuid()), names)).out)
        return {unit for unit, one in shown.items() if one.get("ActiveState") == "active"}


BACKEND: Backend = SystemdBackend()
