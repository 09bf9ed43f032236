"""The workers restart: each is told once to end, finishes its job, and its successor starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.jobs.graceful_stop import kill_tree, resume_on_crash, terminate_when_idle
from prodgen.deploy.managers.core.base import STOP_SLACK, Process, State
from prodgen.deploy.queue.redis_client import RedisQueue, RedisUnavailable
from prodgen.deploy.session.events import Busy
from prodgen.deploy.session.session import POLL, Session, as_data
from prodgen.deploy.system import procfs

BIRTH_SECONDS = 60.0
"""For a successor to be known to Redis."""


@dataclass
class _Leaving:
    """The workers of one restart, by name, on their way."""

    told: dict[str, float] = field(default_factory=dict)
    """When each was told to end."""
    gone: dict[str, float] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)


class Workers:
    """One restart of some workers."""

    def __init__(
        self,
        session: Session,
        queue: RedisQueue,
        processes: Sequence[Process],
        force_kill: float | None = None,
    ) -> None:
        self.session = session
        self.queue = queue
        self.processes = {one.name: one for one in processes}
        self.force_kill = force_kill
        self.state = _Leaving()

    def restart(self, *, wait: bool) -> None:
        """Restarts them, idle ones first. Without `wait`, those at work are only told to end."""
        running = [one for one in self.processes.values() if one.pid]
        for one in self.processes.values():
            if not one.pid:
                self.session.say("starting", f"{one.short} did not run ({one.word}); it starts")
                self.session.manager.start([one.name])
                self.state.gone[one.name] = time.monotonic()
        self.session.touched = True
        with resume_on_crash([one.pid for one in running], self.session.context.door.owner):
            for one in self._idle_first(running):
                self._tell(one)
        if wait:
            self._await_end()
        else:
            self._mention_busy()

    def _idle_first(self, processes: Sequence[Process]) -> list[Process]:
        busy = {row.pid for row in self.session.workers() if row.is_busy}
        return sorted(processes, key=lambda one: one.pid in busy)

    def _tell(self, one: Process) -> None:
        """One SIGTERM, unless it has had one: a second one would kill its job."""
        rows = {row.pid: row for row in self.session.workers() if row.host == self.session.host}
        row = rows.get(one.pid)
        self.state.told[one.name] = time.monotonic()
        if row and row.told:
            text = f"{one.short} has been told to end before; it is waited for"
            self.session.say("note", text, one.name)
            return
        try:
            told = terminate_when_idle(
                one.pid, row.name if row else "", self.queue, whose=self.session.whose
            )
        except RedisUnavailable:
            told = False
        if not told and procfs.stat(one.pid):
            self.session.fail(
                f"{one.short} could not be told to end at a safe moment; it goes on as it was",
                one.name,
            )
            del self.state.told[one.name]
            return
        self.session.say("told", f"{one.short} was told to end", one.name, **as_data(one))

    def _mention_busy(self) -> None:
        left = [self.processes[name] for name in self.state.told]
        for one in self.session.busy([one for one in left if procfs.stat(one.pid)]):
            text = f"{one.process} finishes its job {one.job} and restarts then"
            self.session.say("left", text, one.process, worker=one.as_json())

    def _await_end(self) -> None:
        """Waits for every job that runs, starts the successors, and waits for them."""
        while self.state.told or self.state.gone:
            self._note_ends()
            left = [self.processes[name] for name in self.state.told]
            busy = self.session.busy(left)
            self.session.waiting("their jobs to end", busy)
            self._enforce(busy)
            self._note_successors()
            if self.state.told or self.state.gone:
                time.sleep(POLL)
        self.session.waiting("", ())

    def _note_ends(self) -> None:
        """Starts the successor of each that has ended."""
        for name in list(self.state.told):
            if self._goes_on(self.processes[name].pid):
                continue
            del self.state.told[name]
            self.state.gone[name] = time.monotonic()
            try:
                self.session.manager.start([name])
            except DeployError as refusal:
                text = f"{name}: its manager starts it by itself ({refusal})"
                self.session.say("note", text, name)

    def _goes_on(self, pid: int) -> bool:
        """Whether a worker has not ended: its pid may be another user's process by now."""
        whose = self.session.whose
        return procfs.stat(pid) is not None and (whose is None or procfs.owner(pid) == whose)

    def _enforce(self, busy: Sequence[Busy]) -> None:
        """Gives up on, or kills, those whose time is over."""
        ends = {one.pid: one.latest_end for one in busy}
        for name in list(self.state.told):
            one, waited = self.processes[name], time.monotonic() - self.state.told[name]
            if self.force_kill is not None and waited > self.force_kill:
                if name not in self.state.killed:
                    text = f"{one.short} is killed, after {waited:.0f} s; its job is lost"
                    self.session.fail(text, name)
                    self.state.killed.add(name)
                kill_tree(one.pid, self.session.whose)
                continue
            latest = ends.get(one.pid)
            if latest is not None:
                over = time.time() > latest + STOP_SLACK
            else:
                over = waited > one.service.stop.value.seconds + STOP_SLACK
            if over:
                text = f"{one.short} is still at work after {waited:.0f} s; it restarts at its end"
                self.session.fail(text, name)
                del self.state.told[name]

    def _note_successors(self) -> None:
        """Notes the successors that have told Redis of themselves."""
        if not self.state.gone:
            return
        known = {row.pid for row in self.session.workers() if row.host == self.session.host}
        found = self.session.now(list(self.state.gone))
        for name, since in list(self.state.gone.items()):
            old, new = self.processes[name], found.get(name)
            if new and new.pid not in (0, old.pid) and new.pid in known:
                del self.state.gone[name]
                self.session.say("ready", f"{new.short} works anew", name, **as_data(new))
            elif time.monotonic() - since > BIRTH_SECONDS:
                del self.state.gone[name]
                word = f"{new.word} {new.last_exit}".strip() if new else State.MISSING.value
                self.session.fail(f"{old.short} did not come back: {word}", name)
