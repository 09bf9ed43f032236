"""After an apply: what has to run does, steadily; what does not is shown with its last words."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.deploy.apply import health
from prodgen.deploy.apply.health import await_steady, look_after
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.base import State
from prodgen.deploy.managers.systemd import journal
from prodgen.deploy.restart.web_probe import Answer
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.host.programs import Done
from prodgen.plan.core.model import Manager, Plan, Role
from prodgen.targets.core.effects import Action, Effect
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.fake_manager import FakeManager, processes_of
from tests.support.fakes.recorder import PLAN, SITES, Recorder, services
from tests.support.systemd_plans import sourced

SHORT = "g:frappe-bench-frappe-short-worker-0"
EFFECT = Effect("supervisor", SHORT, Action.RESTART)
GOOD = Answer(200)


class Host:
    """What an apply looks at: the processes of a manager, and the answers of sites."""

    def __init__(self) -> None:
        self.manager = FakeManager(processes_of(services(Role.WORKER)))
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self.said = Recorder()

    def ask(self, _: object, folder: str) -> Answer:
        self.asked.append(folder)
        left = self.answers.get(folder, [])
        return left.pop(0) if left else GOOD

    def look(
        self,
        *,
        effects: tuple[Effect, ...] = (EFFECT,),
        plan: Plan = PLAN,
        problems: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        """The problems after a look at everything."""
        work = Activation(
            BenchContext(plan), effects, self.said, lambda: self.manager, problems=problems
        )
        look_after(work, self.manager.found.keys())
        return work.problems


@pytest.fixture
def host(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Everything is well there."""
    made = Host()
    monkeypatch.setattr(health, "ask", made.ask)
    return made


def test_all_is_well(host: Host) -> None:
    assert host.look() == ()
    assert host.said.texts("healthy") == ["4 processes are up, 2 sites answer"]
    assert host.asked == SITES


def test_it_has_to_be_up_at_three_looks_in_a_row(host: Host, clock: FakeClock) -> None:
    """A process that dies at once is up for a moment again and again."""
    looks = []

    def look() -> None:
        looks.append(clock.passed)
        word = State.STARTING if len(looks) in (1, 3) else State.UP
        host.manager.put(SHORT, state=word)

    host.manager.on_look = look
    assert host.look() == ()
    assert len(looks) == 6


def test_one_that_never_comes_up_is_shown_with_its_last_words(
    host: Host, clock: FakeClock, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    log.write_text("".join(f"line {number}\n" for number in range(30)))
    host.manager.put(
        SHORT, state=State.FAILED, word="fatal", last_exit="exit 3", logs=(log, tmp_path / "none")
    )
    assert host.look() == ("frappe-bench-frappe-short-worker-0 is not up: fatal exit 3",)
    assert host.said.texts("log") == [f"  line {number}" for number in range(20, 30)]
    assert health.UP_SECONDS <= clock.passed < health.UP_SECONDS + 1
    assert host.asked == [], "the web is not asked where something is down"
    assert host.said.texts("healthy") == []


def test_after_a_problem_nothing_is_waited_for_long(
    host: Host, clock: FakeClock, tmp_path: Path
) -> None:
    host.manager.put(SHORT, state=State.STARTING, logs=(tmp_path / "none",))
    host.look(problems=("it did not stop",))
    assert clock.passed < health.FAILED_SECONDS + 1


def test_a_journal_has_the_last_words_where_there_is_no_log(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def run(argv: tuple[str, ...]) -> Done:
        asked.append(argv)
        return Done(argv, 0, "last\nwords\n", "")

    monkeypatch.setattr(journal, "run", run)
    one = host.manager.found[SHORT]
    plan = PLAN._replace(manager=sourced(Manager.SYSTEMD))
    of_user = plan._replace(systemd=plan.systemd._replace(scope=sourced("user")))
    assert list(health.last_words(one, plan)) == ["last", "words"]
    list(health.last_words(one, of_user))
    assert list(health.last_words(one, PLAN)) == [], "Supervisor has no journal"
    assert [argv[-1] for argv in asked] == [f"--unit={SHORT}", f"--user-unit={SHORT}"]


def test_others_are_none_of_our_business(host: Host) -> None:
    host.manager.put(SHORT, state=State.FAILED)
    wanted = set(host.manager.found) - {SHORT}
    assert await_steady(host.manager, wanted, 1) == []


def test_a_site_may_need_a_moment(host: Host) -> None:
    host.answers[SITES[0]] = [Answer(502)] * 4
    assert host.look() == ()


def test_a_site_that_does_not_answer_is_a_problem(host: Host) -> None:
    host.answers[SITES[0]] = [Answer(502)] * 5
    assert host.look() == (f"the web does not answer for {SITES[0]}: HTTP 502",)
    assert host.said.texts("healthy") == []


def test_without_a_proxy_no_site_is_asked(host: Host) -> None:
    assert host.look(plan=PLAN._replace(proxy=None)) == ()
    assert host.said.texts("healthy") == ["4 processes are up"]
    assert host.asked == []


def test_a_change_of_nginx_alone_looks_at_no_process(host: Host) -> None:
    host.manager.put(SHORT, state=State.FAILED)
    assert host.look(effects=(Effect("nginx", "server", Action.RELOAD),)) == ()
    assert host.said.events == []


def test_a_manager_that_cannot_be_asked_is_a_problem(host: Host) -> None:
    def refuse() -> None:
        raise DeployError("PG904", "supervisord does not run")

    host.manager.on_look = refuse
    assert host.look() == ("supervisord does not run",)
