"""Workers that a new config ends: no job is lost, and a longer one is waited for first."""

from __future__ import annotations

import pytest

from prodgen.deploy.jobs import stop_before_removal
from prodgen.deploy.jobs.stop_before_removal import end_workers
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.plan.core.model import Role
from tests.support.accounts import needs_root
from tests.support.fakes.children import Children
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_redis import ACCESS
from tests.support.fakes.recorder import BENCH_ID, DOOR, PLAN, Recorder, services
from tests.support.fakes.rq_workers import FakeWorkers

SHORT = "g:frappe-bench-frappe-short-worker-0"
STOP_SECONDS = 390


class Run:
    """What ends, and how."""

    def __init__(self, workers: FakeWorkers) -> None:
        self.workers = workers
        self.said = Recorder()
        self.stopped: list[str] = []

    def stop(self, name: str) -> None:
        self.stopped.append(name)
        self.workers.manager.stop([name])

    def end(
        self,
        seconds: int = STOP_SECONDS,
        *,
        known: bool = True,
        extra: dict[str, int] | None = None,
    ) -> None:
        """Ends all workers, each with so many seconds for its job."""
        access = ACCESS if known else None
        context = BenchContext(PLAN, DOOR, access, BENCH_ID)
        work = Activation(context, (), self.said, lambda: self.workers.manager)
        pids = {one.name: one.pid for one in self.workers.processes} | (extra or {})
        given = dict.fromkeys(self.workers.manager.found, seconds)
        end_workers(work, pids, given, self.stop)


@pytest.fixture
def run(clock: FakeClock, kids: Children, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Four idle workers."""
    workers = FakeWorkers(clock, kids, services(Role.WORKER))
    workers.take_signals(monkeypatch)
    monkeypatch.setattr(stop_before_removal, "RedisQueue", lambda _: workers.queue)
    return Run(workers)


def test_each_is_told_by_its_manager_at_a_safe_moment(run: Run) -> None:
    run.workers.give_job(SHORT, "j", seconds=100)
    run.end()
    assert sorted(run.stopped) == sorted(run.workers.manager.found)
    run.workers.clock.sleep(200)
    assert run.workers.lost == []


def test_a_job_that_its_manager_would_kill_is_waited_for(run: Run, clock: FakeClock) -> None:
    run.workers.give_job(SHORT, "j", seconds=800, timeout=800)
    run.end()
    assert clock.passed > 800 + 60 - STOP_SECONDS - 1
    run.workers.clock.sleep(900)
    assert (run.workers.lost, run.stopped.count(SHORT)) == ([], 1)


def test_a_busy_one_that_was_told_before_gets_no_second_signal(run: Run) -> None:
    run.workers.give_job(SHORT, "j", seconds=100)
    pid = run.workers.pid(SHORT)
    run.workers.queue.put(f"w{pid}", told=True)
    run.end()
    assert SHORT not in run.stopped
    assert (run.workers.lost, run.workers.terms(pid)) == ([], 0)


def test_a_job_without_a_time_out_holds_nothing_up(run: Run) -> None:
    run.workers.give_job(SHORT, "j", seconds=10, timeout=-1)
    run.end()
    assert SHORT in run.stopped


def test_what_redis_does_not_know_is_left_to_the_caller(run: Run, kids: Children) -> None:
    run.end(extra={"g:web-0": kids.start(), "g:none": 0})
    assert set(run.stopped) == set(run.workers.manager.found)


@needs_root
def test_a_process_of_another_user_gets_no_signal(run: Run, clock: FakeClock) -> None:
    """The pid that Redis names is of no worker; once it is gone, the rest goes on."""
    pid = run.workers.misname(SHORT)
    clock.after(5, lambda: run.workers.queue.rows.__delitem__(f"w{pid}"))
    run.end()
    assert run.workers.terms(pid) == 0
    assert set(run.stopped) == set(run.workers.manager.found) - {SHORT}


@needs_root
def test_one_that_runs_as_root_is_left_to_the_caller_once_its_job_may_end(
    run: Run, clock: FakeClock
) -> None:
    """As under the config of a bench that belonged to root; nobody waits for it for ever."""
    pid = run.workers.misname(SHORT)
    run.workers.give_job(SHORT, "j", seconds=800, timeout=800)
    run.end()
    assert 800 + 60 - STOP_SECONDS - 1 < clock.passed < 800
    assert run.workers.terms(pid) == 0
    assert set(run.stopped) == set(run.workers.manager.found) - {SHORT}


def test_without_redis_all_is_left_to_the_caller(run: Run) -> None:
    run.end(known=False)
    assert run.stopped == []
    assert run.workers.queue.asked == []


def test_a_redis_that_is_away_has_given_no_job(run: Run, clock: FakeClock) -> None:
    run.workers.queue.away = -1
    run.end()
    assert run.stopped == []
    assert stop_before_removal.PATIENCE <= clock.passed < stop_before_removal.PATIENCE + 1
    [text] = run.said.texts("note")
    assert text.endswith("what works without it is stopped as it is")
