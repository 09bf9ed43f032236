"""New files are in place: what runs is told, in the least disturbing way that the impact names."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.supervisor import activate as activate_supervisor
from prodgen.deploy.managers.supervisor.core.rpc import Rpc, find_server
from prodgen.deploy.managers.systemd import activate as activate_systemd
from prodgen.deploy.managers.systemd.control import control
from prodgen.deploy.session.activation import Activation
from prodgen.host.programs import run
from prodgen.plan.core.model import Manager

NGINX_PID = Path("/run/nginx.pid")
ROOMS = {Manager.SUPERVISOR: activate_supervisor, Manager.SYSTEMD: activate_systemd}


def activate(work: Activation) -> None:
    """Stops what goes, changes what changes, starts what comes, and reloads nginx last.

    Raises DeployError where a manager cannot be reached.
    """
    manager = work.context.plan.manager.value
    for name, room in ROOMS.items():
        if work.of(name.value) and (name is not manager or work.ends(name)):
            room.stop(work)
    if work.of(manager.value) and not work.ends(manager):
        ROOMS[manager].change(work)
    if work.of("nginx"):
        _reload_nginx(work)


def _reload_nginx(work: Activation) -> None:
    """nginx reads its config anew; no connection is cut."""
    asked = run(("systemctl", "is-active", "--quiet", "nginx.service"))
    if asked.code == 0:
        done = run(("systemctl", "reload", "nginx.service"), timeout=120)
    elif _runs(NGINX_PID):
        done = run(("nginx", "-s", "reload"), timeout=120)
    else:
        work.say("note", "nginx does not run: start it with `systemctl start nginx`")
        return
    if done.code != 0:
        work.fail(f"nginx did not reload: {done.reason}")
    else:
        work.say("reloaded", "nginx reads its new config")


def forget_removed(activation: Activation, targets: Collection[str]) -> None:
    """Has the managers forget files of theirs that went away, once nothing of them runs."""
    if Manager.SYSTEMD.value in targets:
        run((*control(activation.context.plan, os.geteuid()), "daemon-reload"))
    if Manager.SUPERVISOR.value in targets:
        with contextlib.suppress(DeployError):
            Rpc(find_server(activation.supervisor_config)).call("reloadConfig")


def _runs(pid_file: Path) -> bool:
    """Whether the process that a pid file names is there."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return False
    return Path(f"/proc/{pid}").is_dir()
