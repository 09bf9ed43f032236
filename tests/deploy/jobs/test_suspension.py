"""A suspension of all workers: renewed while it lasts, always lifted, and never somebody else's."""

from __future__ import annotations

import signal
import threading

import pytest

from prodgen.deploy.jobs import suspension as room
from prodgen.deploy.jobs.suspension import EXPIRY, MARK, Suspension, clear_leftover
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import FakeManager
from tests.support.fakes.fake_redis import FakeQueue
from tests.support.fakes.recorder import HOST, Recorder, joined, make_session
from tests.support.rig.waiting import wait_for

OLD = f"{MARK}{HOST}:1:2"


@pytest.fixture
def queue(clock: FakeClock) -> FakeQueue:
    """One in which nobody is suspended."""
    return FakeQueue()


def suspend(queue: FakeQueue) -> tuple[Suspension, Recorder, list[str]]:
    session, said = make_session(FakeManager([]), queue)
    return Suspension(session, queue), said, session.problems


def test_it_bears_our_mark_and_an_end(queue: FakeQueue) -> None:
    made, said, _ = suspend(queue)
    with made:
        assert queue.suspension() == (made.mark, EXPIRY)
        assert made.mark.startswith(f"{MARK}{HOST}:")
    assert queue.suspension() == ("", 0)
    assert said.kinds() == ["suspended", "resumed"]


def test_it_is_renewed_until_it_is_lifted(
    queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "RENEWAL", 0.001)
    renewed: list[bool] = []
    suspend_again = queue.suspend

    def note(mark: str, seconds: int) -> None:
        if queue.asked.count("suspend") == 2:
            queue.away = 1  # a Redis that is away once does not end the renewal
        if queue.asked.count("suspend") > 3:
            renewed.append(threading.current_thread() is threading.main_thread())
        suspend_again(mark, seconds)

    queue.suspend = note  # type: ignore[method-assign]
    made, _, _ = suspend(queue)
    with made:
        wait_for(lambda: bool(renewed), 10, "the renewal")
    assert queue.mark == ""
    count = queue.asked.count("suspend")
    assert all(renewed), "in another thread, which would lend rights to this one"
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert queue.asked.count("suspend") == count


def test_one_of_somebody_else_is_left_as_it_is(queue: FakeQueue) -> None:
    queue.mark, queue.seconds = "1", -1
    made, said, _ = suspend(queue)
    with made:
        assert queue.mark == "1"
    assert queue.suspension() == ("1", -1)
    assert "by somebody else" in joined(said.texts("note"))
    assert {"suspend", "lift"}.isdisjoint(queue.asked)


def test_one_that_a_killed_prodgen_left_is_taken_over(queue: FakeQueue) -> None:
    queue.mark, queue.seconds = OLD, 40
    made, _, _ = suspend(queue)
    with made:
        assert queue.mark == made.mark != OLD
    assert queue.mark == ""


def test_one_that_somebody_has_made_meanwhile_is_not_lifted(queue: FakeQueue) -> None:
    made, _, _ = suspend(queue)
    with made:
        queue.mark = "1"
    assert queue.mark == "1"


def test_a_redis_that_restarts_is_waited_for(queue: FakeQueue, clock: FakeClock) -> None:
    made, said, problems = suspend(queue)
    with made:
        queue.away = 5
    assert (queue.mark, problems) == ("", [])
    assert said.kinds()[-1] == "resumed"
    assert clock.passed == pytest.approx(1.0)


def test_a_redis_that_stays_away_is_a_problem(queue: FakeQueue, clock: FakeClock) -> None:
    made, said, problems = suspend(queue)
    with made:
        queue.away = -1
    assert problems == [f"Redis is away; the suspension ends within {EXPIRY} s"]
    assert room.LIFT_PATIENCE <= clock.passed < room.LIFT_PATIENCE + 1
    assert "resumed" not in said.kinds()


def test_it_is_lifted_once(queue: FakeQueue) -> None:
    made, _, _ = suspend(queue)
    with made:
        made.lift()
    assert queue.asked.count("lift") == 1


@pytest.mark.parametrize(("mark", "after"), [(OLD, ""), ("1", "1"), ("", "")])
def test_only_what_prodgen_has_left_is_cleared(queue: FakeQueue, mark: str, after: str) -> None:
    queue.mark = mark
    session, said = make_session(FakeManager([]), queue)
    clear_leftover(session)
    assert queue.mark == after
    assert bool(said.texts("note")) is (mark == OLD)


def test_without_redis_nothing_is_cleared() -> None:
    session, said = make_session(FakeManager([]))
    clear_leftover(session)
    assert said.events == []
