"""What depends on which process manager runs a bench: one Protocol, which each folder below
`managers` implements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from prodgen.deploy.managers.core.base import Process, ProcessManager
from prodgen.deploy.managers.core.log_line import LogLine
from prodgen.deploy.privilege.restart_right import RestartRight
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.trial import Trial
from prodgen.host.door import Door
from prodgen.host.run_as import Identity
from prodgen.plan.core.model import Plan, Service
from prodgen.targets.core.file_set import FileSet


class Backend(Protocol):
    """One kind of process manager. Each method may raise DeployError.

    `supervisor_config` is what the option of that name says.
    """

    daemon: str
    """The name of its process."""
    is_asked_as_root: bool
    """Whether an ordinary user may not even look, unless somebody allows it."""

    def connect(self, plan: Plan, supervisor_config: Path | None, /) -> ProcessManager:
        """The manager that runs the bench, ready to be asked."""

    def config_file(self, plan: Plan, service: Service, /) -> PurePosixPath:
        """The installed file that a service runs by."""

    def runs_as_installed(self, one: Process, loaded: Mapping[str, object], text: str, /) -> bool:
        """Whether a process runs by its file's text, though the file is newer.

        `loaded` is what the manager has read of the process's config.
        """

    def log_links(self, plan: Plan, /) -> Mapping[str, PurePosixPath]:
        """The log files that the names in the bench's `logs/` shall lead to."""

    def journal(
        self, plan: Plan, names: Sequence[str], tail: int, follow: bool, /
    ) -> Iterator[LogLine]:
        """The last lines of processes that write to no file and, to `follow`, what is added."""

    def last_words(self, plan: Plan, name: str, count: int, /) -> list[str]:
        """The last lines of a process that writes to no file."""

    def change(self, activation: Activation, /) -> None:
        """Makes what runs follow the new files: stops, restarts and starts what the effects say."""

    def stop(self, activation: Activation, /) -> None:
        """Ends all of the bench, since another manager takes over, or none does."""

    def forget(self, activation: Activation, /) -> None:
        """Unloads config that was removed, after its processes have ended."""

    def start_at_boot(self) -> None:
        """Starts what the files say that an early step of the boot has put right."""

    def running(
        self, plan: Plan, names: Sequence[str], supervisor_config: Path | None, /
    ) -> set[str]:
        """Those of the groups or units that run, as a review names them."""

    def goes_on(self, plan: Plan, theirs: FileSet, new: FileSet, /) -> frozenset[str]:
        """Groups or units of others' files that need no restart where ours take their place."""

    def test_config(self, trial: Trial, /) -> Iterator[str]:
        """What the manager says against new files of its own, in its own words."""

    def reads_secrets(self, plan: Plan, service: Service, /) -> bool:
        """Whether the manager reads the service's file of secrets itself, as root."""

    def control_socket(self, supervisor_config: Path | None, /) -> str:
        """The path of the socket that gives whoever may use it all of the manager's programs."""

    def restart_right(
        self, plan: Plan, door: Door, supervisor_config: Path | None, /
    ) -> RestartRight:
        """How the bench's owner may restart it, and the command for bench that does so."""

    def lets_restart(
        self, plan: Plan, user: Identity, processes: Sequence[Process], right: RestartRight, /
    ) -> bool | None:
        """Whether the manager lets the user restart without sudo; None if that cannot be seen."""
