"""`prodgen adopt` of a bench that belongs to root, set up to run as root."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.adopt.test_adopt import answers
from tests.support.live.adopting import set_up
from tests.support.live.applying import Host, host
from tests.support.live.systemd_bench import HOME, NAME, PATH, USER
from tests.support.plans import ROOT
from tests.support.rig.waiting import wait_for

THEIRS = ROOT / "tests/review/adopt/adopted/by-hand"
CACHE = "/root/cache"


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("supervisor", supervisor=False, quick=True) as made:
        nginx, programs = (
            (THEIRS / f"{name}.conf").read_text() for name in ("nginx", "supervisor")
        )
        made.shell(f"chown root: {HOME}; chown -hR root: {PATH}; chmod 755 {HOME}")
        set_up(made, nginx, programs.replace(f"user={USER}", "user=root"))
        made.shell(f"chown -hR root: {PATH}; echo x > {CACHE}; ln {CACHE} {PATH}/config/linked")
        yield made


def owners(made: Host) -> set[str]:
    """The users of all that is in the bench, but for hard links: the rig makes env/ of them."""
    return set(made.shell(f"find {PATH} '(' -type d -o -links 1 ')' -printf '%u\\n'").split())


def users(made: Host) -> set[str]:
    """The users that the bench's processes run as."""
    pids = ",".join(str(pid) for name, pid in made.pids().items() if NAME in name)
    return set(made.shell(f"ps -o user= -p {pids}").split())


def test_nothing_is_run_for_it_and_adopt_is_the_way_on(run: Host) -> None:
    assert users(run) == {"root"}
    for words in (("apply", "--yes"), ("restart",)):
        ended = run.prodgen(*words)
        assert ended.code == 1, ended
        assert "error[PG821]" in ended.err
        assert f"`prodgen adopt` gives the bench to {USER}" in " ".join(ended.err.split())
    for words in (("validate",), ("plan",), ("diff",), ("status",), ("doctor",)):
        ended = run.prodgen(*words)
        assert "error[PG821]" not in ended.err
        assert ended.code in (0, 1, 4), ended
    assert owners(run) == {"root"}


def test_a_dry_run_shows_what_goes(run: Host) -> None:
    ended = run.prodgen("adopt", "-n")
    assert ended.code == 0, ended
    said = " ".join(ended.err.split())
    assert f"{PATH} belongs to root, and its services shall run as {USER}." in said
    assert "with other hard links, which would change too (" in said
    assert owners(run) == {"root"}


def test_it_goes_to_its_user_and_runs_as_that_user(run: Host) -> None:
    refused = run.prodgen("adopt")
    assert refused.code == 1
    assert "PG805" in refused.err
    assert owners(run) == {"root"}

    ended = run.prodgen("adopt", "--yes", "--leave-out")
    assert ended.code == 0, ended
    assert f"entries belong to {USER} now" in ended.err
    assert owners(run) == {USER}
    assert run.shell(f"stat -c %U {CACHE}").strip() == "root"
    wait_for(lambda: answers(run), 60, "the web")
    assert users(run) == {USER}
    assert run.prodgen("status").code == 0
    assert run.prodgen("restart").code == 0
    assert run.prodgen("diff", "--detailed-exitcode").code == 0
