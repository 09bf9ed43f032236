"""Root's half of the races: what prodgen does with a bench as root, 10,000 times over.

Prints how often it was right, was refused, and went wrong, which must be never.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[4])

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.jobs.graceful_stop import send, send_to_main_thread
from prodgen.deploy.restart.bench_migrate import _opened_log
from prodgen.deploy.system.atomic_write import write_file, write_folder
from prodgen.host.door import enter, rights_for
from prodgen.host.run_as import identity_named, start_folder

TRIES = 10_000
BENCH = Path("/home/frappe/frappe-bench")
VAULT = Path("/srv/vault")
WORD = "t0psecret"


def of_vault(status: os.stat_result) -> bool:
    """Whether it is something in the vault."""
    return (status.st_dev, status.st_ino) in {
        (one.st_dev, one.st_ino) for one in (path.stat() for path in VAULT.rglob("*"))
    }


def names() -> str:
    """Files of the bench, read."""
    return "wrong" if WORD in enter(BENCH).read("Procfile") else "right"


def folders() -> str:
    """The folder that a migration starts in."""
    door = enter(BENCH)
    with start_folder(door.path / "sites", door.owner) as place:
        return "wrong" if of_vault(Path(place).stat()) else "right"


def logs() -> str:
    """The log of migrations, opened and written."""
    with _opened_log(enter(BENCH)) as log:
        os.write(log, b"x\n")
        return "wrong" if of_vault(os.fstat(log)) else "right"


def outputs() -> str:
    """An output in a folder for everyone, where nothing is yet."""
    file, folder = Path("/tmp/attack/made.tar"), Path("/tmp/attack/made")
    with rights_for(file):
        write_file(file, b"made by root")
    with rights_for(folder):
        write_folder(folder, [])
    for place in (file, folder):
        if not place.is_symlink() and place.exists():
            if place.is_dir():
                place.rmdir()
            else:
                place.unlink()
    return "right"


def pids() -> str:
    """A signal to a process of the bench's user that ends, and whose pid root's gets at once."""
    who = identity_named("frappe")
    assert who
    first = _fork(who.uid, ends_after=secrets.randbelow(4_000))
    with contextlib.suppress(OSError, DeployError):
        send(first, signal.SIGTERM, send_to_main_thread, whose=who.uid)
    os.waitpid(first, 0)
    Path("/proc/sys/kernel/ns_last_pid").write_text(str(first - 1))
    second = _fork(0)
    sent = send(first, signal.SIGTERM, send_to_main_thread, whose=who.uid)
    os.kill(second, signal.SIGKILL)
    _, status = os.waitpid(second, 0)
    if sent or os.WTERMSIG(status) == signal.SIGTERM:
        return "wrong"
    return "reused" if second == first else "right"


def _fork(uid: int, ends_after: int | None = None) -> int:
    """A process of this user, which ends after so many steps, or waits for a signal."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(uid, uid, uid)
            if ends_after is None:
                signal.pause()
            for _ in range(ends_after or 0):
                pass
        finally:
            os._exit(0)
    return pid


def main(name: str) -> None:
    """Runs one of them."""
    rounds: dict[str, Callable[[], str]] = {
        "names": names,
        "folders": folders,
        "logs": logs,
        "outputs": outputs,
        "pids": pids,
    }
    found: Counter[str] = Counter()
    os.fsync = lambda _: None  # type: ignore[assignment]
    for _ in range(TRIES):
        try:
            found[rounds[name]()] += 1
        except (OSError, DeployError):
            found["refused"] += 1
    print("ROUNDS", name, dict(found), flush=True)
    sys.exit("a round went wrong" if found["wrong"] else 0)


if __name__ == "__main__":
    main(sys.argv[1])
