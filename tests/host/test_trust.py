"""Who else can change what a path leads to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from prodgen.host.trust import Danger, danger_above, danger_at, danger_below, danger_on_way
from tests.support.accounts import (
    ALICE,
    BOB,
    CAROL,
    EMPTY,
    GROUPS,
    PRIVATE,
    STAFF,
    invent,
    needs_root,
)
from tests.support.limits import within
from tests.support.plans import ROOT

pytestmark = [pytest.mark.process, needs_root]
needs_acl = pytest.mark.skipif(shutil.which("setfacl") is None, reason="setfacl is not installed")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {**GROUPS, "staff": (STAFF, []), "listed": (62003, ["bob"]), "own": (62004, ["alice"])}
    invent(monkeypatch, groups=groups)


@pytest.fixture
def home(ground: Path) -> Path:
    """The home of alice, with a bench in it."""
    home = ground / "home"
    give(home, ALICE)
    give(home / "bench", ALICE)
    return home


def give(path: Path, uid: int, gid: int | None = None, mode: int = 0o755) -> Path:
    """A folder of this owner; the group is the user's private one unless it is given."""
    path.mkdir(exist_ok=True)
    os.chown(path, uid, uid if gid is None else gid)
    path.chmod(mode)
    return path


def found(path: Path, owner: int = ALICE) -> tuple[Path, str, str] | None:
    danger = danger_on_way(path, owner)
    return danger and (danger.place, danger.who, danger.fix)


def test_a_home_as_useradd_makes_it(home: Path) -> None:
    assert found(home / "bench") is None


def test_what_is_anothers_is_his_to_change(home: Path) -> None:
    bench = home / "bench"
    give(bench, BOB)
    assert found(bench) == (bench, "bob", f"chown -h alice: {bench}")
    assert str(Danger(*(danger_on_way(bench, ALICE) or ()))) == f"bob can change {bench}"


def test_what_is_the_users_is_not_roots_alone(home: Path) -> None:
    assert found(home / "bench", 0) == (home, "alice", f"chown -h root: {home}")


def test_an_owner_without_an_account_has_digits_for_a_name(home: Path) -> None:
    give(home, 61777)
    assert found(home) == (home, "61777", f"chown -h alice: {home}")


def test_a_folder_that_everyone_may_write(home: Path) -> None:
    home.chmod(0o757)
    assert found(home / "bench") == (home, "everyone", f"chmod o-w {home}")


def test_umask_002_and_a_private_group_is_nobody_elses(home: Path) -> None:
    home.chmod(0o775)
    (home / "bench").chmod(0o2775)
    assert found(home / "bench") is None


def test_a_private_group_counts_where_the_owner_is_another(home: Path) -> None:
    give(home, 0, PRIVATE, 0o775)
    assert found(home, BOB) == (home, "the group alice (alice)", f"chmod g-w {home}")


@pytest.mark.parametrize(
    ("gid", "who"),
    [
        (62003, "the group listed (bob)"),
        (STAFF, "the group staff (carol)"),  # it is her primary group
        (62004, None),  # only alice is in it
        (EMPTY, None),
        (0, None),
        (62999, None),  # without a name and without members
    ],
)
def test_a_group_counts_by_its_members(home: Path, gid: int, who: str | None) -> None:
    bench = give(home / "bench", ALICE, gid, 0o775)
    assert found(bench) == (who and (bench, who, f"chmod g-w {bench}"))
    bench.chmod(0o755)
    assert found(bench) is None


def test_many_members_are_counted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = ["dave", "bob", "erin", "alice", "root"]
    invent(monkeypatch, groups={"many": (62003, members)})
    give(home, ALICE, 62003, 0o775)
    assert found(home) == (home, "the group many (bob, dave and 1 more)", f"chmod g-w {home}")


def test_a_file_counts_like_a_folder(home: Path) -> None:
    file = home / "file"
    file.touch()
    os.chown(file, ALICE, PRIVATE)
    file.chmod(0o666)
    assert found(file) == (file, "everyone", f"chmod o-w {file}")


def test_the_sticky_bit_keeps_what_is_in_a_folder(home: Path) -> None:
    shared = give(home.parent / "shared", 0, mode=0o1777)
    assert found(give(shared / "bench", ALICE)) is None
    assert found(give(shared / "bobs", BOB)) == (
        shared / "bobs",
        "bob",
        f"chown -h alice: {shared / 'bobs'}",
    )
    give(shared, BOB, mode=0o1777)  # the owner of a sticky folder may replace what is in it
    assert found(shared / "bench") == (shared, "bob", f"chown -h alice: {shared}")


def test_the_sticky_bit_of_a_file_means_nothing(home: Path) -> None:
    file = home / "file"
    file.touch()
    os.chown(file, ALICE, PRIVATE)
    file.chmod(0o1666)
    assert found(file) == (file, "everyone", f"chmod o-w {file}")


def test_a_place_is_quoted_for_the_shell(home: Path) -> None:
    strange = give(home / "my $bench", ALICE, mode=0o777)
    assert found(strange) == (strange, "everyone", f"chmod o-w '{strange}'")


# --- links


def link(place: Path, target: Path | str, uid: int) -> Path:
    place.symlink_to(target)
    os.chown(place, uid, uid, follow_symlinks=False)
    return place


def test_a_link_to_a_data_disk(home: Path) -> None:
    disk = give(home.parent / "disk", 0)
    give(disk / "bench", ALICE)
    assert found(link(home / "linked", disk / "bench", ALICE)) is None
    disk.chmod(0o757)
    assert found(home / "linked") == (disk, "everyone", f"chmod o-w {disk}")


def test_a_link_of_another_user(home: Path) -> None:
    place = link(home / "linked", home / "bench", BOB)
    assert found(place) == (place, "bob", f"chown -h alice: {place}")


def test_a_link_in_another_users_folder(home: Path) -> None:
    """Row 9 of the attack: bob swaps it once root has looked."""
    bobs = give(home.parent / "bobs", BOB)
    place = link(bobs / "linked", home / "bench", 0)
    assert found(place) == (bobs, "bob", f"chown -h alice: {bobs}")


def test_a_link_that_climbs(home: Path) -> None:
    """`..` is walked where the link leads, as the kernel does."""
    disk = give(home.parent / "disk", 0)
    inner = give(give(disk / "inner", ALICE) / "deep", ALICE)
    place = link(home / "linked", inner, ALICE)
    assert found(place / ".." / ".." / "inner") is None
    disk.chmod(0o757)
    assert found(place / "..") == (disk, "everyone", f"chmod o-w {disk}")
    relative = link(home / "relative", "../disk/inner", ALICE)
    assert found(relative / "deep") == (disk, "everyone", f"chmod o-w {disk}")


def test_a_chain_of_links(home: Path) -> None:
    bobs = give(home.parent / "bobs", BOB)
    last = link(bobs / "last", home / "bench", ALICE)
    first = link(home / "first", last, ALICE)
    assert found(first / "sites") == (bobs, "bob", f"chown -h alice: {bobs}")


@pytest.mark.parametrize("target", ["loop", "other"])
def test_links_that_lead_back_to_themselves(home: Path, target: str) -> None:
    link(home / "loop", target, ALICE)
    link(home / "other", "loop", ALICE)
    with within(), pytest.raises(OSError, match="Too many levels of symbolic links"):
        danger_on_way(home / "loop" / "x", ALICE)


def test_what_is_not_there_ends_the_way(home: Path) -> None:
    assert found(home / "absent" / "x") is None
    (home / "file").touch()
    os.chown(home / "file", ALICE, PRIVATE)
    assert found(home / "file" / "x") is None
    assert found(link(home / "dangling", "absent", ALICE)) is None
    home.chmod(0o757)
    assert found(home / "absent") == (home, "everyone", f"chmod o-w {home}")


# --- what is above a file, and below a folder


def by_what(file: Path) -> str:
    return str(danger_above(file) or "")


def test_whose_a_file_is_does_not_count_but_its_folder_does(ground: Path) -> None:
    folder = give(ground / "etc", 0)
    file = folder / "secrets.env"
    assert by_what(file) == "", "it is not there yet"
    file.touch()
    os.chown(file, ALICE, PRIVATE)
    file.chmod(0o666)
    assert by_what(file) == ""
    give(folder, ALICE)
    assert by_what(file) == f"alice can change {folder}"


def test_in_a_sticky_folder_a_file_may_become_another(ground: Path) -> None:
    folder = give(ground / "shared", 0, mode=0o1777)
    assert danger_on_way(folder) is None
    assert by_what(folder / "absent") == f"everyone can change {folder}"
    (folder / "file").touch()
    assert by_what(folder / "file") == f"everyone can change {folder}"
    give(folder / "inner", 0)
    assert by_what(folder / "inner" / "file") == ""


def test_above_a_file_that_a_chain_of_links_leads_to(home: Path) -> None:
    etc = give(home.parent / "etc", 0)
    (etc / "file").touch()
    assert by_what(link(etc / "first", "file", 0)) == ""
    inner = link(home / "inner", etc / "file", 0)
    assert by_what(link(etc / "second", inner, 0)) == f"alice can change {home}"
    theirs = link(etc / "theirs", "file", ALICE)
    assert by_what(theirs) == f"alice can change {theirs}"


def test_what_is_below_a_folder(ground: Path) -> None:
    out = give(ground / "out", 0)
    give(out / "nginx", 0)
    (out / "nginx/x.conf").touch()
    link(out / "link", home := give(ground / "home", ALICE), 0)
    (home / "own").touch()
    assert danger_below(out) is None, "a link's own folder is not below"
    os.chown(out / "nginx/x.conf", ALICE, PRIVATE)
    assert str(danger_below(out)) == f"alice can change {out / 'nginx/x.conf'}"
    give(out / "nginx", 0, mode=0o777)
    assert str(danger_below(out)) == f"everyone can change {out / 'nginx'}"


def test_what_vanishes_meanwhile_holds_nobody_up(
    ground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "walk", lambda _: iter([(str(ground), ["gone"], ["gone.pyc"])]))
    assert danger_below(ground) is None


# --- access control lists


def setfacl(*words: str) -> None:
    subprocess.run(["setfacl", *words], check=True, timeout=20)


@pytest.mark.process
@needs_acl
def test_an_acl_for_another_user(home: Path) -> None:
    setfacl("-m", f"u:{BOB}:rwx", str(home))
    assert found(home / "bench") == (home, "bob", f"setfacl -x u:bob {home}")


@pytest.mark.process
@needs_acl
@pytest.mark.parametrize("entry", [f"u:{ALICE}:rwx", "u:0:rwx", f"u:{BOB}:r-x", f"g:{EMPTY}:rwx"])
def test_an_acl_that_gives_nobody_else_the_right_to_write(home: Path, entry: str) -> None:
    setfacl("-m", entry, str(home))
    assert found(home / "bench") is None


@pytest.mark.process
@needs_acl
def test_an_acl_for_a_group(home: Path) -> None:
    setfacl("-m", f"g:{STAFF}:rwx", str(home))
    assert found(home / "bench") == (
        home,
        "the group staff (carol)",
        f"setfacl -x g:staff {home}",
    )


@pytest.mark.process
@needs_acl
def test_the_mask_of_an_acl_bounds_its_entries(home: Path) -> None:
    setfacl("-m", f"u:{BOB}:rwx,g:{STAFF}:rwx", str(home))
    setfacl("-m", "m::r-x", str(home))
    assert found(home / "bench") is None


@pytest.mark.process
@needs_acl
def test_the_owning_group_under_an_acl(home: Path) -> None:
    """With an ACL the mode shows the mask where the group's bits would be (acl(5))."""
    os.chown(home, ALICE, STAFF)
    setfacl("-m", f"u:{ALICE}:rwx,g::r-x,m::rwx", str(home))
    assert home.stat().st_mode & 0o020
    assert found(home / "bench") is None
    setfacl("-m", "g::rwx", str(home))
    assert found(home / "bench") == (home, "the group staff (carol)", f"chmod g-w {home}")


@pytest.mark.process
@needs_acl
def test_an_acl_hides_nothing_behind_its_first_entry(home: Path) -> None:
    setfacl("-m", f"u:{ALICE}:rwx,u:{CAROL}:r--,u:{BOB}:rwx", str(home))
    assert found(home) == (home, "bob", f"setfacl -x u:bob {home}")


@pytest.mark.process
@needs_acl
def test_an_acl_and_the_sticky_bit(home: Path) -> None:
    shared = give(home.parent / "shared", 0, mode=0o1777)
    setfacl("-m", f"u:{BOB}:rwx", str(shared))
    assert danger_at(shared, shared.lstat(), ALICE) is None


# --- root without its powers over files, as on NFS with root_squash

SQUASHED = """\
import json, sys
from pathlib import Path
from prodgen.host.trust import danger_on_way
try:
    print(json.dumps(str(danger_on_way(Path(sys.argv[1]), int(sys.argv[2])))))
except OSError as failure:
    print(json.dumps(f"{failure.strerror}: {failure.filename}"))
"""


def squashed(path: Path) -> str:
    """What `danger_on_way` says as a root whom the modes of files bind like anybody else."""
    caps = "-dac_override,-dac_read_search"
    argv = ["setpriv", "--bounding-set", caps, "--inh-caps", caps, sys.executable, "-c", SQUASHED]
    done = subprocess.run(
        [*argv, str(path), str(ALICE)],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
        check=True,
    )
    return str(json.loads(done.stdout))


@pytest.mark.process
def test_a_folder_that_bars_even_root_is_said(home: Path) -> None:
    assert squashed(home / "bench") == "None"
    home.chmod(0o700)
    assert squashed(home / "bench") == f"Permission denied: {home / 'bench'}"
    home.chmod(0o707)
    assert squashed(home / "bench") == f"everyone can change {home}"
