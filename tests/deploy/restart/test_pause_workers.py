"""Workers and scheduler stop for a while: no job is lost, and what cannot stop is named."""

from __future__ import annotations

import pytest

from prodgen.deploy.managers.core.base import State
from prodgen.deploy.restart import pause_workers
from prodgen.plan.core.model import Role
from tests.support.accounts import needs_root
from tests.support.fakes.children import Children
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import processes_of
from tests.support.fakes.recorder import make_session, services
from tests.support.fakes.rq_workers import FakeWorkers

SHORT = "g:frappe-bench-frappe-short-worker-0"
SCHEDULER = "g:frappe-bench-frappe-schedule-0"
STOP_SECONDS = 390
"""Of the short worker, by the plan."""


@pytest.fixture
def workers(clock: FakeClock, kids: Children, monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    """Four idle workers, and a scheduler of which Redis knows nothing."""
    made = FakeWorkers(clock, kids, services(Role.WORKER))
    made.take_signals(monkeypatch)
    [scheduler] = processes_of(services(Role.SCHEDULER), pids=[kids.start()])
    made.manager.found[scheduler.name] = scheduler
    return made


def stop(workers: FakeWorkers, seconds: float = 300) -> str:
    """Why they do not stop."""
    session, _ = make_session(workers.manager, workers.queue)
    return pause_workers.stop(session, workers.processes, seconds)


def states(workers: FakeWorkers) -> set[State]:
    return {one.state for one in workers.processes}


def test_all_stop_and_a_job_that_runs_ends(workers: FakeWorkers) -> None:
    workers.give_job(SHORT, "j", seconds=100)
    pid = workers.pid(SHORT)
    assert stop(workers) == ""
    assert (workers.lost, states(workers)) == ([], {State.DOWN})
    assert workers.terms(pid) == 2, "ours, and its manager's in the same moment"
    assert sorted(workers.manager.told("stop")) == sorted(workers.manager.found)
    assert workers.manager.told("start") == []


def test_one_whose_job_outlasts_its_stop_time_is_told_only_near_the_end(
    workers: FakeWorkers, clock: FakeClock
) -> None:
    """Told at once, its manager would kill the job after 390 s."""
    workers.give_job(SHORT, "j", seconds=1000, timeout=1000)
    told: list[float] = []
    on_stop = workers.manager.on_stop

    def note(name: str) -> None:
        if name == SHORT:
            told.append(clock.passed)
        on_stop(name)

    workers.manager.on_stop = note
    assert stop(workers, seconds=2000) == ""
    assert workers.lost == []
    assert told[0] > 1000 + 60 - STOP_SECONDS


def test_one_whose_job_outlasts_everything_is_never_told(
    workers: FakeWorkers, clock: FakeClock
) -> None:
    workers.give_job(SHORT, "j", seconds=9000, timeout=9000)
    assert stop(workers) == "frappe-bench-frappe-short-worker-0 did not stop"
    assert clock.passed >= 300
    assert SHORT not in workers.manager.told("stop")
    assert workers.terms(workers.pid(SHORT)) == 0


def test_a_busy_one_that_was_told_before_gets_no_second_signal(workers: FakeWorkers) -> None:
    workers.give_job(SHORT, "j", seconds=100)
    pid = workers.pid(SHORT)
    workers.queue.put(f"w{pid}", told=True)
    assert stop(workers) == ""
    assert (workers.lost, workers.terms(pid)) == ([], 0)


def test_one_that_is_told_and_does_not_end_is_named_after_its_stop_time(
    workers: FakeWorkers, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(name: str) -> None:
        workers.manager.put(name, state=State.STOPPING)

    workers.manager.on_stop = stuck
    monkeypatch.setattr(workers, "hear", lambda *_: None)
    trouble = stop(workers, seconds=5)
    assert trouble.endswith("did not stop")
    assert "schedule" in trouble, "its stop time is the shortest"
    assert clock.passed >= 10 + 30


def test_redis_may_be_away_for_a_moment(workers: FakeWorkers) -> None:
    state, asked = workers.queue.state, []

    def away(worker: str) -> str:
        asked.append(worker)
        workers.queue.away = len(asked) == 1
        return state(worker)

    workers.queue.state = away  # type: ignore[method-assign]
    assert stop(workers) == ""
    assert workers.lost == []


def test_one_without_a_safe_moment_is_not_told(workers: FakeWorkers) -> None:
    workers.queue.put(f"w{workers.pid(SHORT)}", state="")
    assert stop(workers, seconds=60) == "frappe-bench-frappe-short-worker-0 did not stop"
    assert SHORT not in workers.manager.told("stop")


@needs_root
def test_a_process_of_another_user_gets_no_signal(workers: FakeWorkers) -> None:
    pid = workers.misname(SHORT)
    assert stop(workers, seconds=60) == "frappe-bench-frappe-short-worker-0 did not stop"
    assert workers.terms(pid) == 0
    assert SHORT not in workers.manager.told("stop")


def test_without_redis_its_manager_stops_it(workers: FakeWorkers) -> None:
    session, _ = make_session(workers.manager)
    assert pause_workers.stop(session, workers.processes, 300) == ""
    assert states(workers) == {State.DOWN}


def start_again(workers: FakeWorkers) -> list[str]:
    """The problems of starting them again."""
    session, _ = make_session(workers.manager, workers.queue)
    pause_workers.start_again(session, workers.processes)
    return session.problems


def test_only_what_is_down_is_started_again(workers: FakeWorkers) -> None:
    workers.manager.put(SCHEDULER, state=State.DOWN, pid=0)
    assert start_again(workers) == []
    assert workers.manager.told("start") == [SCHEDULER]


def test_what_still_ends_is_awaited_and_then_started(
    workers: FakeWorkers, clock: FakeClock
) -> None:
    workers.manager.put(SHORT, state=State.STOPPING)
    clock.after(5, lambda: workers.manager.put(SHORT, state=State.DOWN))
    assert start_again(workers) == []
    assert workers.manager.told("start") == [SHORT]


def test_what_does_not_end_is_named(workers: FakeWorkers, clock: FakeClock) -> None:
    workers.manager.put(SHORT, state=State.STOPPING)
    assert start_again(workers) == [f"{SHORT} still ends its job; start it then with its manager"]
    assert pause_workers.START_SECONDS <= clock.passed < pause_workers.START_SECONDS + 1
    assert workers.manager.told("start") == []
