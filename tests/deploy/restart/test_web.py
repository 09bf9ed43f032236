"""The web restarts instance by instance, and each has to answer before the next one goes."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import pytest

from prodgen.deploy.managers.core.base import Process, State, TimedOut
from prodgen.deploy.restart import web as restart_web
from prodgen.deploy.restart import web_probe
from prodgen.deploy.restart.web import READY_SECONDS, await_sites, restart_realtime
from prodgen.deploy.restart.web_probe import Answer
from prodgen.deploy.session.session import Session
from prodgen.deploy.system import procfs, sock_diag
from prodgen.plan.core.model import Address, Role
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import FakeManager, processes_of
from tests.support.fakes.recorder import SITES, Recorder, joined, make_session, services
from tests.support.systemd_plans import sourced

FIRST, SECOND = (f"g:frappe-bench-frappe-web-{number}" for number in range(2))
OLD = {FIRST: 100, SECOND: 200}
"""The masters before; each has one worker, whose pid is one more."""
NEW = 10
"""How much is added to a master's pid when it restarts."""
GOOD, BROKEN, REFUSED = Answer(200), Answer(500), Answer(reason="connection refused")


class Web:
    """Two instances on one socket, as /proc, the manager and HTTP show them."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.manager = FakeManager(processes_of(services(Role.WEB), pids=OLD.values()))
        self.manager.on_restart = self.come_back
        self.answers: dict[str, Answer] = {}
        """By site; good where none is said."""
        self.takers: list[int] = []
        """Who takes the next connections; afterwards a worker of the youngest master."""
        self.shows_files = True
        self.workless: set[int] = set()
        self.asked: list[str] = []

    def come_back(self, name: str) -> None:
        self.manager.put(name, pid=self.manager.found[name].pid + NEW, state=State.UP)

    def descendants(self, pid: int, _: object = None) -> list[int]:
        return [] if pid in (0, *self.workless) else [pid + 1]

    def ask(
        self,
        _: Address,
        host: str,
        *,
        among: Iterable[int] = (),
    ) -> Answer:
        self.asked.append(host)
        self.clock.sleep(0.01)
        given = self.answers.get(host, GOOD)
        restarted = [one.pid for one in self.manager.look() if one.pid != OLD[one.name]]
        taker = self.takers.pop(0) if among and self.takers else max([*restarted, 0]) + 1
        return Answer(given.status, given.reason, taker if among and given.status else 0)

    def session(self) -> tuple[Session, Recorder]:
        return make_session(self.manager)

    def restart(self) -> tuple[bool, list[str], Recorder]:
        """Whether it came back, the problems, and what was said."""
        session, said = self.session()
        done = restart_web.restart_web(session, self.manager.look())
        assert session.touched
        return done, session.problems, said


@pytest.fixture
def web(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Both instances answer."""
    made = Web(clock)
    monkeypatch.setattr(web_probe, "ask", made.ask)
    monkeypatch.setattr(procfs, "descendants", made.descendants)
    monkeypatch.setattr(procfs, "shows_files", lambda _: made.shows_files)
    return made


def is_old(web: Web, name: str) -> bool:
    return web.manager.found[name].pid == OLD[name] and name not in web.manager.told("restart")


def test_one_after_the_other(web: Web) -> None:
    done, problems, said = web.restart()
    assert (done, problems) == (True, [])
    assert web.manager.told("restart") == [FIRST, SECOND]
    assert said.kinds() == ["restarting", "ready", "restarting", "ready", "checked"]
    assert said.texts("checked") == [f"{len(SITES)} of {len(SITES)} sites answer"]


def never_up(web: Web, name: str) -> None:
    web.manager.put(name, state=State.STARTING, pid=0)


def is_too_late(web: Web, name: str) -> None:
    raise TimedOut(f"{name} did not stop within 330 s")


def fails_for_good(web: Web, name: str) -> None:
    """Each try has another pid, and then its manager gives up."""
    web.manager.put(name, state=State.STARTING, pid=301)
    for number in range(2, 4):
        web.clock.after(number, functools.partial(web.manager.put, name, pid=300 + number))
    web.clock.after(5, lambda: web.manager.put(name, state=State.FAILED, pid=0, word="fatal"))
    web.workless = set(range(300, 310))


def flaps(web: Web, name: str) -> None:
    web.manager.put(name, state=State.STARTING, last_exit="exit 1", pid=301)
    for number in range(2, 9):
        web.clock.after(number, functools.partial(web.manager.put, name, pid=300 + number))
    web.workless = set(range(300, 310))


def vanishes(web: Web, name: str) -> None:
    del web.manager.found[name]


@pytest.mark.parametrize(
    ("how", "seconds", "word"),
    [
        (never_up, READY_SECONDS, "it is not up (waited 120 s)"),
        (is_too_late, 0, "did not stop within 330 s"),
        (fails_for_good, 5, "fatal"),
        (flaps, 4, "it ends again and again (exit 1)"),
        (vanishes, 0, "it is gone"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_one_that_does_not_come_back_keeps_the_other(
    web: Web, how: object, seconds: float, word: str
) -> None:
    web.manager.on_restart = lambda name: how(web, name)  # type: ignore[operator]
    done, [problem], _ = web.restart()
    assert not done
    assert word in problem
    assert "left as they were, with the old code: frappe-bench-frappe-web-1" in problem
    assert is_old(web, SECOND)
    assert seconds <= web.clock.passed < seconds + 1


def test_a_manager_may_try_three_times(web: Web) -> None:
    def restart(name: str) -> None:
        if name == SECOND:
            return web.come_back(name)
        web.manager.put(name, state=State.STARTING, pid=121)
        web.clock.after(1, lambda: web.manager.put(name, pid=122))
        web.clock.after(2, lambda: web.manager.put(name, state=State.UP, pid=123))
        web.workless = {121, 122}
        return None

    web.manager.on_restart = restart
    done, problems, _ = web.restart()
    assert (done, problems) == (True, [])


def test_an_answer_of_the_other_one_proves_nothing(web: Web) -> None:
    web.takers = [OLD[SECOND] + 1] * 10_000
    done, [problem], _ = web.restart()
    assert not done
    assert "another instance answered" in problem
    assert is_old(web, SECOND)


def test_it_is_asked_until_it_answers_itself(web: Web) -> None:
    web.takers = [OLD[SECOND] + 1] * 5
    assert web.restart()[0]
    assert web.takers == []


def test_a_master_without_a_worker_has_not_loaded_the_application(web: Web) -> None:
    web.workless = {OLD[FIRST] + NEW}
    web.clock.after(7, web.workless.clear)
    assert web.restart()[0]
    assert web.clock.passed >= 7


@pytest.mark.parametrize(("state", "done"), [(State.UP, True), (State.STARTING, False)])
def test_where_nobody_shows_who_answers_its_manager_s_word_counts(
    web: Web, state: State, *, done: bool
) -> None:
    web.shows_files = False

    def restart(name: str) -> None:
        web.come_back(name)
        web.manager.put(name, state=state)

    web.manager.on_restart = restart
    assert web.restart()[0] is done


@pytest.mark.parametrize("available", [True, False])
def test_on_a_unix_socket_the_kernel_may_not_tell(
    web: Web, monkeypatch: pytest.MonkeyPatch, *, available: bool
) -> None:
    monkeypatch.setattr(sock_diag, "is_available", lambda: available)
    place = sourced(Address(path="/run/web.sock"))
    for name, one in web.manager.found.items():
        web.manager.put(name, service=one.service._replace(listen=place))
    web.takers = [OLD[SECOND] + 1] * 10_000
    assert web.restart()[0] is not available


def test_one_instance_alone_is_told_of(web: Web) -> None:
    del web.manager.found[SECOND]
    _, _, said = web.restart()
    assert "requests may be refused" in joined(said.texts("note"))


def test_a_site_that_answered_before_has_to_answer_after(web: Web) -> None:
    def restart(name: str) -> None:
        web.come_back(name)
        web.answers[SITES[1]] = BROKEN

    web.manager.on_restart = restart
    done, problems, said = web.restart()
    assert not done
    assert problems == [f"{SITES[1]} answers HTTP 500"]
    assert said.texts("checked") == ["1 of 2 sites answer"]


def test_a_site_that_was_wrong_before_is_only_noted(web: Web) -> None:
    web.answers[SITES[1]] = BROKEN
    done, problems, said = web.restart()
    assert (done, problems) == (True, [])
    assert said.texts("note") == [f"{SITES[1]} answers HTTP 500, as it did before"]


def test_where_none_answered_before_all_have_to(web: Web) -> None:
    """It was down, and a restart that leaves it down has not done its work."""
    web.answers = dict.fromkeys(SITES, BROKEN)
    done, problems, _ = web.restart()
    assert not done
    assert len(problems) == len(SITES)


def test_maintenance_is_an_answer(web: Web) -> None:
    web.answers = dict.fromkeys(SITES, Answer(503))
    assert web.restart()[:2] == (True, [])


def test_not_more_sites_are_asked_than_there_is_time_for(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, said = web.session()
    monkeypatch.setattr(restart_web, "MOST_SITES", 1)
    assert list(restart_web.ask_sites(session, web.manager.look())) == SITES[:1]
    assert restart_web.restart_web(session, web.manager.look())
    assert "(1 of 2 sites were asked)" in said.texts("checked")[0]
    monkeypatch.setattr(restart_web, "SITES_SECONDS", -1)
    assert restart_web.ask_sites(session, web.manager.look()) == {}


def test_after_a_restart_at_once_the_first_site_is_waited_for(web: Web) -> None:
    web.answers[SITES[0]] = REFUSED
    web.clock.after(9, web.answers.clear)
    session, _ = web.session()
    await_sites(session, web.manager.look())
    assert session.problems == []
    assert 9 <= web.clock.passed < 10


def test_one_that_never_answers_is_a_problem_of_each_site(web: Web) -> None:
    web.answers = dict.fromkeys(SITES, REFUSED)
    session, _ = web.session()
    await_sites(session, web.manager.look())
    assert session.problems == [f"{site} answers connection refused" for site in SITES]
    assert web.clock.passed >= READY_SECONDS


@pytest.fixture
def plain(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Two servers of which nobody asks who took the connection, the first of them realtime's."""
    made = Web(clock)
    both = [*processes_of(services(Role.REALTIME), pids=[100]), *made.manager.look()[1:]]
    made.manager.found = {one.name: one for one in both}

    def ask(address: Address, host: str, **_: object) -> Answer:
        made.clock.sleep(0.01)
        return made.answers.get(host, GOOD)

    monkeypatch.setattr(web_probe, "ask", ask)
    return made


def restart_both(web: Web) -> tuple[list[str], list[Process]]:
    """The problems, and the processes in their order."""
    session, _ = web.session()
    processes = web.manager.look()
    restart_realtime(session, processes)
    return session.problems, processes


def test_realtime_answers_again(plain: Web) -> None:
    problems, processes = restart_both(plain)
    assert problems == []
    assert plain.manager.told("restart") == [one.name for one in processes]


@pytest.mark.parametrize(
    ("answer", "is_up"), [(Answer(400), True), (BROKEN, False), (REFUSED, False)]
)
def test_what_counts_as_an_answer_of_realtime(plain: Web, answer: Answer, *, is_up: bool) -> None:
    plain.answers = dict.fromkeys(SITES, answer)
    problems, _ = restart_both(plain)
    assert (problems == []) is is_up
    assert (plain.clock.passed > restart_web.REALTIME_SECONDS) is not is_up


def test_realtime_that_does_not_stop_holds_up_nothing_else(plain: Web) -> None:
    first, second = plain.manager.found

    def restart(name: str) -> None:
        if name == first:
            raise TimedOut("did not stop")

    plain.manager.on_restart = restart
    problems, _ = restart_both(plain)
    assert problems == ["did not stop"]
    assert plain.manager.told("restart") == [first, second]
