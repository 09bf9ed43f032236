"""Workers restart without a job lost, whatever holds one of them up."""

from __future__ import annotations

import signal

import pytest

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.jobs.graceful_stop import kill_tree
from prodgen.deploy.managers.core.base import STOP_SLACK, State
from prodgen.deploy.restart import workers as room
from prodgen.deploy.restart.workers import Workers
from prodgen.deploy.system import procfs
from prodgen.plan.core.model import Role
from tests.support.accounts import needs_root
from tests.support.fakes.children import Children
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.recorder import BENCH_ID, HOST, Recorder, joined, make_session, services
from tests.support.fakes.rq_workers import FakeWorkers

SHORT = "g:frappe-bench-frappe-short-worker-0"
LONG = "g:frappe-bench-frappe-long-worker-0"


@pytest.fixture
def workers(clock: FakeClock, kids: Children, monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    """Four workers, idle."""
    made = FakeWorkers(clock, kids, services(Role.WORKER))
    made.take_signals(monkeypatch)
    return made


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks less often, so that an hour of the clock takes no second of ours."""
    monkeypatch.setattr(room, "POLL", 5.0)


def restart(
    workers: FakeWorkers, *, wait: bool = True, force_kill: float | None = None
) -> tuple[list[str], Recorder]:
    """The problems of a restart of all, and what was said."""
    session, said = make_session(workers.manager, workers.queue)
    Workers(session, workers.queue, workers.processes, force_kill).restart(wait=wait)
    return session.problems, said


def test_all_come_back_and_each_job_ends(workers: FakeWorkers, clock: FakeClock) -> None:
    before = {one.name: one.pid for one in workers.processes}
    workers.give_job(SHORT, "j", seconds=100)
    problems, said = restart(workers)
    assert (problems, workers.lost) == ([], [])
    assert all(workers.terms(pid) == 1 for pid in before.values())
    assert all(workers.pid(name) not in (0, pid) for name, pid in before.items())
    assert 100 <= clock.passed < 105
    assert said.kinds().count("ready") == len(before)
    assert [one.job for one in said.waited[0]] == ["j"]
    assert said.waited[-1] == ()


def test_idle_ones_are_told_first(workers: FakeWorkers) -> None:
    workers.give_job(SHORT, "j", seconds=1)
    busy = workers.pid(SHORT)
    restart(workers)
    assert [pid for pid, _ in workers.heard][-1] == busy


def test_one_that_was_told_before_is_not_told_again(workers: FakeWorkers) -> None:
    """A second SIGTERM would kill its job."""
    workers.give_job(SHORT, "j", seconds=50)
    pid = workers.pid(SHORT)
    workers.queue.put(f"w{pid}", told=True)
    problems, said = restart(workers)
    assert (problems, workers.lost, workers.terms(pid)) == ([], [], 0)
    assert "has been told to end before" in joined(said.texts("note"))
    assert workers.pid(SHORT) not in (0, pid)


@pytest.mark.parametrize("why", ["no moment", "redis is away"])
def test_one_that_cannot_be_told_goes_on_as_it_was(workers: FakeWorkers, why: str) -> None:
    pid = workers.pid(SHORT)
    if why == "no moment":
        workers.queue.put(f"w{pid}", state="")
    else:
        state = workers.queue.state

        def away(worker: str) -> str:
            workers.queue.away = worker == f"w{pid}"
            return state(worker)

        workers.queue.state = away  # type: ignore[method-assign]
    problems, _ = restart(workers)
    assert len(problems) == 1
    assert "could not be told to end at a safe moment" in problems[0]
    assert workers.pid(SHORT) == pid
    assert SHORT not in workers.manager.told("start")


@needs_root
def test_a_process_of_another_user_is_neither_told_nor_killed(
    workers: FakeWorkers, clock: FakeClock
) -> None:
    pid = workers.misname(SHORT)
    problems, _ = restart(workers, force_kill=30)
    assert len(problems) == 1
    assert "could not be told to end at a safe moment" in problems[0]
    assert pid not in {heard for heard, _ in workers.heard}
    assert workers.pid(SHORT) == pid


@needs_root
def test_a_pid_that_went_on_to_another_user_is_not_killed(
    workers: FakeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker ends, and its pid is root's, at the moment when it would be killed."""
    workers.give_job(SHORT, "j", seconds=10_000)
    pid, owner = workers.pid(SHORT), procfs.owner

    def too_late(one: int, whose: int | None = None) -> None:
        monkeypatch.setattr(procfs, "owner", lambda each: 0 if each == pid else owner(each))
        kill_tree(one, whose)

    monkeypatch.setattr(room, "kill_tree", too_late)
    restart(workers, force_kill=30)
    assert (pid, signal.SIGKILL) not in workers.heard
    assert workers.pid(SHORT) not in (0, pid), "the worker itself has ended, so it starts again"


def test_a_record_without_a_pid_is_no_job_of_one_that_does_not_run(workers: FakeWorkers) -> None:
    """The bench's user writes what he likes into Redis."""
    session, _ = make_session(workers.manager, workers.queue)
    row = {"queues": (f"{BENCH_ID}:short",), "state": "busy", "job": "j", "host": HOST}
    workers.queue.put("forged", pid=0, **row)
    workers.manager.put(SHORT, state=State.DOWN, word="stopped", pid=0)
    assert session.busy(workers.processes) == []
    workers.give_job(LONG, "k", seconds=5)
    assert [one.job for one in session.busy(workers.processes)] == ["k"]


def test_one_that_did_not_run_starts(workers: FakeWorkers, kids: Children) -> None:
    kids.end(workers.pid(SHORT))
    del workers.queue.rows[f"w{workers.pid(SHORT)}"]
    workers.manager.put(SHORT, state=State.FAILED, word="fatal", pid=0)
    problems, said = restart(workers)
    assert problems == []
    assert "did not run (fatal)" in joined(said.texts("starting"))
    assert workers.pid(SHORT)


def test_without_waiting_the_busy_are_only_named(workers: FakeWorkers, clock: FakeClock) -> None:
    workers.give_job(SHORT, "j", seconds=100)
    problems, said = restart(workers, wait=False)
    assert (problems, workers.lost) == ([], [])
    assert clock.passed < 10
    [text] = said.texts("left")
    assert "finishes its job j" in text


def test_a_forced_end_comes_after_its_time_and_is_a_problem(
    workers: FakeWorkers, clock: FakeClock
) -> None:
    workers.give_job(SHORT, "j", seconds=10_000)
    pid = workers.pid(SHORT)
    problems, _ = restart(workers, force_kill=30)
    assert workers.lost == ["j"]
    assert (pid, signal.SIGKILL) in workers.heard
    assert 30 <= clock.passed < 33
    assert [text for text in problems if "its job is lost" in text] == problems
    assert len(problems) == 1
    assert workers.pid(SHORT) not in (0, pid)


@pytest.mark.usefixtures("slowly")
def test_no_job_is_given_up_before_its_own_time_out(workers: FakeWorkers, clock: FakeClock) -> None:
    """Its time-out may be longer than its queue's, and so than its manager's patience."""
    workers.give_job(SHORT, "j", seconds=5000, timeout=6000)
    problems, _ = restart(workers)
    assert (problems, workers.lost) == ([], [])
    assert clock.passed >= 5000


@pytest.mark.usefixtures("slowly")
def test_one_that_outlasts_its_job_s_time_out_is_left_alone(
    workers: FakeWorkers, clock: FakeClock
) -> None:
    workers.give_job(SHORT, "j", seconds=10_000, timeout=300)
    pid = workers.pid(SHORT)
    problems, _ = restart(workers)
    assert len(problems) == 1
    assert "is still at work" in problems[0]
    assert 300 + 60 + STOP_SLACK <= clock.passed < 400
    assert (workers.lost, workers.pid(SHORT)) == ([], pid)


@pytest.mark.usefixtures("slowly")
def test_one_that_hears_nothing_is_given_up_after_its_stop_time(
    workers: FakeWorkers, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "hear", lambda *_: None)
    problems, _ = restart(workers)
    assert len(problems) == 4
    assert clock.passed >= 1590 + STOP_SLACK
    assert workers.manager.told("start") == []


@pytest.mark.usefixtures("slowly")
def test_one_that_does_not_come_back_is_a_problem(workers: FakeWorkers, clock: FakeClock) -> None:
    def start(name: str) -> None:
        if name == SHORT:
            workers.manager.put(name, state=State.FAILED, word="fatal", last_exit="exit 3")
        else:
            workers.birth(name)

    workers.manager.on_start = start
    problems, _ = restart(workers)
    assert problems == ["frappe-bench-frappe-short-worker-0 did not come back: fatal exit 3"]
    assert clock.passed >= room.BIRTH_SECONDS


@pytest.mark.usefixtures("slowly")
def test_one_that_redis_does_not_know_of_is_not_back_yet(workers: FakeWorkers) -> None:
    def start(name: str) -> None:
        workers.birth(name)
        if name == SHORT:
            del workers.queue.rows[f"w{workers.pid(name)}"]

    workers.manager.on_start = start
    problems, _ = restart(workers)
    assert problems == ["frappe-bench-frappe-short-worker-0 did not come back: running"]


def test_a_manager_that_starts_by_itself_may_refuse_to(workers: FakeWorkers) -> None:
    def start(name: str) -> None:
        workers.birth(name)
        if name == LONG:
            raise DeployError("PG909", "it is being started")

    workers.manager.on_start = start
    problems, said = restart(workers)
    assert problems == []
    assert "its manager starts it by itself (it is being started)" in joined(said.texts("note"))
