"""Supervisor as the process manager of a bench."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import Process, ProcessManager
from prodgen.deploy.managers.core.log_line import LogLine
from prodgen.deploy.managers.supervisor import activate, config_test, loaded_config
from prodgen.deploy.managers.supervisor.control import Supervisor
from prodgen.deploy.managers.supervisor.core.rpc import Rpc, find_server
from prodgen.deploy.privilege.restart_right import RestartRight, right_to_restart
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.backend import Backend
from prodgen.deploy.session.trial import Trial
from prodgen.host.door import Door
from prodgen.host.run_as import Identity
from prodgen.plan.core.model import Plan, Service
from prodgen.review.adopt.supervisor.sections import spared_groups
from prodgen.review.core.parse import merged
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.supervisor import groups


class SupervisorBackend:
    """What depends on Supervisor. Every process of its writes to files."""

    daemon = "supervisord"
    is_asked_as_root = True  # its socket is root's

    def connect(self, plan: Plan, supervisor_config: Path | None) -> ProcessManager:
        return Supervisor(plan, Rpc(find_server(supervisor_config)))

    def config_file(self, plan: Plan, _service: Service) -> PurePosixPath:
        return groups.installed_file(plan)

    def runs_as_installed(self, one: Process, loaded: Mapping[str, object], text: str) -> bool:
        return loaded_config.runs_as_installed(one, loaded, text)

    def log_links(self, plan: Plan) -> Mapping[str, PurePosixPath]:
        return groups.log_links(plan)

    def journal(
        self, _plan: Plan, _names: Sequence[str], _tail: int, _follow: bool
    ) -> Iterator[LogLine]:
        return iter(())

    def last_words(self, _plan: Plan, _name: str, _count: int) -> list[str]:
        return []

    def change(self, activation: Activation) -> None:
        activate.change(activation)

    def stop(self, activation: Activation) -> None:
        activate.stop(activation)

    def forget(self, activation: Activation) -> None:
        with contextlib.suppress(DeployError):
            Rpc(find_server(activation.supervisor_config)).call("reloadConfig")

    def start_at_boot(self) -> None:
        """Nothing: supervisord reads its files when it starts, which is later."""

    def running(
        self, _plan: Plan, names: Sequence[str], supervisor_config: Path | None
    ) -> set[str]:
        infos = Rpc(find_server(supervisor_config)).call("getAllProcessInfo")
        down = {one["group"] for one in infos if one["statename"] != "RUNNING"}
        return {one["group"] for one in infos if one["group"] in names} - down

    def goes_on(self, plan: Plan, theirs: FileSet, new: FileSet) -> frozenset[str]:
        old, ours = merged(theirs, "supervisor"), merged(new, "supervisor")
        return frozenset(spared_groups(old, ours, plan.bench_name.value))

    def test_config(self, trial: Trial) -> Iterator[str]:
        return config_test.test_config(trial)

    def reads_secrets(self, _plan: Plan, _service: Service) -> bool:
        return False

    def control_socket(self, supervisor_config: Path | None) -> str:
        return find_server(supervisor_config).socket

    def restart_right(
        self, _plan: Plan, door: Door, supervisor_config: Path | None
    ) -> RestartRight:
        return right_to_restart(door, supervisor_config)

    def lets_restart(
        self, _plan: Plan, _user: Identity, _processes: Sequence[Process], right: RestartRight
    ) -> bool | None:
        return right.is_direct


BACKEND: Backend = SupervisorBackend()
