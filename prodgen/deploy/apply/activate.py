"""New files are in place: what runs is told, in the least disturbing way that the impact names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.session.activation import Activation
from prodgen.host.programs import run
from prodgen.plan.core.model import Manager

NGINX_PID = Path("/run/nginx.pid")


def activate(work: Activation) -> None:
    """Stops what goes, changes what changes, starts what comes, and reloads nginx last.

    Raises DeployError where a manager cannot be reached.
    """
    manager = work.context.plan.manager.value
    for one in Manager:
        if work.of(one.value) and (one is not manager or work.ends(one)):
            backend_of(one).stop(work)
    if work.of(manager.value) and not work.ends(manager):
        backend_of(manager).change(work)
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
    """Unload removed config of these targets from their managers, once its processes have ended."""
    for one in Manager:
        if one.value in targets:
            backend_of(one).forget(activation)


def _runs(pid_file: Path) -> bool:
    """Whether the process that a pid file names is there."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return False
    return Path(f"/proc/{pid}").is_dir()
