"""`prodgen adopt` that is killed on its way, and what the bench's visitors notice of one."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.live.adopting import set_up
from tests.support.live.applying import SITE, Host, host
from tests.support.live.restarting import ENVIRONMENT, Ended
from tests.support.live.systemd_bench import NAME, PATH
from tests.support.plans import ROOT
from tests.support.rig.client import fetch
from tests.support.rig.waiting import wait_for

Figure = Callable[[str], None]
THEIRS = ROOT / "tests/review/adopt/adopted/by-hand"
SHARES = (0.2, 0.4, 0.6, 0.8, 0.98)
ADOPT = ("adopt", "--yes", "--leave-out")
PING = "/api/method/ping"
PAUSE = 0.005
LONGEST_GAP = 5.0
FILES = f"find /etc/nginx /etc/supervisor /etc/prodgen/{NAME} -type f -o -type l | xargs sha256sum"


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("supervisor", supervisor=False) as made:
        texts = ((THEIRS / f"{name}.conf").read_text() for name in ("nginx", "supervisor"))
        set_up(made, *texts)
        yield made


def with_fault(run: Host, body: str) -> Ended:
    """`prodgen adopt`, called by a script of its own."""
    script = (
        "import sys\nfrom tests.support import faults\nfrom prodgen.cli.main import main\n"
        "from prodgen.deploy.apply import apply, journal\n"
        f"sys.argv = ['prodgen', *{ADOPT!r}, '-C', {str(PATH)!r}]\n{body}"
    )
    variables = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
    argv = ["env", "-i", "-C", str(ROOT), *variables, sys.executable, "-c", script]
    done = run.machine.run(argv, check=False, timeout=120)
    return Ended(done.returncode, done.stdout, done.stderr)


def files(run: Host) -> dict[str, str]:
    """What is installed, without what an apply has beside it while it works."""
    pairs = (line.split(None, 1) for line in run.shell(FILES, check=False).splitlines())
    return {path: digest for digest, path in pairs if ".prodgen-" not in path}


LAST = """
def stop(job, *_):
    left = journal.read_journal(job.state)
    print(seen.count, flush=True)
    journal.write_journal(job.state, left._replace(phase=journal.Phase.REPLACING))
    faults.die()
with faults.at_call(0, lambda: None) as seen:
    apply._activate = stop
    main()
"""
"""Dies when the last file is new and nobody has noted it; says how many calls change files."""


class Visitor:
    """Somebody who asks for a page again and again while the block lasts."""

    def __init__(self, run: Host) -> None:
        self.run = run
        self.asked = 0
        self.answered = 0.0
        """When the last answer came."""
        self.failed: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._visit)

    def _visit(self) -> None:
        while not self._ended.is_set():
            self.asked += 1
            with contextlib.suppress(OSError):
                answer = fetch(("127.0.0.1", 80), PING, host=SITE, place=self.run.machine)
                if answer.status == 200:
                    self.answered = time.monotonic()
                    continue
            self.failed.append(time.monotonic())
            time.sleep(PAUSE)

    @property
    def gap(self) -> float:
        """Seconds from the first failure to the last."""
        return self.failed[-1] - self.failed[0] if self.failed else 0.0

    def __enter__(self) -> Visitor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def test_a_killed_adopt_is_undone_by_the_next_run(run: Host) -> None:
    old, pids = files(run), run.pids()
    killed = with_fault(run, LAST)
    count = int(killed.out.split()[-1])
    seen = [files(run)]
    for share in SHARES:
        with_fault(run, f"with faults.at_call({int(count * share)}, faults.die):\n    main()\n")
        seen.append(files(run))
    new = seen[0]
    assert new != old
    for found in seen:
        assert set(found.items()) <= {*old.items(), *new.items()}
    assert run.pids() == pids
    refused = run.prodgen("apply", "--yes")
    assert refused.code == 1, refused
    assert "`prodgen adopt` takes over" in refused.err
    assert files(run) == old


@pytest.mark.matrix
def test_it_is_ended_where_all_files_are_new(run: Host, figure: Figure) -> None:
    """Requests fail only while the old Gunicorn has let go of the port, and ours has not got it."""
    redis = {name: pid for name, pid in run.pids().items() if "redis" in name}
    with Visitor(run) as visitor:
        with_fault(run, "apply._activate = lambda *_: faults.die()\nmain()\n")
        assert not visitor.failed
        ended = run.prodgen(*ADOPT)
        late = time.monotonic()
        wait_for(lambda: visitor.answered > late, 20, "an answer after adopt has ended")
    count = len(visitor.failed)
    figure(f"{count} of {visitor.asked} requests failed within {visitor.gap * 1000:.0f} ms")
    assert ended.code == 0, ended
    assert "brought to its end" in ended.err
    assert visitor.gap < LONGEST_GAP
    assert all(one < late for one in visitor.failed)
    assert redis.items() <= run.pids().items()
    assert run.prodgen("diff", "--detailed-exitcode").code == 0
