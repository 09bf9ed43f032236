"""Units that somebody else has set up: their end is told gently, and nothing of that stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.deploy.managers.core.base import ManagerError, ProcessManager
from prodgen.deploy.managers.systemd import foreign_units as room
from prodgen.deploy.managers.systemd.foreign_units import (
    DROP_IN,
    drop_foreign_links,
    outdated,
    serves_web,
    unlisted_running_units,
    with_long_stop_timeout,
)
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.plan.core.model import Manager
from prodgen.targets.core.effects import Action, Effect
from tests.support.fakes.children import Children
from tests.support.fakes.fake_systemctl import FakeSystemctl
from tests.support.fakes.recorder import PLAN, Recorder
from tests.support.systemd_plans import sourced, with_options

ASKED = ("systemctl", "--no-ask-password", "--no-pager")
HARD, SOFT, SOCKET = "hard.service", "soft.service", "web.socket"
OF_USER = with_options(PLAN, scope="user")._replace(manager=sourced(Manager.SYSTEMD))
LONGEST = 1590
"""The longest stop time of the plan's services."""


class Host:
    """Units, and the folders of systemd's."""

    def __init__(self, folder: Path) -> None:
        self.run, self.units = folder / "run", folder / "units"
        self.units.mkdir()
        self.systemctl = FakeSystemctl(HARD, SOFT, SOCKET)
        self.systemctl.put(HARD, KillMode="control-group")
        self.systemctl.put(SOFT, KillMode="mixed")

    def drop_ins(self) -> list[str]:
        return sorted(path.parent.name for path in self.run.rglob(DROP_IN))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host with a unit of systemd's defaults and one of ours."""
    made = Host(tmp_path)
    monkeypatch.setattr(room, "run", made.systemctl)
    monkeypatch.setattr(room, "RUN", made.run)
    monkeypatch.setattr(room, "UNITS", made.units)
    return made


def test_the_end_of_a_unit_by_default_is_told_to_its_main_process(host: Host) -> None:
    """Else RQ's horse dies of it, and with it the job."""
    with with_long_stop_timeout(PLAN, ASKED, [HARD, SOFT, SOCKET]) as seconds:
        assert seconds == LONGEST
        assert host.drop_ins() == [f"{HARD}.d"]
        text = (host.run / f"{HARD}.d" / DROP_IN).read_text()
        assert text == f"[Service]\nKillMode=mixed\nTimeoutStopSec={LONGEST}\n"
        assert host.systemctl.done == ["daemon-reload"]
    assert list(host.run.iterdir()) == []
    assert host.systemctl.done == ["daemon-reload"] * 2


def test_a_failure_meanwhile_leaves_nothing(host: Host) -> None:
    with pytest.raises(RuntimeError), with_long_stop_timeout(PLAN, ASKED, [HARD]):
        raise RuntimeError
    assert host.drop_ins() == []
    assert host.systemctl.done == ["daemon-reload"] * 2


def test_what_a_killed_run_has_left_is_taken_away(host: Host) -> None:
    left = host.run / f"{SOFT}.d" / DROP_IN
    left.parent.mkdir(parents=True)
    left.write_text("[Service]\nTimeoutStopSec=1\n")
    with with_long_stop_timeout(PLAN, ASKED, [SOFT]) as seconds:
        assert seconds == LONGEST
    assert not left.exists()


@pytest.mark.parametrize("units", [[SOFT], [SOCKET], []])
def test_units_that_say_it_themselves_are_left_alone(host: Host, units: list[str]) -> None:
    with with_long_stop_timeout(PLAN, ASKED, units) as seconds:
        assert seconds == 0
    assert host.systemctl.done == []


def test_a_user_s_own_units_are_ours(host: Host) -> None:
    with with_long_stop_timeout(OF_USER, ASKED, [HARD]) as seconds:
        assert (seconds, host.drop_ins()) == (0, [])


def test_where_it_cannot_be_written_nothing_is_stopped(host: Host) -> None:
    host.run.write_text("no folder")
    with pytest.raises(ManagerError), with_long_stop_timeout(PLAN, ASKED, [HARD]):
        pytest.fail("the units would be stopped as they are")


def none_asked() -> ProcessManager:
    raise AssertionError("no manager is asked for")


def activation(*effects: Effect, kept: frozenset[str] = frozenset()) -> Activation:
    return Activation(BenchContext(PLAN), effects, Recorder(), none_asked, kept=kept)


def gone(unit: str, program: str) -> Effect:
    return Effect("systemd", unit, Action.STOP, program=program)


def test_instances_that_somebody_has_started_by_hand_go_with_their_file(host: Host) -> None:
    for unit in ("w@1.service", "w@7.service", "w@8.service", "other@1.service"):
        host.systemctl.put(unit, ActiveState="active")
    host.systemctl.put("w@9.service", ActiveState="inactive")
    work = activation(gone("w@1.service", "w@.service"), kept=frozenset({"w@8.service"}))
    assert unlisted_running_units(work, ASKED) == ["w@7.service"]


def test_a_unit_whose_file_goes_though_nobody_wanted_it(host: Host) -> None:
    host.systemctl.put("clock.service", ActiveState="active")
    passive = Effect("systemd", "clock.service", Action.REREAD, because_of="gone",
                     program="clock.service")  # fmt: skip
    assert unlisted_running_units(activation(passive), ASKED) == ["clock.service"]
    stays = passive._replace(because_of="")
    assert unlisted_running_units(activation(stays), ASKED) == []
    assert unlisted_running_units(activation(gone("x.socket", "x.socket")), ASKED) == []


def test_what_runs_by_an_older_file(host: Host) -> None:
    host.systemctl.put("a.service", ActiveState="active", NeedDaemonReload="yes")
    host.systemctl.put("b.service", ActiveState="active", NeedDaemonReload="no")
    host.systemctl.put("c.service", ActiveState="inactive", NeedDaemonReload="yes")
    names = ["a.service", "b.service", "c.service"]
    assert outdated(ASKED, names) == ["a.service"]
    assert outdated(ASKED, []) == []


def enabled(host: Host, unit: str, end: Path, kind: str = "wants") -> Path:
    """A link as `systemctl enable` makes it."""
    link = host.units / f"multi-user.target.{kind}" / unit
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(end)
    return link


def test_links_into_another_folder_are_dropped(host: Host, tmp_path: Path) -> None:
    own, foreign = host.units / "a@.service", tmp_path / "bench.service"
    for file in (own, foreign):
        file.write_text("")
    kept = [
        enabled(host, "a@1.service", Path("../a@.service")),
        enabled(host, "stranger.service", foreign),
    ]
    dropped = [
        enabled(host, "a@2.service", foreign),
        enabled(host, "a@3.service", host.units / "gone.service", "requires"),
    ]
    drop_foreign_links(activation(gone("a@1.service", "a@.service")))
    assert [link.is_symlink() for link in kept] == [True, True]
    assert [link.is_symlink() for link in dropped] == [False, False]
    assert foreign.exists()


def test_a_user_s_own_folder_is_not_looked_into(host: Host, tmp_path: Path) -> None:
    link = enabled(host, "a.service", tmp_path / "none.service")
    user = BenchContext(OF_USER)
    effects = [gone("a.service", "a.service")]
    drop_foreign_links(Activation(user, effects, Recorder(), none_asked))
    assert link.is_symlink()


def test_who_answers_requests(host: Host, kids: Children) -> None:
    web = kids.start(("sh", "-c", "sleep 600; exit", "frappe.app:application"))
    other = kids.start(("sh", "-c", "sleep 600; exit", "frappe.application"))
    pids = {"w.service": web, "x.service": other, "y.service": 0}
    assert [serves_web(unit, pids) for unit in ("w.service", "x.service", "y.service")] == [
        True, False, False,
    ]  # fmt: skip
    assert serves_web("w.socket", {})
