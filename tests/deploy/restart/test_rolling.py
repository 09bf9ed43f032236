"""Work-horses that outlived their worker are named, and ended if that is asked for."""

from __future__ import annotations

import os
import signal

import pytest

from prodgen.deploy.jobs.orphans import Orphan
from prodgen.deploy.restart import rolling as room
from tests.support.accounts import needs_root
from tests.support.fakes.children import Children, await_state, state_of
from tests.support.fakes.fake_manager import FakeManager
from tests.support.fakes.recorder import make_session
from tests.support.owner import OWNER, ROOT


def mind(pid: int, monkeypatch: pytest.MonkeyPatch, *, end: bool) -> list[str]:
    """What is said of an orphan with this pid."""
    monkeypatch.setattr(room, "find_orphans", lambda *_: [Orphan(pid, "long", 7.0)])
    session, said = make_session(FakeManager([]))
    room._mind_orphans(session, end=end)
    return said.texts("note")


@pytest.mark.process
def test_one_of_the_bench_s_user(kids: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = kids.start(who=OWNER)
    text = f"process {pid} of long goes on without its worker"
    assert mind(pid, monkeypatch, end=False) == [f"{text}; --end-orphans ends it"]
    assert state_of(pid) in ("R", "S")
    assert mind(pid, monkeypatch, end=True) == [f"{text}: ended"]
    await_state(pid, "")


@needs_root
@pytest.mark.process
def test_a_pid_that_went_on_to_another_user(
    kids: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = kids.start(who=ROOT)
    mind(pid, monkeypatch, end=True)
    os.kill(pid, signal.SIGTERM)
    assert kids.awaited_signal_of(pid) == signal.SIGTERM, "no other signal came first"
