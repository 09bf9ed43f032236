"""`prodgen apply` as root on the files of a bench whose user is hostile: links, and races.

He gains nothing: no file of another is changed, read out, or given to him.
"""

from __future__ import annotations

import itertools
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.live.applying import Host, host
from tests.support.live.restarting import ENVIRONMENT
from tests.support.live.systemd_bench import HOME, PATH, USER
from tests.support.rig.waiting import wait_for

Figure = Callable[[str], None]
WORD = "t0psecret"
FOREIGN = "/srv/foreign"
"""A folder that only root may enter."""
KEPT = "/root/kept"
COMMON = "sites/common_site_config.json"
PLACES = [
    ("Procfile", "lines"),
    (COMMON, "precious"),
    ("sites/one.test/site_config.json", "precious"),
    ("logs/web.log", "precious"),
    ("logs/worker.error.log", "precious"),
]
SWAPS = HOME / "swaps"
SWAP = """\
import ctypes, sys
libc, here, exchange = ctypes.CDLL(None), -100, 2
names = [one.encode() for one in sys.argv[2:]]
count = 0
while True:
    for one, other in zip(names[::2], names[1::2]):
        count += libc.renameat2(here, one, here, other, exchange) == 0
    if count % 1000 < 10:
        open(sys.argv[1], "w").write(str(count))
"""
"""Exchanges each pair of names, as fast as it goes (renameat2(2))."""
ROUNDS = 300
ROUND = f"""\
import sys
from pathlib import Path
from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.deploy.apply.bench_setup import key_change, link_logs, set_keys
bench = Selection(Path(sys.argv[1]))
plan = None
while plan is None:
    made = plan_bench(bench, locked=False, programs=())
    plan, door = made.plan, made.door
read = done = 0
for number in range({ROUNDS}):
    files = plan_bench(bench, locked=False, programs=()).files
    found = [one for one in (files.procfile, files.common) if one] if files else []
    assert not any({WORD!r} in one.text for one in found), "it was read out"
    read += len(found) == 2
    link_logs(plan, door)
    try:
        set_keys(key_change(plan, door, {{"round": str(number)}}))
        done += 1
    except (OSError, ValueError):
        pass
print(read, done)
"""
"""What apply does with the files of a bench as root, again and again."""
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    with host("supervisor", quick=True) as machine:
        machine.apply()
        machine.shell(f"mkdir -m 700 {FOREIGN}; mkdir {FOREIGN}/logs {FOREIGN}/sites")
        machine.machine.put(f"{FOREIGN}/precious", f'{{"a": "{WORD}"}}\n', 0o600)
        lines = machine.bench.read("Procfile") + f"clock: sleep {WORD}\n"
        machine.machine.put(f"{FOREIGN}/lines", lines, 0o600)
        yield machine


@pytest.fixture
def run(made: Host) -> Iterator[Host]:
    """What is not the bench user's is at the end as it was, and known to nobody else."""
    made.shell(f"rm -rf {KEPT}; cp -a {PATH} {KEPT}")
    made.set(nginx={"access_log": f"/var/log/nginx/{next(_numbers)}.log"})
    before = foreign(made)
    yield made
    assert foreign(made) == before
    folders = f"/etc /var/log /var/lib/prodgen {PATH}"
    told = f"find {folders} -type f -links 1 -exec grep -l {WORD} {{}} +"
    assert made.shell(told, check=False) == ""
    for name in ("Procfile", "sites", "logs"):
        made.shell(f"rm -rf {PATH}/{name}; cp -a {KEPT}/{name} {PATH}/{name}")


def foreign(run: Host) -> str:
    """Content, owner, mode and time of what is not the bench user's."""
    return run.shell(
        f"find {FOREIGN} /etc/shadow -printf '%p %u %g %m %y %s %T@\\n' | sort; "
        f"find {FOREIGN} /etc/shadow -type f -exec sha256sum {{}} +"
    )


def apply(run: Host) -> int:
    """`prodgen apply`, which may refuse, and may not fail otherwise; its exit code."""
    ended = run.prodgen("apply", "--yes")
    assert WORD not in ended.out + ended.err, ended
    assert ended.code in (0, 1), ended
    return ended.code


@pytest.mark.matrix_cases("[ln-", "-ln]")
@pytest.mark.parametrize("how", ["ln", "ln -s"])
@pytest.mark.parametrize(("place", "source"), PLACES)
def test_a_link_to_a_file_of_roots(run: Host, how: str, place: str, source: str) -> None:
    """Made by root, since most kernels let nobody link what he may not write (proc(5))."""
    run.shell(f"rm -f {PATH}/{place}; {how} {FOREIGN}/{source} {PATH}/{place}")
    assert apply(run) == (0 if place.startswith("logs/") else 1)


@pytest.mark.parametrize("name", ["logs", "sites"])
def test_a_link_in_place_of_a_folder(run: Host, name: str) -> None:
    run.shell(f"rm -r {PATH}/{name}; ln -s {FOREIGN}/{name} {PATH}/{name}")
    apply(run)


@contextmanager
def swapping(run: Host, *names: str) -> Iterator[Callable[[], int]]:
    """The bench's user exchanges the names, two and two; how often he has by now."""
    run.machine.put("/srv/swap.py", SWAP)
    words = shlex.join(["/usr/bin/python3", "/srv/swap.py", str(SWAPS), *names])
    run.shell(f"systemd-run --quiet --unit swap -p User={USER} -p WorkingDirectory={PATH} {words}")

    def swaps() -> int:
        return int(run.shell(f"cat {SWAPS} 2>/dev/null", check=False).strip() or 0)

    try:
        wait_for(lambda: swaps() > 0, 20, "the first exchanges")
        yield swaps
    finally:
        run.shell("systemctl stop swap")


def test_names_that_are_exchanged_all_the_time(run: Host, figure: Figure) -> None:
    """A file, or a folder, and a link to one of root's, while root reads and writes."""
    links = {".p": "lines", ".c": "precious", ".l": "logs"}
    for name, target in links.items():
        run.shell(f"ln -s {FOREIGN}/{target} {PATH}/{name}")
    run.shell(f"ln {FOREIGN}/precious {PATH}/.h")
    names = ["Procfile", ".p", COMMON, ".c", COMMON, ".h", "logs", ".l"]
    argv = [sys.executable, "-c", ROUND, str(PATH)]
    with swapping(run, *names) as swaps:
        done = run.machine.run(argv, env=ENVIRONMENT, timeout=120)
        codes = [apply(run) for _ in range(5)]
        count = swaps()
    read, written = (int(word) for word in done.stdout.split())
    figure(
        f"{count} exchanges: {read} of {ROUNDS} times both files were the user's own, "
        f"{written} times keys were set, apply ended with {codes}"
    )
    assert count > 1000
    assert 0 < read < ROUNDS
    run.shell(f"cd {PATH} && rm -rf .p .c .l .h")
