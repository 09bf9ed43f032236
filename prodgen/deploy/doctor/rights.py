"""Checks of who may restart the bench: with sudo, by polkit, or through supervisord's socket."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.doctor.finding import Finding, bad, good, unknown, warn
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.managers.supervisor.core.rpc import owner_and_mode
from prodgen.deploy.privilege import sudo
from prodgen.deploy.privilege.restart_right import (
    RestartRight,
    can_restart,
    may_use,
    program_danger,
    program_words,
)
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.host.run_as import Identity
from prodgen.review.changes.site_config_edit import (
    FILE,
    RESTART_COMMAND,
    hook_of,
    is_own_hook,
    takes_hook,
)

CHECK = "rights"
ROOT_INSTALL = "install prodgen for root alone (docs/tutorial.md), and run doctor from there"
"""The way out if others can change prodgen."""
FOREIGN_HOOK = f"take {RESTART_COMMAND} out of {FILE}"


class NoLines(Exception):
    """sudo must not, or cannot, be given lines for this bench; `fix` is the way out."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


class Rights(NamedTuple):
    """What is known of the rights of the bench's user."""

    context: BenchContext
    user: Identity
    grants: list[sudo.Grant] | None
    """None if sudo does not tell us."""
    right: RestartRight
    hook_set: str
    """What bench runs now in place of supervisorctl."""

    @property
    def words(self) -> list[str]:
        """The command that sudo shall allow."""
        return sudo.restart_words(program_words(), self.context.door.path)

    @property
    def hook(self) -> str:
        """What bench shall run."""
        return shlex.join([sudo.sudo(), "-n", *self.words])

    @property
    def is_granted(self) -> bool:
        """Whether sudo allows it already."""
        return sudo.lets_run(self.grants or [], self.words)


def check_rights(
    context: BenchContext, processes: Sequence[Process], supervisor_config: Path | None
) -> Iterator[Finding]:
    """The bench's user may restart its bench, and nothing else."""
    rights = _rights(context, supervisor_config)
    if rights is None:
        return
    name, found = rights.user.name, sudo.open_clients(rights.grants or [])
    if found:
        yield _open_client(rights, found)
    may = _may_directly(rights, processes)
    if may or rights.is_granted:
        yield good(CHECK, f"{name} may restart the bench{'' if may else ' with sudo'}")
    elif may is None and rights.grants is None:
        yield unknown(CHECK, f"cannot tell whether {name} may restart the bench", "run it as root")
    elif not found:
        text = f"{name} may not restart the bench; the commands below let sudo run that, no more"
        yield _with_steps(warn, "PG959", CHECK, text, rights)
    if rights.is_granted and not found and rights.right.command and not rights.hook_set:
        yield warn("PG960", CHECK, "`bench restart` does not call prodgen yet", _apply(rights))


def check_socket(context: BenchContext, supervisor_config: Path | None) -> Iterator[Finding]:
    """supervisord's socket, which gives all programs of supervisord, is root's alone."""
    rights = _rights(context, supervisor_config)
    if rights is None:
        return
    try:
        path = backend_of(context.plan.manager.value).control_socket(supervisor_config)
        if not path:
            return
        may, mode = may_use(path, rights.user), Path(path).stat().st_mode
    except (DeployError, OSError):
        return
    text = f"supervisord's socket {path} is {owner_and_mode(path)}"
    close = f"chmod 0700 {shlex.quote(path)}; then chmod=0700 without chown= in [unix_http_server]"
    if mode & stat.S_IWOTH:
        text += ": everyone on this machine may run commands as root through it"
        yield _with_steps(bad, "PG961", "socket", text, rights, close)
    elif may:
        text += f": {rights.user.name} may stop and start every program of supervisord"
        yield _with_steps(warn, "PG962", "socket", text, rights, close)
    else:
        yield good("socket", text)


def _rights(context: BenchContext, supervisor_config: Path | None) -> Rights | None:
    """None where nobody must be given a right: other checks say why."""
    user = context.door.owner
    if user.is_root or not context.door.is_of(context.plan.user.value):
        return None
    backend = backend_of(context.plan.manager.value)
    right = backend.restart_right(context.plan, context.door, supervisor_config)
    try:
        hook = hook_of(context.door.read(FILE))
    except OSError:
        hook = ""
    return Rights(context, user, sudo.grants_of(user), right, hook)


def _open_client(rights: Rights, found: Sequence[str]) -> Finding:
    """sudo lets the user run supervisorctl, which runs what the current folder's config names."""
    text = (
        f"sudo lets {rights.user.name} run `{found[0]}`, and with it anything as root: "
        "supervisorctl obeys the supervisord.conf of the folder that it is called in"
    )
    if os.geteuid() != 0:
        return bad("PG958", CHECK, text, "run doctor as root: it shows how to take that back")
    return _with_steps(bad, "PG958", CHECK, text, rights, _removal(rights))


def _with_steps(
    grade: Callable[[str, str, str, str], Finding],
    code: str,
    check: str,
    text: str,
    rights: Rights,
    *last: str,
) -> Finding:
    """The finding, with all commands up to prodgen's restart by sudo, and `last`."""
    try:
        return grade(code, check, text, " && ".join([*_steps(rights), *last]))
    except NoLines as no:
        return grade(code, check, f"{text}; but {no}", no.fix)


def _steps(rights: Rights) -> list[str]:
    """The commands by which sudo and bench call prodgen's restart, as far as they are missing.

    bench can restart after each of them what it could before. Raises NoLines.
    """
    install = _install(rights)
    if not takes_hook(rights.context.plan):
        return [install]
    if not can_restart():
        raise NoLines("prodgen has no client of Redis", "install prodgen with its extra `restart`")
    hook = [] if rights.hook_set == rights.hook else [_apply(rights)]
    if hook and rights.hook_set and not is_own_hook(rights.hook_set):
        hook.insert(0, FOREIGN_HOOK)
    return [*hook, install] if rights.is_granted else [install, *hook]


def _install(rights: Rights) -> str:
    """The command that installs the lines. Raises NoLines."""
    try:
        danger = program_danger()
        if danger:
            raise NoLines(f"sudo must not run this prodgen: {danger}", ROOT_INSTALL)
        lines = sudo.sudoers_lines(rights.user, program_words(), rights.context.door.path)
    except OSError as failure:
        text = f"sudo must not run a prodgen in {failure.filename}"
        raise NoLines(text, ROOT_INSTALL) from failure
    except ValueError as refused:
        way = "give the bench a path of letters, digits and . _ + - / alone"
        raise NoLines(str(refused), way) from refused
    name = rights.context.plan.bench_name.value
    return sudo.install_command(lines, sudo.sudoers_file(rights.user, name))


def _apply(rights: Rights) -> str:
    """Has bench call prodgen."""
    return shlex.join([*program_words(), "apply", "-C", str(rights.context.door.path)])


def _removal(rights: Rights) -> str:
    """Takes the lines for supervisorctl away."""
    former = Path(sudo.former_file(rights.context.plan.bench_name.value))
    try:
        is_ours = sudo.is_written_by_doctor(former.read_text("utf-8", "replace"), rights.user)
    except OSError:
        is_ours = False
    if is_ours:
        return f"rm {shlex.quote(str(former))}"
    return f"visudo -f the file that `grep -rl supervisorctl /etc/sudoers {sudo.FOLDER}` names"


def _may_directly(rights: Rights, processes: Sequence[Process]) -> bool | None:
    """Whether the manager lets the bench's user, without sudo; None if that cannot be seen."""
    plan = rights.context.plan
    backend = backend_of(plan.manager.value)
    return backend.lets_restart(plan, rights.user, processes, rights.right)
