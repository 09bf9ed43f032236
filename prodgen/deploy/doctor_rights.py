"""Checks of who may restart the bench: through supervisord's socket, polkit, or sudo."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from prodgen.deploy.doctor_secrets import open_folder
from prodgen.deploy.finding import Finding, bad, good, unknown, warn
from prodgen.deploy.groundwork import program
from prodgen.deploy.managed import Process, Refused, State
from prodgen.deploy.supervisor_rpc import find_server, owner_and_mode
from prodgen.deploy.systemd import control, verb_command
from prodgen.host.programs import run
from prodgen.host.run_as import identity_named
from prodgen.host.system_path import SYSTEM_PATH
from prodgen.plan.model import Manager, Plan, Role
from prodgen.targets.supervisor_groups import group_of

CHECK = "rights"
FOLDER = "/etc/sudoers.d"


def check_rights(
    plan: Plan, processes: Sequence[Process], supervisor_config: Path | None
) -> Iterator[Finding]:
    """The bench's user may restart its bench, be it with sudo."""
    user = plan.user.value
    may = _may_directly(plan, processes, supervisor_config)
    if may is None:
        yield unknown(CHECK, f"it cannot be seen whether {user} may restart the bench")
        return
    if may or _may_by_sudo(plan):
        yield good(CHECK, f"{user} may restart the bench{'' if may else ' with sudo'}")
        return
    owner = open_folder(Path(shlex.split(program())[0]))
    if owner:
        yield warn(
            CHECK,
            f"{user} may not restart the bench, and sudo must not run this prodgen: others than "
            f"root may write in {owner}",
            "install prodgen as root (pipx install --global), and run doctor from there",
        )
        return
    lines = sudoers_lines(plan, program())
    yield warn(
        CHECK,
        f"{user} may not restart the bench; sudo lets it run {len(lines)} commands and nothing "
        "else with these lines",
        f"printf '%s\\n' {shlex.join(lines)} | install -m 0440 /dev/stdin {sudoers_file(plan)} "
        "&& visudo -c",
    )


def sudoers_file(plan: Plan) -> str:
    """Its name; sudo skips names with a dot (sudoers(5), including other files)."""
    return f"{FOLDER}/prodgen-{re.sub('[^A-Za-z0-9_-]', '_', plan.bench_name.value)}"


def sudoers_lines(plan: Plan, prodgen: str) -> list[str]:
    """What the bench's user needs: prodgen's restart, and what `bench restart` calls with sudo
    (bench/bench.py, `reload`). Each is one command with all its arguments, and no wildcard."""
    start, bench = shlex.split(prodgen), ["-C", str(plan.bench.value)]
    commands = [[*start, "restart", *bench], [*start, "restart", "--migrate", *bench]]
    client = shutil.which("supervisorctl", path=SYSTEM_PATH)
    if plan.manager.value is Manager.SUPERVISOR and client:
        groups = {
            group_of(plan, one): None
            for one in plan.services
            if one.role.value not in (Role.CACHE, Role.QUEUE)
        }
        commands += [[client, "status"], *([client, "restart", f"{one}:"] for one in groups)]
    return [f"{plan.user.value} ALL=(root) NOPASSWD: {sudoers_command(one)}" for one in commands]


def sudoers_command(argv: Sequence[str]) -> str:
    """The command as sudoers(5) has it: special characters of names, arguments and patterns are
    escaped. A blank in an argument cannot be told from one between two."""
    return " ".join(re.sub(r"([\\,:=*?\[\]!#\"])", r"\\\1", word) for word in argv)


def _may_directly(
    plan: Plan, processes: Sequence[Process], supervisor_config: Path | None
) -> bool | None:
    """Whether its manager lets the bench's user; None where that cannot be seen."""
    user = plan.user.value
    if plan.manager.value is Manager.SUPERVISOR:
        try:
            path = find_server(supervisor_config).socket
            return may_use(path, user) if path else None
        except (Refused, OSError):
            return None
    who, up = identity_named(user), [one.name for one in processes if one.state is State.UP]
    if plan.systemd.scope.value == "user":
        return True
    if who is None or not up or os.geteuid() not in (0, who.uid):
        return None
    # To start what is up changes nothing, yet asks polkit as a restart does.
    asked = run(verb_command(control(plan, who.uid), "start", up[:1]), who=who)
    return asked.code == 0


def _may_by_sudo(plan: Plan) -> bool:
    argv = ["restart", "-C", str(plan.bench.value)]
    own = ["-U", plan.user.value] if os.geteuid() == 0 else []
    return run(["sudo", "-n", "-l", *own, *shlex.split(program()), *argv]).code == 0


def may_use(path: str, user: str) -> bool | None:
    """Whether a user may connect to a socket, by its mode; None for an unknown user."""
    who, found = identity_named(user), Path(path).stat()
    if who is None:
        return None
    mode = found.st_mode
    return bool(
        (who.uid == found.st_uid and mode & stat.S_IWUSR)
        or (found.st_gid in who.groups and mode & stat.S_IWGRP)
        or mode & stat.S_IWOTH
    )


def check_socket(plan: Plan, supervisor_config: Path | None) -> Iterator[Finding]:
    """The bench's user may restart its own bench through supervisord's socket."""
    if plan.manager.value is not Manager.SUPERVISOR:
        return
    try:
        path = find_server(supervisor_config).socket
        may = may_use(path, plan.user.value) if path else None
        mode = Path(path).stat().st_mode if path else 0
    except (Refused, OSError):
        return
    if may is None:
        return
    text = f"supervisord's socket {path} is {owner_and_mode(path)}"
    if not may:
        yield warn(
            "socket",
            f"{text}: {plan.user.value} may not restart its bench (`bench restart` fails)",
            f"in [unix_http_server]: chmod=0770 and chown=root:{plan.user.value}; then "
            "systemctl restart supervisor",
        )
    elif mode & stat.S_IWOTH:
        text += ": everyone on this machine may run commands as root through it"
        yield bad("socket", text, "in [unix_http_server]: chmod=0770")
    else:
        yield good("socket", text)
