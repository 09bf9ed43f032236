"""All workers at rest: suspended for as long as it takes, and never for longer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from prodgen.deploy.jobs import drain, suspension
from prodgen.deploy.jobs.drain import drained
from prodgen.plan.core.model import Role
from tests.support.accounts import needs_root
from tests.support.fakes.children import Children
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import FakeManager, processes_of
from tests.support.fakes.fake_redis import FakeQueue
from tests.support.fakes.recorder import BENCH_ID, HOST, Recorder, joined, make_session, services
from tests.support.fakes.rq_workers import FakeWorkers

SHORT = "g:frappe-bench-frappe-short-worker-0"


@pytest.fixture
def workers(clock: FakeClock, kids: Children, monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    """Four idle workers."""
    made = FakeWorkers(clock, kids, services(Role.WORKER))
    made.take_signals(monkeypatch)
    return made


def rest(
    workers: FakeWorkers,
    *,
    seconds: float = 60,
    force_kill: float | None = None,
    max_queued: int | None = None,
) -> tuple[bool, str, list[str], Recorder]:
    """Whether they come to rest, the suspension meanwhile, the problems, and what was said."""
    session, said = make_session(workers.manager, workers.queue, max_queued=max_queued)
    with drained(session, workers.processes, seconds, force_kill) as is_calm:
        mark = workers.queue.mark
    return is_calm, mark, session.problems, said


def test_the_idle_are_suspended_meanwhile_and_not_afterwards(workers: FakeWorkers) -> None:
    is_calm, mark, problems, _ = rest(workers)
    assert (is_calm, problems) == (True, [])
    assert mark.startswith(suspension.MARK)
    assert workers.queue.mark == ""


def test_a_job_that_runs_is_waited_for(workers: FakeWorkers, clock: FakeClock) -> None:
    workers.give_job(SHORT, "j", seconds=30)
    is_calm, _, _, said = rest(workers)
    assert is_calm
    assert clock.passed >= 30
    assert [one.job for one in said.waited[0]] == ["j"]


def test_one_look_that_finds_nobody_at_work_is_not_enough(
    workers: FakeWorkers, clock: FakeClock
) -> None:
    """A worker looks for a suspension between jobs only, so it may begin one more."""
    clock.after(0.3, lambda: workers.give_job(SHORT, "late", seconds=20))
    is_calm, _, _, _ = rest(workers)
    assert is_calm
    assert clock.passed >= 20


def test_who_does_not_come_to_rest_is_left_with_nothing_suspended(workers: FakeWorkers) -> None:
    workers.give_job(SHORT, "j", seconds=500)
    is_calm, mark, problems, _ = rest(workers)
    assert (is_calm, mark, workers.lost) == (False, "", [])
    assert "still at work after 60 s: j (frappe-bench-frappe-short-worker-0)" in problems[0]
    assert "nothing was restarted" in problems[0]


def test_a_forced_end_kills_only_who_is_at_work(workers: FakeWorkers) -> None:
    workers.give_job(SHORT, "j", seconds=500)
    pids = {name: workers.pid(name) for name in workers.manager.found}
    is_calm, _, problems, _ = rest(workers, force_kill=0)
    assert is_calm
    assert workers.lost == ["j"]
    assert "its job j is lost" in problems[0]
    assert {pid for pid, _ in workers.heard} == {pids[SHORT]}


@needs_root
def test_a_forced_end_spares_a_process_of_another_user(workers: FakeWorkers) -> None:
    workers.misname(SHORT)
    workers.give_job(SHORT, "j", seconds=500)
    is_calm, _, _, _ = rest(workers, force_kill=0)
    assert is_calm
    assert (workers.heard, workers.lost) == ([], [])


def test_a_worker_in_a_terminal_is_waited_for_too(
    workers: FakeWorkers, clock: FakeClock, kids: Children
) -> None:
    pid = kids.start()
    mine = (f"{BENCH_ID}:short",)
    workers.queue.put("own", queues=mine, state="busy", pid=pid, host=HOST, job="t")
    clock.after(25, lambda: workers.queue.put("own", state="idle"))
    is_calm, _, _, _ = rest(workers)
    assert is_calm
    assert clock.passed >= 25


def test_nobody_is_suspended_where_others_use_the_same_redis(workers: FakeWorkers) -> None:
    workers.queue.put("x", queues=("home-other:short",), state="idle", pid=1, host="there")
    is_calm, mark, _, said = rest(workers)
    assert (is_calm, mark) == (True, "")
    assert "suspend" not in workers.queue.asked
    assert "also serves home-other" in joined(said.texts("note"))


@pytest.mark.parametrize(("waiting", "is_calm"), [(81, False), (80, True)])
def test_full_queues_end_the_wait(workers: FakeWorkers, waiting: int, *, is_calm: bool) -> None:
    """Else Frappe refuses the web requests that add a job."""
    workers.queue.waiting[f"{BENCH_ID}:long"] = waiting
    workers.give_job(SHORT, "j", seconds=30)
    found, _, problems, _ = rest(workers, max_queued=100)
    assert found is is_calm
    assert ("nearly full" in joined(problems)) is not is_calm
    assert workers.queue.mark == ""


def test_a_redis_that_is_away_has_no_full_queue(workers: FakeWorkers) -> None:
    workers.queue.waiting[f"{BENCH_ID}:long"] = 99
    workers.give_job(SHORT, "j", seconds=1)
    lengths = workers.queue.lengths

    def away(queues: Sequence[str]) -> dict[str, int]:
        workers.queue.away = 1
        return lengths(queues)

    workers.queue.lengths = away  # type: ignore[method-assign]
    assert rest(workers, max_queued=100)[0]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_meanwhile_leaves_nothing_suspended(
    workers: FakeWorkers, error: type[BaseException]
) -> None:
    session, _ = make_session(workers.manager, workers.queue)
    marks = []

    def work() -> None:
        with drained(session, workers.processes, 60, None):
            marks.append(workers.queue.mark)
            raise error

    with pytest.raises(error):
        work()
    assert marks[0].startswith(suspension.MARK)
    assert workers.queue.mark == ""


def test_without_workers_or_redis_there_is_nothing_to_wait_for() -> None:
    manager = FakeManager(processes_of(services(Role.WORKER)))
    session, _ = make_session(manager)
    with drained(session, manager.look(), 60, None) as is_calm:
        assert is_calm
    queue = FakeQueue()
    session, _ = make_session(manager, queue)
    with drained(session, [], 60, None) as is_calm:
        assert is_calm
    assert queue.asked == []
    assert drain.CALM > 1
