"""New files are in place: what runs is told, in the least disturbing way that the impact names."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from prodgen.deploy import activate_supervisor, activate_systemd
from prodgen.deploy.managed import ProcessManager, Refused
from prodgen.deploy.managers import manager_of
from prodgen.deploy.progress import Event, Report
from prodgen.deploy.restart import Result, Wishes, restart
from prodgen.deploy.subject import Subject
from prodgen.deploy.supervisor_rpc import Rpc, find_server
from prodgen.deploy.systemd import control
from prodgen.host.programs import run
from prodgen.plan.model import Manager, Role
from prodgen.review.impact import Action, Effect
from prodgen.review.why import Reasons

NGINX_PID = Path("/run/nginx.pid")


@dataclass
class Activation:
    """One apply after its files are in place."""

    subject: Subject
    effects: Sequence[Effect]
    report: Report
    supervisor_config: Path | None = None
    kept: frozenset[str] = frozenset()
    """What runs by the new config."""
    lock: int | None = None
    """The bench's, from `only_one`."""
    problems: tuple[str, ...] = ()

    def say(self, kind: str, text: str) -> None:
        """Reports one step."""
        self.report(Event(kind, text))

    def fail(self, text: str) -> None:
        """Reports what is wrong, and keeps it."""
        self.problems = (*self.problems, text)
        self.say("problem", text)

    def of(self, target: str, *actions: Action) -> list[Effect]:
        """The effects on a target, those of these actions if any are given."""
        found = [one for one in self.effects if one.target == target]
        return [one for one in found if not actions or one.action in actions]

    def run(self) -> None:
        """Stops what goes, changes what changes, starts what comes, and reloads nginx last.

        Raises Refused where a manager cannot be reached.
        """
        manager = self.subject.plan.manager.value
        for name, room in ROOMS.items():
            if self.of(name.value) and (name is not manager or self.ends(name)):
                room.stop(self)
        if self.of(manager.value) and not self.ends(manager):
            ROOMS[manager].change(self)
        if self.of("nginx"):
            self._reload_nginx()

    def ends(self, manager: Manager) -> bool:
        """Whether nothing is left for a manager to run."""
        busy = self.of(manager.value)
        return all(one.action in (Action.STOP, Action.REREAD) for one in busy) and not self.kept

    def manager(self) -> ProcessManager:
        """The manager of the new config."""
        return manager_of(self.subject.plan, self.supervisor_config)

    def restart(self, effects: Iterable[Effect], manager: ProcessManager) -> None:
        """Restarts the services behind the effects in the safe order; Redis by its manager."""
        names = self._services(effects)
        redis = {one.name.value for one in self.subject.plan.with_role(Role.CACHE, Role.QUEUE)}
        mine = [name for name in names if name in redis]
        others = [name for name in names if name not in redis]
        if mine:
            found = [one.name for one in manager.look() if one.service.name.value in mine]
            self.say("restarting", f"{', '.join(mine)} restarts; what uses it waits meanwhile")
            manager.restart(found, 90)
        if others:
            wishes = Wishes(parts=tuple(others))
            result: Result = restart(self.subject, manager, self.report, wishes, self.lock)
            self.problems = (*self.problems, *result.problems)

    def _services(self, effects: Iterable[Effect]) -> list[str]:
        """The names of the services behind some effects, each once."""
        reasons = Reasons(self.subject.plan)
        found = [reasons.service(effect) for effect in effects]
        return list(dict.fromkeys(one.name.value for one in found if one))

    def _reload_nginx(self) -> None:
        """nginx reads its config anew; no connection is cut."""
        asked = run(("systemctl", "is-active", "--quiet", "nginx.service"))
        if asked.code == 0:
            done = run(("systemctl", "reload", "nginx.service"), timeout=120)
        elif _runs(NGINX_PID):
            done = run(("nginx", "-s", "reload"), timeout=120)
        else:
            self.say("note", "nginx does not run: start it with `systemctl start nginx`")
            return
        if done.code != 0:
            self.fail(f"nginx did not reload: {done.reason}")
        else:
            self.say("reloaded", "nginx reads its new config")


def forget_removed(activation: Activation, targets: Collection[str]) -> None:
    """Has the managers forget files of theirs that went away, once nothing of them runs."""
    if Manager.SYSTEMD.value in targets:
        run((*control(activation.subject.plan, os.geteuid()), "daemon-reload"))
    if Manager.SUPERVISOR.value in targets:
        with contextlib.suppress(Refused):
            Rpc(find_server(activation.supervisor_config)).call("reloadConfig")


ROOMS = {Manager.SUPERVISOR: activate_supervisor, Manager.SYSTEMD: activate_systemd}


def _runs(pid_file: Path) -> bool:
    """Whether the process that a pid file names is there."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return False
    return Path(f"/proc/{pid}").is_dir()
