"""How the bench's user may restart its bench, and the command that bench runs for it."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import prodgen
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.supervisor.core.rpc import find_server
from prodgen.deploy.privilege.sudo import grants_of, lets_run, restart_words, sudo
from prodgen.host.door import Door
from prodgen.host.programs import run
from prodgen.host.run_as import Identity
from prodgen.host.system_path import find_program
from prodgen.host.trust import Danger, danger_on_way


class Way(Enum):
    """How the bench's user gets to restart its bench under Supervisor."""

    SUDO = "with sudo"
    """By lines that give it prodgen's restart, without a password."""
    SOCKET = "through supervisord's socket"
    NONE = "not at all"
    UNKNOWN = "unknown"
    """We may not look."""


class RestartRight(NamedTuple):
    """The way, and the command that takes it; no command if there is none that works."""

    way: Way
    command: str = ""

    @property
    def is_direct(self) -> bool | None:
        """Whether no sudo is needed; None if that cannot be seen."""
        return None if self.way is Way.UNKNOWN else self.way is Way.SOCKET


def program_words() -> list[str]:
    """The words that call this prodgen, the first an absolute path.

    sudo finds a command by the path that was typed, so `sudo prodgen` needs the one on PATH.
    """
    beside = Path(sys.executable).with_name("prodgen")
    if not beside.exists():
        return [sys.executable, "-I", "-m", "prodgen"]
    on_path = find_program("prodgen")
    return [on_path if on_path and Path(on_path).samefile(beside) else str(beside)]


def program_danger() -> Danger | None:
    """What others than root could change of the prodgen that sudo would run. Raises OSError."""
    package = Path(prodgen.__file__).parent
    for path in (Path(program_words()[0]), Path(sys.executable), package):
        if danger := danger_on_way(path):
            return danger
    return None


def right_to_restart(door: Door, supervisor_config: Path | None) -> RestartRight:
    """How the bench's owner may restart it where Supervisor runs it.

    sudo's lines name no --supervisor-config, so they are of no use with one.
    """
    user = door.owner
    if user.is_root:
        return RestartRight(Way.NONE)
    words = restart_words(program_words(), door.path)
    grants = grants_of(user)
    if grants and not supervisor_config and lets_run(grants, words) and _can_be_roots():
        return RestartRight(Way.SUDO, _command([sudo(), "-n", *words]))
    by_socket = _socket_right(user, words, supervisor_config)
    if by_socket.way is Way.SOCKET or grants is not None:
        return by_socket
    return RestartRight(Way.UNKNOWN)


def _can_be_roots() -> bool:
    try:
        return program_danger() is None
    except OSError:
        return False


def can_restart() -> bool:
    """Whether this prodgen has the client of Redis that a restart needs."""
    return find_spec("redis") is not None


def _command(words: list[str]) -> str:
    """The words for bench, which splits them as a shell does and runs them without one."""
    return shlex.join(words) if can_restart() else ""


def _socket_right(user: Identity, words: list[str], supervisor_config: Path | None) -> RestartRight:
    try:
        path = find_server(supervisor_config).socket
        may = may_use(path, user) if path else None
    except (DeployError, OSError):
        return RestartRight(Way.UNKNOWN)
    if may is None:
        return RestartRight(Way.UNKNOWN)
    if not may:
        return RestartRight(Way.NONE)
    if os.geteuid() not in (0, user.uid):
        return RestartRight(Way.UNKNOWN)
    config = ["--supervisor-config", str(supervisor_config.absolute())] if supervisor_config else []
    runs = run([*program_words(), "--version"], who=user).code == 0
    return RestartRight(Way.SOCKET, _command([*words, *config]) if runs else "")


def may_use(path: str, user: Identity) -> bool:
    """Whether a user may connect to a socket, by its mode. Raises OSError."""
    found = Path(path).stat()
    mode = found.st_mode
    return bool(
        (user.uid == found.st_uid and mode & stat.S_IWUSR)
        or (found.st_gid in user.groups and mode & stat.S_IWGRP)
        or mode & stat.S_IWOTH
    )
