"""The manager: each of its services is a `sleep`, whose pid is in a file."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from prodgen.deploy.managers.core.base import Process, ProcessManager, State, running_services
from prodgen.deploy.managers.core.log_line import LogLine
from prodgen.deploy.privilege.restart_right import RestartRight, Way
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.backend import Backend
from prodgen.deploy.session.trial import Trial
from prodgen.deploy.system import procfs
from prodgen.host.door import Door
from prodgen.host.run_as import Identity, as_child, identity_named
from prodgen.plan.core.model import Plan, Service
from prodgen.targets.core.effects import Action
from prodgen.targets.core.file_set import FileSet
from tests.support.runit.render import run_file

STATE = "RUNIT_STATE"
"""The variable that names the folder of the pids."""


class Runit:
    """The services of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.folder = Path(os.environ[STATE])

    def _pid(self, name: str) -> int:
        try:
            pid = int((self.folder / name).read_text())
        except (OSError, ValueError):
            return 0
        return pid if procfs.stat(pid) else 0

    def look(self) -> list[Process]:
        return [self._process(one) for one in running_services(self.plan)]

    def _process(self, service: Service) -> Process:
        name = service.name.value
        pid = self._pid(name)
        state, word = (State.UP, "run") if pid else (State.DOWN, "down")
        return Process(name=name, service=service, state=state, word=word, pid=pid)

    def loaded(self) -> Mapping[str, Mapping[str, object]]:
        return {}

    def start(self, names: Sequence[str]) -> None:
        who = identity_named(self.plan.user.value)
        assert who is not None
        for name in names:
            child = subprocess.Popen(
                ("sleep", "600"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                **as_child(who),
            )
            (self.folder / name).write_text(str(child.pid))

    def stop(self, names: Sequence[str]) -> None:
        for name in names:
            if pid := self._pid(name):
                os.kill(pid, signal.SIGTERM)
            (self.folder / name).unlink(missing_ok=True)

    def restart(self, names: Sequence[str], _patience: float) -> None:
        self.stop(names)
        self.start(names)


class RunitBackend:
    """What depends on it."""

    daemon = "runsvdir"
    is_asked_as_root = False

    def connect(self, plan: Plan, _supervisor_config: Path | None) -> ProcessManager:
        return Runit(plan)

    def config_file(self, _plan: Plan, service: Service) -> PurePosixPath:
        return run_file(service)

    def runs_as_installed(self, _one: Process, _loaded: Mapping[str, object], _text: str) -> bool:
        return False

    def log_links(self, _plan: Plan) -> Mapping[str, PurePosixPath]:
        return {}

    def journal(
        self, _plan: Plan, names: Sequence[str], _tail: int, _follow: bool
    ) -> Iterator[LogLine]:
        return (LogLine(name, "svlogd has this line") for name in names)

    def last_words(self, _plan: Plan, name: str, _count: int) -> list[str]:
        return [f"the last words of {name}"]

    def change(self, activation: Activation) -> None:
        manager = activation.manager()
        manager.stop([one.subject for one in activation.of("runit", Action.STOP)])
        manager.start([one.subject for one in activation.of("runit", Action.START)])
        manager.restart([one.subject for one in activation.of("runit", Action.RESTART)], 30)

    def stop(self, activation: Activation) -> None:
        Runit(activation.context.plan).stop([one.subject for one in activation.of("runit")])

    def forget(self, _activation: Activation) -> None:
        """Nothing: a folder that is gone is forgotten."""

    def start_at_boot(self) -> None:
        """Nothing: runsvdir starts later."""

    def running(
        self, plan: Plan, names: Sequence[str], _supervisor_config: Path | None
    ) -> set[str]:
        return {one.name for one in Runit(plan).look() if one.pid and one.name in names}

    def goes_on(self, _plan: Plan, _theirs: FileSet, _new: FileSet) -> frozenset[str]:
        return frozenset()

    def test_config(self, trial: Trial) -> Iterator[str]:
        for path, content in trial.written("runit"):
            if not content.startswith(b"#!"):
                yield f"{path} is no program"

    def reads_secrets(self, _plan: Plan, _service: Service) -> bool:
        return False

    def control_socket(self, _supervisor_config: Path | None) -> str:
        return ""

    def restart_right(
        self, _plan: Plan, _door: Door, _supervisor_config: Path | None
    ) -> RestartRight:
        return RestartRight(Way.NONE)

    def lets_restart(
        self, _plan: Plan, _user: Identity, _processes: Sequence[Process], _right: RestartRight
    ) -> bool | None:
        return False


BACKEND: Backend = RunitBackend()
