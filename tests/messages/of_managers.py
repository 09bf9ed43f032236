"""The words of what keeps prodgen from dealing with Supervisor, systemd or Redis."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
import xmlrpc.client
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import patch

from redis import exceptions

from prodgen.app.reports.text import show_diagnostics
from prodgen.deploy.apply import takeover
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.jobs import graceful_stop
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.managers.supervisor.core import rpc
from prodgen.deploy.managers.systemd import control, foreign_units
from prodgen.deploy.managers.systemd.control import Systemd
from prodgen.deploy.monitor import logs
from prodgen.deploy.queue.redis_client import Access, RedisQueue, RedisUnavailable
from prodgen.deploy.restart import bench_migrate, maintenance_mode, rolling
from prodgen.deploy.restart.selection import choose
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.session import bench_lock
from prodgen.host.door import Door
from prodgen.host.programs import Done
from prodgen.host.run_as import NOBODY, identity_of
from prodgen.plan.core.model import Role
from tests.messages.direct import Direct, raised
from tests.support.fakes.fake_manager import FakeManager
from tests.support.fakes.recorder import PLAN, make_session, services

SERVER = rpc.Server("unix:///run/supervisor.sock")
ACCESS = Access("redis://127.0.0.1:11000")
DENIED = PermissionError(errno.EACCES, "Permission denied", "/etc/systemd/system/shop.service")
BENCH = Door(Path("/home/frappe/frappe-bench"), identity_of(NOBODY)._replace(name="frappe"))
ALL = [Process(name=one.name.value, service=one) for one in PLAN.services]
WORKERS = [Process(name=one.name.value, service=one) for one in services(Role.WORKER)]


def _shown(error: DeployError) -> None:
    show_diagnostics(error.found, color=False)


def _not_installed() -> None:
    with (
        patch.object(rpc, "CONFIGS", (Path("/etc/supervisor/supervisord.conf"),)),
        patch.object(Path, "exists", lambda _: False),
    ):
        raised(lambda: rpc.find_server(None))


def _login() -> None:
    refusal = xmlrpc.client.ProtocolError("/", 401, "Unauthorized", {})

    def refuse(_self: rpc.Rpc) -> object:
        raise refusal

    with patch.object(rpc.Rpc, "_proxy", refuse):
        raised(lambda: rpc.Rpc(SERVER).call("getState"))


def _socket() -> None:
    with patch.object(rpc, "owner_and_mode", lambda _: "root:root 0700"):
        _shown(rpc.unreachable(SERVER, PermissionError()))


def _systemd(words: str) -> Callable[[], None]:
    argv = ("systemctl", "start", "frappe-bench-web@1.service")
    return lambda: _shown(Systemd._refused(Systemd.__new__(Systemd), Done(argv, 1, "", words)))


def _locked() -> None:
    def taken(*_: object) -> None:
        raise BlockingIOError

    def lock() -> None:
        with bench_lock(Path("/opt")):
            pass

    with patch.object(fcntl, "flock", taken):
        raised(lock)


def _queue(access: Access | None, trouble: Exception | None = None) -> Callable[[], None]:
    def ask(_self: RedisQueue) -> None:
        raise trouble or AssertionError

    def say() -> None:
        context = BenchContext(PLAN, BENCH, access)
        with patch.object(RedisQueue, "suspension", ask):
            raised(lambda: rolling._queue(context, WORKERS, rolling.RestartOptions()))

    return say


def _redis(trouble: Exception) -> Callable[[], None]:
    def ask() -> None:
        with RedisQueue(ACCESS)._asking():
            raise trouble

    return lambda: raised(ask)


def _no_client() -> None:
    with patch.dict(sys.modules, {"redis": None}):
        raised(lambda: RedisQueue(ACCESS))


def _signal() -> None:
    def refuse(_pid: int, _number: int) -> None:
        raise PermissionError

    raised(lambda: graceful_stop.send(1, signal.SIGCONT, how=refuse))


def _migrate() -> None:
    with patch.object(os, "geteuid", lambda: 1000):
        raised(lambda: maintenance_mode.require_rights(BENCH))


def _maintenance() -> None:
    def fail(_self: object) -> bool:
        path = "/home/frappe/frappe-bench/sites/common_site_config.json"
        raise OSError(errno.ENOSPC, "No space left on device", path)

    def enter() -> None:
        session, _ = make_session(FakeManager([]))
        with maintenance_mode.Maintenance(session).on():
            pass

    with patch.object(maintenance_mode.Maintenance, "_set", fail):
        raised(enter)


def _left_on() -> None:
    def fail(_self: Door, name: str) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", f"{BENCH.path / name}")

    with patch.object(Door, "exists", fail):
        raised(lambda: maintenance_mode.lift_noted(BENCH))


def _no_migration() -> None:
    def fail(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    def opened() -> None:
        with bench_migrate._opened_log(BENCH):
            pass

    with patch.object(os, "open", fail):
        raised(opened)


def _log() -> None:
    def fail(*_: object) -> None:
        raise DENIED

    web = Process(name="web", service=PLAN.services[0], logs=(Path("/var/log/x/web.log"),))
    with patch.object(logs, "Follower", fail):
        raised(lambda: list(logs.read_files([web], 10, follow=False)))


def _installed() -> None:
    def fail(_: Path) -> None:
        raise DENIED

    with (
        patch.object(takeover, "read_installed", fail),
        patch.object(takeover, "who_can_change", lambda _: "frappe can change /home/frappe"),
        patch.object(os, "geteuid", lambda: 0),
    ):
        raised(lambda: takeover._read(Path("/etc/supervisor/conf.d/shop.conf")))


BROKEN = "a broken server, which no bench makes"
RIGHTS = "what one may do depends on who runs the tests"
DIRECT: Mapping[str, Direct] = {
    "PG902": Direct("what is installed depends on the machine", _not_installed),
    "PG905": Direct("it takes a supervisord with a password", _login),
    "PG906": Direct(RIGHTS, _socket),
    "PG907": Direct(BROKEN, lambda: _shown(rpc.unreachable(SERVER, OSError("timed out")))),
    "PG908": Direct(BROKEN, lambda: _shown(control.not_loaded("frappe-bench-web@1.service"))),
    "PG909": Direct(BROKEN, _systemd("Job for frappe-bench-web@1.service failed.")),
    "PG910": Direct(BROKEN, _systemd("Failed to connect to bus: No medium found")),
    "PG911": Direct(RIGHTS, lambda: _shown(foreign_units._unchangeable(DENIED))),
    "PG912": Direct("it takes two at once", _locked),
    "PG913": Direct(BROKEN, lambda: raised(lambda: choose(ALL, ["wokers"], "frappe-bench"))),
    "PG914": Direct(BROKEN, lambda: raised(lambda: choose(ALL, ["redis-queue"], "frappe-bench"))),
    "PG915": Direct("it takes a loaded bench", _queue(None)),
    "PG916": Direct(
        "it takes a loaded bench",
        _queue(ACCESS, RedisUnavailable("redis_queue at 127.0.0.1:11000 does not answer")),
    ),
    "PG917": Direct(BROKEN, _redis(exceptions.AuthenticationError("WRONGPASS invalid user"))),
    "PG918": Direct(BROKEN, _redis(exceptions.ResponseError("MISCONF cannot save to disk"))),
    "PG919": Direct(BROKEN, _redis(exceptions.InvalidResponse("protocol error"))),
    "PG920": Direct("the tests have the client", _no_client),
    "PG921": Direct(RIGHTS, _signal),
    "PG922": Direct(RIGHTS, _migrate),
    "PG923": Direct(RIGHTS, _maintenance),
    "PG924": Direct(RIGHTS, _left_on),
    "PG925": Direct(RIGHTS, _no_migration),
    "PG926": Direct(RIGHTS, _log),
    "PG927": Direct(RIGHTS, _installed),
}
