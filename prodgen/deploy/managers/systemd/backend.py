"""systemd, of the machine or of a user, as the process manager of a bench."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from prodgen.deploy.managers.core.base import Process, ProcessManager, State
from prodgen.deploy.managers.core.log_line import LogLine
from prodgen.deploy.managers.systemd import activate, config_test, journal
from prodgen.deploy.managers.systemd.control import (
    Systemd,
    control,
    parse_show,
    show_command,
    verb_command,
)
from prodgen.deploy.privilege.restart_right import RestartRight, Way
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.backend import Backend
from prodgen.deploy.session.trial import Trial
from prodgen.host.door import Door
from prodgen.host.programs import run
from prodgen.host.run_as import Identity
from prodgen.plan.core.model import Plan, Service
from prodgen.review.adopt.systemd.units import spared_units, units_of_bench
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.systemd.effects import units_in
from prodgen.targets.systemd.paths import manager_reads_secrets
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

    def goes_on(self, plan: Plan, theirs: FileSet, new: FileSet) -> frozenset[str]:
        known = units_of_bench(theirs, plan, new).known
        blocks = {name: one.block for name, one in known.items()}
        return frozenset(spared_units(blocks, units_in(new), plan))

    def test_config(self, trial: Trial) -> Iterator[str]:
        return config_test.test_config(trial)

    def reads_secrets(self, plan: Plan, service: Service) -> bool:
        return not plan.is_of_user and manager_reads_secrets(plan, service)

    def control_socket(self, _supervisor_config: Path | None) -> str:
        return ""

    def restart_right(
        self, _plan: Plan, _door: Door, _supervisor_config: Path | None
    ) -> RestartRight:
        return RestartRight(Way.NONE)

    def lets_restart(
        self, plan: Plan, user: Identity, processes: Sequence[Process], _right: RestartRight
    ) -> bool | None:
        up = [one.name for one in processes if one.state is State.UP]
        if plan.is_of_user:
            return True
        if not up or os.geteuid() not in (0, user.uid):
            return None
        # To start what is up changes nothing, yet asks polkit as a restart does.
        asked = run(verb_command(control(plan, user.uid), "start", up[:1]), who=user)
        return asked.code == 0


BACKEND: Backend = SystemdBackend()
