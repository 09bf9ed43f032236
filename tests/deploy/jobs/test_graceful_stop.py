"""A worker is told to end once, at a moment when no job is in its hands; real signals."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.jobs import graceful_stop
from prodgen.deploy.jobs.graceful_stop import kill_tree, resume_on_crash, send, terminate_when_idle
from prodgen.deploy.queue.redis_client import Client, RedisUnavailable
from prodgen.deploy.system import procfs
from prodgen.host.run_as import Identity
from tests.support.accounts import needs_root
from tests.support.fakes.children import HEEDS, Children, await_state, state_of
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_redis import FakeQueue
from tests.support.faults import die, in_child
from tests.support.owner import OWNER, ROOT
from tests.support.rig.waiting import wait_for

PORT = 4000
POP = Client(id=3, port=PORT)
WHO = Identity(61001, 61001, (61001,), "alice", "/")
GONE = 4_000_000
"""No process has such a number (proc(5), pid_max)."""
RUNNING = ("S", "R")
ANOTHER = OWNER.uid + 1
"""The uid of somebody else."""


@pytest.fixture
def queue(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    """A Redis that shows each worker's pop: the child has one connection, from PORT."""
    monkeypatch.setattr(procfs, "local_ports", lambda _: {PORT})
    return FakeQueue()


def known(queue: FakeQueue, state: str) -> str:
    queue.put("w", state=state)
    return "w"


@pytest.mark.parametrize("state", ["busy", "suspended", "started"])
def test_one_whose_job_redis_knows_of_is_told_at_once(
    queue: FakeQueue, kids: Children, clock: FakeClock, state: str
) -> None:
    pid = kids.start()
    assert terminate_when_idle(pid, known(queue, state), queue)
    assert kids.awaited_signal_of(pid) == signal.SIGTERM
    assert "unblock" not in queue.asked
    assert clock.passed == 0


def test_an_idle_one_is_told_once_its_pop_has_been_ended(queue: FakeQueue, kids: Children) -> None:
    pid = kids.start()
    queue.popping = [Client(id=2, port=PORT + 1), POP]
    assert terminate_when_idle(pid, known(queue, "idle"), queue)
    assert queue.asked.count("unblock") == 1, "only its own pop"
    assert kids.awaited_signal_of(pid) == signal.SIGTERM


def test_one_with_a_job_in_hand_is_not_told_and_goes_on(
    queue: FakeQueue, kids: Children, clock: FakeClock
) -> None:
    pid = kids.start()
    queue.popping, queue.in_hand = [POP], {POP.id}
    assert not terminate_when_idle(pid, known(queue, "idle"), queue)
    assert clock.passed >= graceful_stop.PATIENCE
    await_state(pid, *RUNNING)
    assert kids.signal_of(pid) == 0


def test_a_job_in_hand_that_becomes_known_makes_it_safe(
    queue: FakeQueue, kids: Children, clock: FakeClock
) -> None:
    pid = kids.start()
    queue.popping, queue.in_hand = [POP], {POP.id}
    clock.after(1, lambda: queue.put("w", state="busy"))
    assert terminate_when_idle(pid, known(queue, "idle"), queue)
    assert 1 <= clock.passed < 1.1
    assert kids.awaited_signal_of(pid) == signal.SIGTERM


def test_a_pop_of_another_worker_says_nothing(queue: FakeQueue, kids: Children) -> None:
    pid = kids.start()
    queue.popping = [Client(id=2, port=PORT + 1)]
    assert not terminate_when_idle(pid, known(queue, "idle"), queue)
    assert "unblock" not in queue.asked
    assert kids.signal_of(pid) == 0


def test_what_comes_with_the_signal_is_done_while_it_is_held_still(
    queue: FakeQueue, kids: Children
) -> None:
    """Both signals come at once, so that RQ takes the second one for the first."""
    pid = kids.start(HEEDS)
    while not procfs.descendants(pid):
        pass
    seen: list[int] = []

    def then() -> None:
        seen.append(pid)
        await_state(pid, "T")

    assert terminate_when_idle(pid, known(queue, "busy"), queue, then)
    assert seen == [pid]
    assert kids.started[pid].wait(10) == 7


def test_it_goes_on_where_redis_goes_away_meanwhile(queue: FakeQueue, kids: Children) -> None:
    pid = kids.start()
    state = queue.state

    def lost(worker: str) -> str:
        await_state(pid, "T")
        queue.away = 1
        return state(worker)

    queue.state = lost  # type: ignore[method-assign]
    with pytest.raises(RedisUnavailable):
        terminate_when_idle(pid, known(queue, "idle"), queue)
    await_state(pid, *RUNNING)
    assert kids.signal_of(pid) == 0


def test_one_that_redis_has_lost_is_safe_while_its_horse_works(
    queue: FakeQueue, kids: Children
) -> None:
    pid = kids.start(("sh", "-c", "sleep 600; exit"))
    while not procfs.descendants(pid):
        pass
    queue.popping, queue.in_hand = [POP], {POP.id}
    [horse] = procfs.descendants(pid)
    assert terminate_when_idle(pid, "", queue)
    os.kill(horse, signal.SIGKILL)
    assert kids.awaited_signal_of(pid) == signal.SIGTERM


def test_one_that_is_gone(queue: FakeQueue) -> None:
    assert not terminate_when_idle(GONE, known(queue, "busy"), queue)


def over_a_unix_socket(queue: FakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.popping = [Client(id=3, port=0)]
    monkeypatch.setattr(procfs, "local_ports", lambda _: set())


def test_where_pops_cannot_be_told_apart_it_has_to_stay_idle(
    queue: FakeQueue, kids: Children, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    over_a_unix_socket(queue, monkeypatch)
    pid = kids.start()
    assert terminate_when_idle(pid, known(queue, "idle"), queue)
    assert clock.passed == pytest.approx(graceful_stop.CALM_SECONDS)
    assert kids.awaited_signal_of(pid) == signal.SIGTERM
    assert "unblock" not in queue.asked, "it could be anybody's"


def test_one_that_is_never_calm_is_not_told(
    queue: FakeQueue, kids: Children, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    over_a_unix_socket(queue, monkeypatch)
    pid, state = kids.start(), iter(["idle", ""] * 200)
    queue.state = lambda _: next(state)  # type: ignore[method-assign, assignment]
    assert not terminate_when_idle(pid, "w", queue)
    assert graceful_stop.PATIENCE <= clock.passed < 2 * graceful_stop.PATIENCE
    assert kids.signal_of(pid) == 0


def test_one_that_ends_while_its_calm_is_watched(
    queue: FakeQueue, kids: Children, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    over_a_unix_socket(queue, monkeypatch)
    pid = kids.start()
    kids.end(pid)
    assert not terminate_when_idle(pid, known(queue, "idle"), queue)
    assert clock.passed == 0


def test_without_any_pop_in_sight_its_calm_counts_in_the_end(
    queue: FakeQueue, kids: Children, clock: FakeClock
) -> None:
    """CLIENT LIST may be forbidden, and then it shows no pop at all."""
    pid = kids.start()
    assert terminate_when_idle(pid, known(queue, "idle"), queue)
    assert clock.passed > graceful_stop.PATIENCE
    assert kids.awaited_signal_of(pid) == signal.SIGTERM


def raises(kind: type[OSError]) -> Callable[[int, int], None]:
    def act(pid: int, number: int) -> None:
        raise kind

    return act


def test_whom_we_may_not_signal(kids: Children) -> None:
    pid = kids.start()
    with pytest.raises(DeployError, match=f"may not send signals to process {pid}") as refused:
        send(pid, signal.SIGTERM, raises(PermissionError))
    assert "sudo" in refused.value.help
    assert not send(pid, signal.SIGTERM, raises(ProcessLookupError))


def test_a_process_of_another_user_hears_nothing(queue: FakeQueue, kids: Children) -> None:
    """A pid may have gone on to somebody else, or the bench's user may name any."""
    pid = kids.start(("sh", "-c", "sleep 600; exit"))
    while not procfs.descendants(pid):
        pass
    tree = (pid, *procfs.descendants(pid))
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        assert not send(pid, number, whose=ANOTHER)
    assert not send(pid, signal.SIGTERM, lambda *_: pytest.fail("it is another's"), ANOTHER)
    told: list[str] = []
    state = known(queue, "busy")
    assert not terminate_when_idle(pid, state, queue, lambda: told.append("then"), ANOTHER)
    kill_tree(pid, ANOTHER)
    assert told == []
    assert all(state_of(one) in RUNNING for one in tree)
    assert terminate_when_idle(pid, state, queue, lambda: told.append("then"), OWNER.uid)
    kill_tree(tree[1], OWNER.uid)
    assert kids.awaited_signal_of(pid) == signal.SIGTERM
    assert told == ["then"]


@needs_root
def test_of_a_tree_only_the_owner_s_processes_are_killed(kids: Children) -> None:
    """What came of a worker by a set-uid program is not the bench's."""
    lesser = ("setpriv", f"--reuid={OWNER.uid}", "--clear-groups", "sleep", "600")
    pid = kids.start(("sh", "-c", f"{' '.join(lesser)} & wait"), ROOT)
    while OWNER.uid not in map(procfs.owner, procfs.descendants(pid)):
        pass
    [own] = procfs.descendants(pid)
    kill_tree(pid, OWNER.uid)
    await_state(own, "")
    assert kids.signal_of(pid) == 0


def test_a_killed_prodgen_leaves_nothing_held_still(kids: Children) -> None:
    pid = kids.start()

    def work() -> None:
        with resume_on_crash([pid]):
            os.kill(pid, signal.SIGSTOP)
            await_state(pid, "T")
            die()

    assert in_child(work) == signal.SIGKILL
    await_state(pid, *RUNNING)


def test_a_guard_ends_with_its_block(kids: Children) -> None:
    before = set(procfs.descendants(os.getpid()))
    pid = kids.start()
    with resume_on_crash([pid]):
        watch = set(procfs.descendants(os.getpid())) - before - {pid}
        assert watch
        assert {procfs.folder(one) for one in watch} == {"/"}, "no folder that others may change"
        [first] = [one for one in watch if "kill -CONT" in " ".join(procfs.words(one))]
        assert set(procfs.environment(first)) <= {"PATH", "PWD", "SHLVL", "_"}
    assert set(procfs.descendants(os.getpid())) - before <= set(kids.started)


@needs_root
def test_a_guard_has_no_more_rights_than_those_whom_it_guards(kids: Children) -> None:
    """By its end a pid may be that of another user's process."""
    before = set(procfs.descendants(os.getpid()))
    with resume_on_crash([kids.start()], WHO):
        own = set(procfs.descendants(os.getpid())) - before - set(kids.started)
        wait_for(lambda: {procfs.owner(pid) for pid in own} == {WHO.uid}, 5, "the watch")


def test_a_guard_that_is_held_still_holds_nobody_up(
    kids: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graceful_stop, "WATCH_SECONDS", 0.1)
    before = set(procfs.descendants(os.getpid()))
    began = time.monotonic()
    with resume_on_crash([kids.start()]):
        for pid in set(procfs.descendants(os.getpid())) - before - set(kids.started):
            os.kill(pid, signal.SIGSTOP)
    assert time.monotonic() - began < 5


def test_a_horse_dies_with_its_worker(kids: Children) -> None:
    pid = kids.start(("sh", "-c", "sleep 600; exit"))
    while not procfs.descendants(pid):
        pass
    [horse] = procfs.descendants(pid)
    kill_tree(pid)
    assert kids.awaited_signal_of(pid) == signal.SIGKILL
    await_state(horse, "")
