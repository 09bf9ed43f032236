"""What depends on which process manager runs a bench: one Protocol, which each folder below
`managers` implements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from prodgen.deploy.managers.core.base import Process, ProcessManager
from prodgen.deploy.managers.core.log_line import LogLine
from prodgen.deploy.session.activation import Activation
from prodgen.plan.core.model import Plan, Service


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
