"""Root lends itself a lesser user's rights, or gives them to a program for good."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodgen.host.run_as import (
    NOBODY,
    Identity,
    acting_as,
    as_child,
    identity_named,
    identity_of,
    is_lent,
)
from tests.support.accounts import ALICE, BOB, PRIVATE, STAFF, invent, needs_root

pytestmark = pytest.mark.process

WHO = Identity(ALICE, PRIVATE, (PRIVATE, STAFF), "alice", "/home/alice")
OTHER = Identity(BOB, BOB, (BOB,), "bob", "/home/bob")
ROOT = Identity(0, 0, (0,), "root", "/root")
MORE_GROUPS = [0, 4, 27]
"""Groups that root itself may have, such as adm and sudo."""


@pytest.fixture(autouse=True)
def root_with_groups() -> Iterator[None]:
    """Root has supplementary groups here, and gets its own back."""
    if os.geteuid() != 0:
        yield
        return
    before = os.getgroups()
    os.setgroups(MORE_GROUPS)
    yield
    os.setgroups(before)


def ids() -> tuple[int, int, list[int]]:
    return os.geteuid(), os.getegid(), sorted(os.getgroups())


@needs_root
def test_all_of_the_users_ids_are_lent_and_given_back() -> None:
    before = ids()
    with acting_as(WHO):
        assert ids() == (ALICE, PRIVATE, sorted(WHO.groups))
        assert (os.getuid(), os.getgid()) == (0, 0)
        assert is_lent()
    assert ids() == before
    assert not is_lent()


@needs_root
def test_what_only_root_or_its_groups_may_read_is_closed_meanwhile(ground: Path) -> None:
    private, of_group = ground / "private", ground / "group"
    private.touch(0o600)
    of_group.touch(0o640)
    os.chown(of_group, 0, 27)
    with acting_as(WHO):
        for path in (private, of_group):
            with pytest.raises(PermissionError):
                path.read_text()
    assert (private.read_text(), of_group.read_text()) == ("", "")


@needs_root
def test_what_is_made_meanwhile_belongs_to_the_user(ground: Path) -> None:
    os.chown(ground, ALICE, PRIVATE)
    with acting_as(WHO):
        (ground / "made").touch()
    found = (ground / "made").stat()
    assert (found.st_uid, found.st_gid) == (ALICE, PRIVATE)


@needs_root
def test_the_groups_change_before_the_uid_and_return_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other order fails, or leaves root's groups to the user (setgroups(2), CAP_SETGID)."""
    calls: list[str] = []
    as_whom: list[int] = []
    for name in ("setgroups", "setegid", "seteuid"):
        real = getattr(os, name)

        def call(value: object, name: str = name, real: object = real) -> None:
            calls.append(name)
            if name != "seteuid":
                as_whom.append(os.geteuid())
            real(value)  # type: ignore[operator]

        monkeypatch.setattr(os, name, call)
    with acting_as(WHO):
        assert calls == ["setgroups", "setegid", "seteuid"]
        calls.clear()
    assert calls == ["seteuid", "setgroups", "setegid", "seteuid"]
    assert as_whom == [0] * 4, "only root may change them"


@needs_root
def test_an_exception_inside_gives_the_rights_back() -> None:
    before = ids()
    with pytest.raises(ZeroDivisionError), acting_as(WHO):
        1 / 0  # noqa: B018
    assert ids() == before


@needs_root
@pytest.mark.parametrize("name", ["setegid", "seteuid"])
def test_a_change_that_fails_half_way_is_undone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = ids(), getattr(os, name)

    def fail(value: int) -> None:
        if value:
            raise PermissionError(1, "no")
        real(value)

    monkeypatch.setattr(os, name, fail)
    inside: list[str] = []
    with pytest.raises(PermissionError), acting_as(WHO):
        inside.append("reached")
    assert (ids(), inside) == (before, [])


@needs_root
def test_a_second_user_inside_the_first_is_never_more_than_the_first() -> None:
    before = ids()
    with acting_as(WHO):
        for inner in (OTHER, ROOT, None):
            with acting_as(inner):
                assert ids() == (ALICE, PRIVATE, sorted(WHO.groups))
            assert ids() == (ALICE, PRIVATE, sorted(WHO.groups))
    assert ids() == before


@needs_root
@pytest.mark.parametrize("who", [None, ROOT])
def test_root_as_itself_changes_nothing(who: Identity | None) -> None:
    before = ids()
    with acting_as(who):
        assert ids() == before
        assert not is_lent()


def test_without_roots_rights_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids()
    for name in ("geteuid", "getuid"):
        monkeypatch.setattr(os, name, lambda: ALICE)
    monkeypatch.setattr(os, "setgroups", lambda _: pytest.fail("only root may"))
    monkeypatch.setattr(os, "seteuid", lambda _: pytest.fail("only root may"))
    with acting_as(WHO):
        pass
    assert as_child(WHO) == {}
    monkeypatch.undo()
    assert ids() == before


def child(*words: str, who: Identity | None) -> str:
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, timeout=20, cwd="/", **as_child(who)
    )
    return done.stdout.strip()


@needs_root
def test_a_child_has_the_users_ids_for_good_and_none_of_roots_groups() -> None:
    groups = child("id", "-G", who=WHO).split()
    assert sorted(map(int, groups)) == sorted(WHO.groups)
    status = child("cat", "/proc/self/status", who=WHO).splitlines()
    said = dict(line.split(":", 1) for line in status)
    assert said["Uid"].split() == [str(ALICE)] * 4  # real, effective, saved, of files
    assert said["Gid"].split() == [str(PRIVATE)] * 4
    assert {said[name].strip() for name in ("CapPrm", "CapEff")} == {"0" * 16}
    back = "import os\ntry: os.setuid(0)\nexcept PermissionError: print('closed')"
    assert child("/usr/bin/python3", "-I", "-c", back, who=WHO) == "closed"


@needs_root
def test_a_user_of_no_group_gets_none_of_roots() -> None:
    lone = Identity(ALICE, PRIVATE, (), "alice", "/")
    assert child("id", "-G", who=lone) == str(PRIVATE)
    with acting_as(lone):
        assert os.getgroups() == []


@needs_root
def test_a_child_of_root_keeps_roots_rights() -> None:
    assert as_child(None) == {}
    assert child("id", "-u", who=None) == "0"


def test_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {"staff": (STAFF, ["alice"]), "sudo": (27, ["bob"])}
    invent(monkeypatch, groups=groups)
    assert identity_of(ALICE) == WHO
    assert identity_named("alice") == WHO
    assert identity_of(61999) == Identity(61999, NOBODY, (NOBODY,), "61999", "/")
    assert identity_named("dave") is None
    monkeypatch.undo()
    assert identity_named("no\0body") is None


def test_root_is_root_under_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    invent(monkeypatch, users={"root": (0, 0), "toor": (0, 0), "alice": (ALICE, PRIVATE)})
    toor, alice = identity_named("toor"), identity_named("alice")
    assert toor is not None
    assert toor.is_root
    assert toor._replace(name="toor").is_root
    assert alice is not None
    assert not alice.is_root


@needs_root
def test_no_program_is_started_for_anybody_while_rights_are_lent() -> None:
    """It would have root's real uid, and could take root's rights back."""
    with acting_as(WHO):
        for who in (None, OTHER):
            with pytest.raises(RuntimeError, match="real uid"):
                as_child(who)


@needs_root
def test_only_the_main_thread_lends_rights() -> None:
    """They are the whole process's: the main thread would lose root's, or get them back."""
    failed: list[BaseException] = []

    def lend() -> None:
        try:
            with acting_as(WHO):
                pass
        except RuntimeError as refusal:
            failed.append(refusal)

    thread = threading.Thread(target=lend)
    thread.start()
    thread.join()
    assert [str(one) for one in failed] == [
        "rights are lent to the whole process, so only by its main thread"
    ]
