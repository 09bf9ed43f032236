"""A bench of root's is given away as a whole, and nothing beside it."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodgen.deploy.privilege import hand_over as module
from prodgen.deploy.privilege.hand_over import Stays, hand_over, survey
from prodgen.host.run_as import Identity
from tests.support.plans import ROOT

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away"),
]
UID, OTHER, GID = 12345, 12346, 12347
WHO = Identity(UID, GID, (GID,), "new", "/home/new")
TRIES = 3000


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="prodgen-hand-over-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def bench(place: Path) -> Path:
    """A bench of root's."""
    folder = place / "bench"
    for name in ("apps/frappe", "sites/one.test", "logs"):
        (folder / name).mkdir(parents=True)
    (folder / "Procfile").write_text("web: bench serve\n")
    (folder / "sites/one.test/site_config.json").write_text("{}\n")
    (folder / "sites/one.test/site_config.json").chmod(0o600)
    return folder


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def test_all_of_roots_goes_and_the_survey_counts_it(bench: Path) -> None:
    everything = [bench, *bench.rglob("*")]
    modes = [path.stat().st_mode for path in everything]
    assert survey(bench, WHO).given == len(everything)
    assert {owner(path) for path in everything} == {(0, 0)}, "a survey changes nothing"
    done = hand_over(bench, WHO)
    assert done.given == len(everything)
    assert not done.stays
    assert {owner(path) for path in everything} == {(UID, GID)}
    assert [path.stat().st_mode for path in everything] == modes
    assert hand_over(bench, WHO).given == 0


def test_a_link_goes_and_what_it_leads_to_stays(bench: Path, place: Path) -> None:
    outside = place / "outside"
    outside.mkdir()
    (outside / "secret").write_text("")
    (bench / "to-file").symlink_to(outside / "secret")
    (bench / "to-folder").symlink_to(outside)
    hand_over(bench, WHO)
    assert owner(bench / "to-file") == owner(bench / "to-folder") == (UID, GID)
    assert owner(outside) == owner(outside / "secret") == (0, 0)


def test_another_group_stays_and_a_set_user_id_bit_goes(bench: Path) -> None:
    program = bench / "program"
    program.touch()
    os.chown(program, 0, OTHER)
    program.chmod(0o4755)
    hand_over(bench, WHO)
    assert owner(program) == (UID, OTHER)
    assert stat.S_IMODE(program.stat().st_mode) == 0o755


def test_a_hard_link_stays_and_is_named(bench: Path, place: Path) -> None:
    """As uv makes them of its cache, and as a user may make one of a file of root's."""
    shadow = place / "shadow"
    shadow.write_text("")
    os.link(shadow, bench / "logs/web.log")
    done = hand_over(bench, WHO)
    assert owner(shadow) == (0, 0)
    assert done.stays == {Stays.LINKED: 1}
    assert done.examples[Stays.LINKED] == ["logs/web.log"]


def test_what_is_of_others_stays_with_all_below(bench: Path) -> None:
    os.chown(bench / "logs", OTHER, OTHER)
    (bench / "logs/of-root").touch()
    (bench / "apps/of-other").touch()
    os.chown(bench / "apps/of-other", OTHER, 0)
    done = hand_over(bench, WHO)
    assert done.stays == {Stays.OTHERS: 2}
    assert owner(bench / "logs/of-root") == (0, 0)
    assert owner(bench / "apps/of-other") == (OTHER, 0)
    assert owner(bench) == (UID, GID)


@pytest.mark.parametrize(("uid", "mode"), [(UID, 0o755), (0, 0o777), (0, 0o775), (0, 0o1777)])
def test_what_others_may_have_moved_here_does_not_become_readable(
    bench: Path, uid: int, mode: int
) -> None:
    """Who owns a folder can move a file of root's from another folder of his into it."""
    for name in ("secret", "plain", "folder/inner"):
        (bench / "logs" / name).parent.mkdir(exist_ok=True)
        (bench / "logs" / name).touch(0o600)
    (bench / "logs/plain").chmod(0o644)
    os.chown(bench / "logs", uid, uid)
    (bench / "logs").chmod(mode)
    done = hand_over(bench, WHO)
    assert done.stays == {Stays.SECRET: 1}
    assert owner(bench / "logs/secret") == (0, 0)
    assert owner(bench / "logs/plain") == owner(bench / "logs/folder/inner") == (UID, GID)


def test_pipes_go_and_devices_stay(bench: Path) -> None:
    os.mkfifo(bench / "pipe")
    os.mknod(bench / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 99))
    done = hand_over(bench, WHO)
    assert owner(bench / "pipe") == (UID, GID)
    assert done.stays == {Stays.DEVICE: 1}
    assert owner(bench / "disk") == (0, 0)


@pytest.mark.parametrize("mounted", [3, 1])
def test_no_other_file_system_is_entered(bench: Path, place: Path, mounted: int) -> None:
    """Nor a part of the same one that is mounted there. A folder's device says so alone."""
    outside = place / "outside"
    outside.mkdir()
    (outside / "file").touch()
    for name in ("bound here", "memory"):
        (bench / name).mkdir()
    bound_file = bench / "bound-file"
    bound_file.touch()
    script = (
        "from pathlib import Path\n"
        "from tests.deploy.privilege.test_hand_over import WHO, hand_over, module\n"
        f"if {mounted} == 1: module._mount_of = lambda descriptor: str()\n"
        f"bench = Path({str(bench)!r})\n"
        "done = hand_over(bench, WHO)\n"
        "print({why.name: count for why, count in done.stays.items()})\n"
        "print((bench / 'memory').stat().st_uid)\n"
    )
    shell = (
        f"mount --bind {outside} '{bench}/bound here' && mount -t tmpfs none {bench}/memory"
        f' && mount --bind {outside}/file {bound_file} && exec {sys.executable} -c "$0"'
    )
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", shell, script]
    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60)
    if "unshare" in said.stderr or "mount:" in said.stderr:
        pytest.skip(f"nothing can be mounted here: {said.stderr}")
    assert said.stdout == f"{{'MOUNTED': {mounted}}}\n0\n", said.stderr
    if mounted == 3:
        assert owner(outside) == owner(outside / "file") == (0, 0)
    assert owner(bench) == (UID, GID)


def test_an_interrupted_one_leaves_the_bench_roots_and_is_run_again(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = survey(bench, WHO).given
    change, calls = module._change_owner, []

    def stops(descriptor: int, uid: int, gid: int) -> None:
        calls.append(descriptor)
        if len(calls) == whole // 2:
            raise OSError(errno.EIO, "the disk")
        change(descriptor, uid, gid)

    monkeypatch.setattr(module, "_change_owner", stops)
    with pytest.raises(OSError, match="the disk"):
        hand_over(bench, WHO)
    assert owner(bench) == (0, 0)
    monkeypatch.setattr(module, "_change_owner", change)
    done = hand_over(bench, WHO)
    assert done.given == whole - whole // 2 + 1
    assert not done.stays
    assert {owner(path) for path in (bench, *bench.rglob("*"))} == {(UID, GID)}


def test_folders_in_folders_have_an_end(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEEPEST", 3)
    (bench / "a/b/c/d/e").mkdir(parents=True)
    done = hand_over(bench, WHO)
    assert done.stays == {Stays.DEEP: 1}
    assert done.examples[Stays.DEEP] == ["a/b/c/d"]


def test_root_is_nobody_to_give_to_and_a_link_is_no_bench(bench: Path, place: Path) -> None:
    with pytest.raises(ValueError, match="root keeps"):
        hand_over(bench, Identity(0, 0, (0,), "toor", "/root"))
    link = place / "link"
    link.symlink_to(bench)
    with pytest.raises(NotADirectoryError):
        hand_over(link, WHO)
    assert owner(link) == owner(bench) == (0, 0)


SWAPPER = """
import os, sys
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2])); os.chdir(sys.argv[1])
print("swapping", flush=True)
while True:
    for name in ("file", "folder"):
        os.rename(name, name + ".kept"); os.rename(name + ".link", name)
        os.rename(name, name + ".link"); os.rename(name + ".kept", name)
"""


def test_a_swap_between_look_and_change_gains_nothing(bench: Path, place: Path) -> None:
    """The new owner has a folder in the bench already, and swaps names in it all the time."""
    outside = place / "outside"
    outside.mkdir()
    secret = outside / "secret"
    secret.touch(0o644)
    own = bench / "sites/own"
    (own / "folder").mkdir(parents=True)
    (own / "file").touch(0o644)
    (own / "folder/secret").touch(0o644)
    (own / "file.link").symlink_to(secret)
    (own / "folder.link").symlink_to(outside)
    os.chown(own, UID, UID)
    os.chown(own / "folder", UID, UID)
    inner = [os.open(own / name, os.O_RDONLY) for name in ("file", "folder/secret")]
    argv = [sys.executable, "-c", SWAPPER, str(own), str(UID)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as swapper:
        assert swapper.stdout
        swapper.stdout.readline()
        given = 0
        try:
            for _ in range(TRIES):
                for descriptor in inner:
                    os.fchown(descriptor, 0, 0)
                given += hand_over(bench, WHO).given
                assert owner(outside) == owner(secret) == (0, 0)
        finally:
            assert swapper.poll() is None, "it swapped to the end"
            swapper.kill()
    for descriptor in inner:
        os.close(descriptor)
    assert given > TRIES, "most tries met what is root's there"


def test_files_of_an_overlay_have_another_device_and_go(place: Path) -> None:
    """As in a container: its folders have the overlay's device, its files that of a layer."""
    script = (
        "from pathlib import Path\n"
        "from tests.deploy.privilege.test_hand_over import WHO, hand_over\n"
        f"bench = Path({str(place / 'merged/bench')!r})\n"
        "assert bench.stat().st_dev != (bench / 'file').stat().st_dev\n"
        "done = hand_over(bench, WHO)\n"
        "print(done.given, done.stays.total(), (bench / 'file').stat().st_uid)\n"
    )
    shell = (
        f"cd {place} && mkdir lower upper merged && mount -t tmpfs none lower"
        " && mount -t tmpfs none upper && mkdir lower/bench upper/a upper/b"
        " && touch lower/bench/file && mount -t overlay"
        " -o xino=off,lowerdir=lower,upperdir=upper/a,workdir=upper/b none merged"
        f' && cd {ROOT} && exec {sys.executable} -c "$0"'
    )
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", shell, script]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    if "unshare" in said.stderr or "mount:" in said.stderr or "AssertionError" in said.stderr:
        pytest.skip(f"no such overlay can be made here: {said.stderr}")
    assert said.stdout == f"2 0 {UID}\n", said.stderr
