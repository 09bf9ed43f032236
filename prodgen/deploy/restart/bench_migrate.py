"""`bench migrate` of one site after the other, each in a process group of its own.

It writes into a file and holds prodgen's lock: where prodgen is killed, the migration comes to its
end, and nobody begins another one meanwhile.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.privilege.admission import require_admission
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.session import POLL, Session
from prodgen.host.door import Door
from prodgen.host.programs import environment
from prodgen.host.run_as import as_child, start_folder
from prodgen.host.system_path import find_program
from prodgen.plan.core.model import Plan, Role
from prodgen.plan.core.python_module import frappe_command
from prodgen.targets.env_reader.render import with_secrets

LOG = "logs/prodgen-migrate.log"
TAIL = 12
"""Lines of the log that are shown of a migration that failed."""
MOST_TAIL = 64 * 1024
END_SECONDS = 10.0
"""For a migration to end by itself once it is told to."""


def migrate_command(plan: Plan, site: str) -> tuple[str, ...]:
    """What `bench --site SITE migrate` turns itself into (bench/cli.py), with the bench's secrets.

    Its folder is `sites`.
    """
    python = str(plan.bench.value / "env/bin/python")
    argv = (*frappe_command(python, plan.versions), "--site", site, "migrate")
    services = [one for role in (Role.WORKER, Role.WEB) for one in plan.with_role(role)]
    return with_secrets(plan, services[0], argv) if services else argv


def variables(plan: Plan) -> dict[str, str]:
    """The environment that the bench's own processes have."""
    services = [one for role in (Role.WORKER, Role.WEB) for one in plan.with_role(role)]
    given = dict(services[0].environment.value) if services else {}
    return {"HOME": str(plan.home.value), **given}


def migrate_all(session: Session, seconds: float, lock: int) -> bool:
    """Migrates every site, each within so many seconds; stops at the first one that fails.

    Says the state of each where not all are migrated, also where the run is interrupted.
    """
    done: list[str] = []
    sites = session.context.folders
    for site in sites:
        session.say("migrating", f"{site} is being migrated", site=site)
        began = time.monotonic()
        try:
            trouble = _migrate(session, site, seconds, lock)
        except BaseException:
            _say_states(session, done, site, "its migration was interrupted")
            raise
        if trouble:
            _say_states(session, done, site, f"its migration failed ({trouble})")
            session.fail(f"the migration of {site} failed: {trouble}", site=site)
            return False
        took = time.monotonic() - began
        session.say("migrated", f"{site} was migrated, in {took:.1f} s", site=site, seconds=took)
        done.append(site)
    return True


def _say_states(session: Session, done: list[str], at: str, state: str) -> None:
    """What each site is at."""
    for site in session.context.folders:
        word = "migrated" if site in done else "not migrated, as it was"
        text = f"{site}: {state if site == at else word}"
        session.say("note", text, site=site)


def _migrate(session: Session, site: str, seconds: float, lock: int) -> str:
    """Why it failed; nothing where it did not."""
    with _opened_log(session.context.door) as log:
        start = os.lseek(log, 0, os.SEEK_END)
        child = _begin(session.context, site, log, lock)
        try:
            trouble = _outcome(child, seconds)
        finally:
            _end(child)
        if trouble:
            for line in _tail(log, start):
                session.say("log", f"  {line}")
    return trouble


@contextmanager
def _opened_log(door: Door) -> Iterator[int]:
    """The log, open to write at its end and to read; its user may have put anything in its way."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    path = door.path / LOG
    try:
        with door.rights():
            log = os.open(path, flags, 0o644)
    except OSError as failure:
        raise DeployError(
            "PG925",
            f"{path} cannot be written: {(failure.strerror or str(failure)).lower()}",
            f"see who owns it: ls -ld {path}",
        ) from failure
    try:
        if not stat.S_ISREG(os.fstat(log).st_mode):
            raise DeployError("PG925", f"{path} is no ordinary file", "take it away")
        yield log
    finally:
        os.close(log)


def _begin(context: BenchContext, site: str, log: int, lock: int) -> subprocess.Popen[bytes]:
    plan, door = context.plan, context.door
    require_admission(door, plan)
    try:
        with start_folder(door.path / "sites", door.owner) as folder:
            return subprocess.Popen(
                (_setpriv(), "--no-new-privs", *migrate_command(plan, site)),
                env=environment(variables(plan), door.owner),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock,),
                **as_child(door.owner),
            )
    except OSError as failure:
        raise DeployError(
            "PG925",
            f"the migration of {site} cannot begin: {failure}",
            "see that the bench's env/bin/python runs",
        ) from failure


def _setpriv() -> str:
    """setpriv(1), which starts a program that no setuid file gives new rights."""
    found = find_program("setpriv")
    if found is None:
        raise DeployError("PG925", "setpriv is not installed", "install the package util-linux")
    return found


def _outcome(child: subprocess.Popen[bytes], seconds: float) -> str:
    """Waits for its end."""
    end = time.monotonic() + seconds
    while child.poll() is None:
        if time.monotonic() > end:
            return f"it took longer than {seconds:g} s, and was ended"
        time.sleep(POLL)
    if child.returncode < 0:
        return f"signal {-child.returncode}"
    return f"exit {child.returncode}" if child.returncode else ""


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends what still runs of it: as Ctrl-C does first, then by force."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if child.poll() is not None:
            return
        os.killpg(child.pid, number)
        try:
            child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _tail(log: int, start: int) -> list[str]:
    """The last lines that were written after the offset `start`."""
    size = os.lseek(log, 0, os.SEEK_END)
    begin = max(start, size - MOST_TAIL)
    text = os.pread(log, size - begin, begin).decode("utf-8", "replace")
    return [line for line in text.splitlines() if line.strip()][-TAIL:]
