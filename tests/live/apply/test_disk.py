"""`prodgen apply` on a full disk, or a read-only one: nothing is torn, and the next run is fine."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.live.applying import STATE, Host, host
from tests.support.live.restarting import Ended
from tests.support.live.systemd_bench import NAME

Figure = Callable[[str], None]
PAGE = 4096
FOLDERS = {str(STATE): 3, "/etc/nginx/conf.d": 1, f"/etc/prodgen/{NAME}": 1}
"""Where apply writes, and how many pages of room more the next try gets."""
AGAIN = "once more brings it to its end"
NO_ROOM = r"cannot apply: /\S+: no space left on device"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    with host("supervisor", quick=True) as machine:
        machine.apply()
        yield machine


@pytest.fixture
def run(made: Host) -> Host:
    """A bench of which files in two folders have to change."""
    number = next(_numbers)
    made.set(nginx={"access_log": f"/var/log/nginx/{number}.log"}, web={"timeout": 100 + number})
    return made


@contextmanager
def small_disk(run: Host, folder: str) -> Iterator[Callable[[int], None]]:
    """A disk of its own under a folder, as full as can be; gives it so many pages of room."""
    run.shell(
        f"cp -a {folder} /root/disk && mount -t tmpfs -o size=64m,mode=0755 tmpfs {folder} && "
        f"cp -a /root/disk/. {folder}"
    )

    def room(pages: int) -> None:
        used = int(run.shell(f"df -B {PAGE} --output=used {folder} | tail -1"))
        run.shell(f"mount -o remount,size={(used + pages) * PAGE} {folder}")

    try:
        yield room
    finally:
        run.shell(
            f"rm -r /root/disk; cp -a {folder} /root/disk; umount {folder}; "
            f"rm -rf {folder}/* ; cp -a /root/disk/. {folder}; rm -r /root/disk"
        )


@pytest.mark.matrix_cases("/var/lib", "/etc/prodgen")
@pytest.mark.parametrize(("folder", "step"), FOLDERS.items())
def test_a_full_disk(run: Host, folder: str, step: int, figure: Figure) -> None:
    old, pages, tried = run.installed(), 0, 0
    with small_disk(run, folder) as room:
        while (ended := _with_room(run, room, pages)).code == 1:
            assert re.search(NO_ROOM, ended.err), ended
            assert run.installed() == old
            pages, tried = pages + step, tried + 1
        room(1000)
        if ended.code != 0:  # what ran was told already
            assert (ended.code, AGAIN in ended.err) == (4, True), ended
        run.apply()
        new = run.installed()
        assert run.prodgen("diff", "--detailed-exitcode").code == 0
    figure(f"{folder}: full in {tried} ways, and {pages} pages of room were enough")
    assert tried
    assert new != old
    assert not any(".prodgen" in path for path in new)


def _with_room(run: Host, room: Callable[[int], None], pages: int) -> Ended:
    room(pages)
    return run.prodgen("apply", "--yes")


@pytest.mark.matrix_cases("/var/lib")
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_disk_that_is_read_only(run: Host, folder: str) -> None:
    old, pids = run.installed(), run.pids()
    run.shell(f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}")
    ended = run.prodgen("apply", "--yes")
    run.shell(f"umount {folder}")
    assert ended.code == 1, ended
    assert re.search(rf"cannot apply: {folder}/\S+: read-only file system", ended.err), ended
    assert (run.installed(), run.pids()) == (old, pids)
    assert f"{NAME}/pending" not in run.shell(f"ls -d {STATE}/*")
