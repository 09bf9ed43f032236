"""Whose a bench is, and with whose rights root reads it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prodgen.host.door import NOWHERE, Door, enter, in_danger, rights_for
from prodgen.host.run_as import NOBODY, Identity, identity_of
from tests.support.accounts import ALICE, BOB, PRIVATE, invent, needs_root
from tests.support.limits import within

pytestmark = needs_root
SECRET = "root's own\n"


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    users = {"root": (0, 0), "alice": (ALICE, PRIVATE), "bob": (BOB, BOB), "nobody": (NOBODY,) * 2}
    invent(monkeypatch, users=users)


@pytest.fixture
def bench(ground: Path) -> Path:
    """A bench of alice's, in her home."""
    for folder in (ground / "home", ground / "home/bench", ground / "home/bench/sites"):
        folder.mkdir()
        os.chown(folder, ALICE, PRIVATE)
    file = ground / "home/bench/Procfile"
    file.write_text("web: x\n")
    os.chown(file, ALICE, PRIVATE)
    return ground / "home/bench"


@pytest.fixture
def secret(ground: Path) -> Path:
    file = ground / "secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    return file


def give(path: Path, uid: int) -> None:
    for one in (path, *path.rglob("*")):
        os.chown(one, uid, uid, follow_symlinks=False)


def test_a_bench_is_read_and_acted_for_as_its_owner(bench: Path) -> None:
    door = enter(bench)
    alice = Identity(ALICE, PRIVATE, (PRIVATE,), "alice", "/home/alice")
    assert door == Door(bench, alice, alice)
    with door.rights():
        assert (os.geteuid(), os.getegid(), os.getgroups()) == (ALICE, PRIVATE, [PRIVATE])
    assert door.read("Procfile") == "web: x\n"
    assert door.read("absent") == ""
    assert door.folders(".") == ["sites"]
    assert door.folders("absent") == []
    assert door.exists("Procfile")
    assert not door.exists("absent")


def test_a_link_to_a_file_of_roots_is_not_read(bench: Path, secret: Path) -> None:
    """Row 1 of the attack."""
    (bench / "Procfile").unlink()
    (bench / "Procfile").symlink_to(secret)
    door = enter(bench)
    with pytest.raises(PermissionError):
        door.read("Procfile")
    assert door.exists("Procfile")


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(bench: Path) -> None:
    (bench / "Procfile").unlink()
    os.mkfifo(bench / "Procfile")
    with within(), pytest.raises(OSError, match="a named pipe"):
        enter(bench).read("Procfile")


def test_the_owner_is_told_by_uid(bench: Path) -> None:
    door = enter(bench)
    assert door.is_of("alice")
    assert not door.is_of("bob")
    assert not door.is_of("dave")  # there is no such user
    assert not door.is_of("root")


def test_the_path_is_resolved_once_and_the_way_is_looked_at_as_typed(
    bench: Path, ground: Path
) -> None:
    """Row 9: the link in bob's folder may lead elsewhere tomorrow."""
    bobs = ground / "bobs"
    bobs.mkdir()
    (bobs / "linked").symlink_to(bench)
    give(bobs, BOB)
    door = enter(bobs / "linked")
    assert (door.path, door.owner.uid) == (bench, ALICE)
    assert door.danger is not None
    assert (door.danger.place, door.danger.who) == (bobs, "bob")
    told = in_danger(door.danger)
    assert told.message == f"bob can change {bobs}, and with it the bench that root acts on"
    assert told.help == f"chown -h alice: {bobs}"
    assert enter(bench).danger is None


def test_a_public_bench_of_roots_is_read_as_nobody(bench: Path, secret: Path) -> None:
    """What root reads ends up where everybody may read it."""
    give(bench, 0)
    (bench / "private").symlink_to(secret)
    door = enter(bench)
    assert door.owner.is_root
    assert door.reader == identity_of(NOBODY)
    assert door.read("Procfile") == "web: x\n"
    with pytest.raises(PermissionError):
        door.read("private")
    with door.rights():
        assert os.geteuid() == NOBODY


@pytest.mark.parametrize("mode", [0o700, 0o744, 0o766])
def test_a_private_bench_of_roots_is_read_as_root(bench: Path, secret: Path, mode: int) -> None:
    """Nobody else can have put anything there."""
    give(bench, 0)
    bench.chmod(mode)
    (bench / "private").symlink_to(secret)
    door = enter(bench)
    assert door.reader is None
    assert door.read("private") == SECRET


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o711])
def test_a_bench_that_some_may_enter_is_not_private(bench: Path, mode: int) -> None:
    give(bench, 0)
    bench.chmod(mode)
    assert enter(bench).reader == identity_of(NOBODY)


def test_a_closed_folder_above_makes_a_bench_private_only_where_it_is_roots(bench: Path) -> None:
    give(bench, 0)
    home = bench.parent
    home.chmod(0o700)  # alice's
    assert enter(bench).reader == identity_of(NOBODY)
    os.chown(home, 0, 0)
    assert enter(bench).reader is None


def test_without_roots_rights_nothing_is_lent(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bench.parent / "linked").symlink_to(bench)
    bench.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: ALICE)
    door = enter(bench.parent / "linked")
    assert (door.path, door.owner.uid, door.reader, door.danger) == (bench, ALICE, None, None)


def test_a_bench_that_is_not_there_is_closed(ground: Path) -> None:
    door = enter(ground / "absent")
    assert door.closed == f"{ground / 'absent'}: no such file or directory"
    assert door.owner.uid == NOBODY
    assert door.reader == identity_of(NOBODY)
    with door.rights():
        assert os.geteuid() == NOBODY
    assert NOWHERE.closed
    assert not NOWHERE.owner.is_root


def test_a_loop_of_links_is_closed(ground: Path) -> None:
    (ground / "loop").symlink_to("loop")
    assert "too many levels of symbolic links" in enter(ground / "loop").closed


# --- whose rights a path that was named is read with


def lent(path: Path) -> int:
    with rights_for(path):
        return os.geteuid()


def test_rights_for_a_path(bench: Path, secret: Path, ground: Path) -> None:
    assert lent(secret) == 0
    assert lent(bench / "Procfile") == ALICE
    assert lent(bench / "absent") == ALICE
    linked = bench / "linked"
    linked.symlink_to(secret)
    assert lent(linked) == ALICE
    (ground / "open").mkdir()
    (ground / "open").chmod(0o777)
    assert lent(ground / "open/x") == NOBODY
    (ground / "loop").symlink_to("loop")
    assert lent(ground / "loop") == NOBODY


def test_rights_for_a_link_of_roots_into_a_users_folder(bench: Path, ground: Path) -> None:
    (ground / "linked").symlink_to(bench / "Procfile")
    assert lent(ground / "linked") == ALICE
