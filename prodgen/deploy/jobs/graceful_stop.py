"""Telling a worker to end, so that no job is lost: one SIGTERM, at a moment when none is in hand.

RQ loses a job where SIGTERM meets a worker that has popped it and not yet marked itself busy
(rq/worker.py, `_shutdown`). So the worker is held still (SIGSTOP) for a millisecond, and Redis is
asked: a worker that is busy or suspended, or whose blocking pop could be ended without a job
(CLIENT UNBLOCK), has none in hand. Nothing is suspended for it, and other queues flow on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.queue.redis_client import RedisQueue
from prodgen.deploy.system import procfs
from prodgen.host.run_as import Identity, as_child
from prodgen.host.system_path import SYSTEM_PATH

SAFE = frozenset({"busy", "suspended", "started"})
"""States in which no job is in hand, or RQ knows of the one that is."""
PATIENCE = 15.0
PAUSE = 0.02
CALM_SECONDS = 0.3
WATCH = 'cat >/dev/null; kill -CONT "$@" 2>/dev/null'
"""Lets the workers go on when its input ends, as it does with prodgen, however that ends."""
WATCH_SECONDS = 2.0
"""For the watch to end by itself."""


@contextlib.contextmanager
def resume_on_crash(pids: Sequence[int], who: Identity | None = None) -> Iterator[None]:
    """While it lasts, a sudden end of prodgen (kill -9) leaves no process held still.

    The watch runs as `who`, whose processes they are: a pid may be somebody else's by its end.
    """
    argv = ["/bin/sh", "-c", WATCH, "sh", *(str(pid) for pid in pids)]
    watch = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": SYSTEM_PATH},
        cwd="/",
        start_new_session=True,
        **as_child(who),
    )
    try:
        yield
    finally:
        if watch.stdin:
            watch.stdin.close()
        try:
            watch.wait(WATCH_SECONDS)
        except subprocess.TimeoutExpired:  # its user can hold it still
            watch.kill()
            watch.wait()


def send_to_main_thread(pid: int, number: int) -> None:
    """kill(2), but to the thread that Python runs its handlers in (tgkill(2)).

    A process that is held still gives a signal to whichever thread wakes first. RQ listens in a
    second one, and then the first would not hear of it before the job's end.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "tgkill"):  # before glibc 2.30
        os.kill(pid, number)
    elif libc.tgkill(pid, pid, number) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def send(
    pid: int,
    number: signal.Signals,
    how: Callable[[int, int], None] | None = None,
    whose: int | None = None,
) -> bool:
    """Sends a signal to a process of the user `whose` (a uid; None for anybody's).

    False if the process is gone, or its pid is by now that of another user's. Raises
    DeployError if we may not. `how` sends it in another way than kill(2).
    """
    try:
        handle = os.pidfd_open(pid)  # whoever gets its pid later is another process
    except ProcessLookupError:
        return False
    try:
        if whose is not None and procfs.owner(pid) != whose:
            return False
        if how:
            how(pid, number)
        else:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    except PermissionError as failure:
        raise DeployError(
            "PG921",
            f"you may not send signals to process {pid}",
            "run prodgen as the bench's user, or with sudo",
        ) from failure
    finally:
        os.close(handle)
    return True


def nothing() -> None:
    """What comes after the signal where nothing has to."""


def terminate_when_idle(
    pid: int,
    worker: str,
    queue: RedisQueue,
    then: Callable[[], None] = nothing,
    whose: int | None = None,
) -> bool:
    """One SIGTERM at a safe moment; False where none came within `PATIENCE`, or it is gone.

    `worker` is its name in Redis, empty where Redis has lost it. Only within `resume_on_crash`.
    `then` is done before the worker hears of the signal, so a manager's own SIGTERM counts for
    nothing: RQ takes no second one within a second (rq/worker.py, `request_force_stop`).
    """
    tell = partial(_told, pid, then, whose=whose)
    end = time.monotonic() + PATIENCE
    ports = procfs.local_ports(pid)
    if not _shows_pops(queue, ports):
        return _tell_by_its_calm(pid, worker, queue, end, tell)
    while time.monotonic() < end:
        if not send(pid, signal.SIGSTOP, whose=whose):
            return False
        try:
            if _has_no_job_in_hand(pid, worker, ports, queue):
                return _told(pid, then, send_to_main_thread, whose)
        finally:
            send(pid, signal.SIGCONT, whose=whose)
        time.sleep(PAUSE)
        ports = procfs.local_ports(pid)
    if queue.blocked():
        return False
    return _tell_by_its_calm(pid, worker, queue, end + PATIENCE, tell)


def _shows_pops(queue: RedisQueue, ports: set[int]) -> bool:
    """Whether the worker's own pop can be told from others': over a unix socket none has a port."""
    blocked = queue.blocked()
    return bool(ports) and not any(client.port == 0 for client in blocked)


def _told(
    pid: int,
    then: Callable[[], None],
    how: Callable[[int, int], None] | None = None,
    whose: int | None = None,
) -> bool:
    found = send(pid, signal.SIGTERM, how, whose)
    if found:
        then()
    return found


def _tell_by_its_calm(
    pid: int,
    worker: str,
    queue: RedisQueue,
    end: float,
    tell: Callable[[], bool],
) -> bool:
    """The same where pops cannot be told apart: a worker that stays idle is likely in a pop.

    That leaves a moment in which a job may be lost, as with every other way to stop RQ.
    """
    while time.monotonic() < end:
        if not procfs.stat(pid):
            return False
        before = queue.state(worker) if worker else ""
        time.sleep(CALM_SECONDS)
        if before in SAFE or (before == "idle" and queue.state(worker) == "idle"):
            return tell()
    return False


def _has_no_job_in_hand(pid: int, worker: str, ports: set[int], queue: RedisQueue) -> bool:
    """Whether SIGTERM is safe for a worker that is held still."""
    state = queue.state(worker) if worker else ""
    if state in SAFE or (not state and procfs.descendants(pid)):
        return True
    return any(queue.unblock(one.id) for one in queue.blocked() if one.port in ports)


def kill_tree(pid: int, whose: int | None = None) -> None:
    """SIGKILL to a process and to all that came of it: a work-horse would outlive its worker.

    Only to those of the user `whose` (a uid), if one is given.
    """
    for each in (pid, *procfs.descendants(pid)):
        send(each, signal.SIGKILL, whose=whose)
