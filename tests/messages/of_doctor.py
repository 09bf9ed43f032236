"""The words of what `doctor` finds, and of what keeps a service from running."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from prodgen.app.reports.text import show_diagnostics
from prodgen.deploy.doctor import benches, confinement, files, host, keys, rights, run, secrets
from prodgen.deploy.doctor.finding import Finding
from prodgen.deploy.managers.core.base import Process, State
from prodgen.deploy.managers.supervisor import backend
from prodgen.deploy.privilege.restart_right import RestartRight, Way
from prodgen.deploy.privilege.sudo import Grant
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.system import procfs
from prodgen.host.door import Door
from prodgen.host.programs import Done
from prodgen.host.run_as import NOBODY, identity_of
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from tests.messages.direct import Direct
from tests.messages.of_apply import PAIR, settled
from tests.support.fakes.fake_manager import FakeManager
from tests.support.fakes.fake_redis import ACCESS
from tests.support.fakes.recorder import PLAN

Patch = tuple[object, str, object]
"""What is patched, its attribute, and the value in its place."""
FRAPPE = identity_of(NOBODY)._replace(name="frappe")
BENCH = Door(Path("/home/frappe/frappe-bench"), FRAPPE)
CONTEXT = BenchContext(PLAN, BENCH, ACCESS)
CHAIN = str(PAIR["ssl_certificate"])
WEB = Process(name="web", service=PLAN.services[0], pid=4711, state=State.DOWN)
SIGNED = "notAfter=Jan 01 00:00:00 2026 GMT\nDNS:one.test\n"
ENDED, SOON = 1_767_830_400, 1_766_620_800
"""A week after and before that."""


def doctor(code: str, call: Callable[[], Iterable[Finding]], *patches: Patch) -> Direct:
    """A finding of this code, on a machine that is as the patches say."""

    def say() -> None:
        with ExitStack() as stack:
            for where, name, value in patches:
                stack.enter_context(patch.object(where, name, value))
            found = list(call())
        said = [one.diagnostic for one in found if one.code == code and one.diagnostic]
        show_diagnostics(said[:1], color=False)

    return Direct("what doctor finds depends on the machine", say)


def answer(value: object) -> Callable[..., Any]:
    """A function that answers so whatever it is asked."""
    return lambda *_, **__: value


def fail(error: BaseException) -> Callable[..., Any]:
    """A function that raises this whatever it is asked."""

    def failing(*_: object, **__: object) -> object:
        raise error

    return failing


def flags(**given: bool) -> Callable[[], Iterable[Finding]]:
    """The check of the flags of a bench that has these."""
    context = BenchContext(PLAN, BENCH, ACCESS, flags=given)
    return lambda: run.check_flags(context)


def _redis(policy: str, limit: str, suspended: tuple[str, int]) -> Patch:
    class Queue:
        def __init__(self, _access: object) -> None:
            pass

        def setting(self, name: str) -> str:
            return policy if name == "maxmemory-policy" else limit

        def suspension(self) -> tuple[str, int]:
            return suspended

    return run, "RedisQueue", Queue


def _rights(grants: list[Grant], hook: str = "") -> Callable[[], Iterable[Finding]]:
    right = RestartRight(Way.SUDO, "sudo -n prodgen restart")
    found = rights.Rights(CONTEXT, FRAPPE, grants, right, hook)

    def check() -> Iterable[Finding]:
        with (
            patch.object(rights, "_rights", answer(found)),
            patch.object(rights, "_may_directly", answer(False)),
            patch.object(rights, "program_words", answer(["/usr/local/bin/prodgen"])),
            patch.object(rights, "_steps", answer(["visudo -f FILE"])),
            patch.object(os, "geteuid", lambda: 1000),
        ):
            return list(rights.check_rights(CONTEXT, [], None))

    return check


def _socket(mode: int) -> Callable[[], Iterable[Finding]]:
    state = os.stat_result((stat.S_IFSOCK | mode, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    server = type("Server", (), {"socket": "/run/supervisor.sock"})
    found = rights.Rights(CONTEXT, FRAPPE, [], RestartRight(Way.SOCKET), "")

    def check() -> Iterable[Finding]:
        with (
            patch.object(rights, "_rights", answer(found)),
            patch.object(backend, "find_server", answer(server)),
            patch.object(rights, "may_use", answer((True, mode))),
            patch.object(rights, "owner_and_mode", answer(f"root:root {mode:04o}")),
            patch.object(rights, "_steps", answer(["visudo -f FILE"])),
            patch.object(Path, "stat", answer(state)),
        ):
            return list(rights.check_socket(CONTEXT, None))

    return check


def _owned(uid: int, mode: int) -> os.stat_result:
    return os.stat_result((stat.S_IFREG | mode, 0, 0, 1, uid, uid, 5, 0, 0, 0))


def _certificate(now: float) -> Callable[[], Iterable[Finding]]:
    return lambda: files.check_certificates(settled("", site=PAIR), now)


def _secrets() -> Iterable[Finding]:
    plan = settled("manager: supervisor\nenv_file: /etc/frappe/secrets.env")
    return secrets.check_secrets(plan)


def _room(free: int) -> Patch:
    return shutil, "disk_usage", answer(type("Usage", (), {"free": free, "total": 50 * 1024**3}))


def _of_user() -> Plan:
    return settled("manager: systemd\nsystemd: {scope: user}")


def _asks_node(done: Done) -> tuple[Patch, ...]:
    return (host, "bars", answer([])), (host, "run_for", answer(done))


def _is_down() -> list[Finding]:
    found: list[Finding] = []
    run._processes(PLAN, FakeManager([WEB]), found)
    return found


MAPPED = "nginx: {certificates: map}"
SHOP = Path("/home/shop/frappe-bench")
DENIED = Done(("node", "--version"), 126, "", "node: Permission denied")
OLD_NODE = Done(("node", "--version"), 0, "v12.22.9\n", "")
DIRECT: Mapping[str, Direct] = {
    "PG930": doctor("PG930", _is_down),
    "PG949": doctor("PG949", lambda: host.check_clock(-1)),
    "PG950": doctor("PG950", flags(developer_mode=True)),
    "PG951": doctor("PG951", flags()),
    "PG952": doctor("PG952", flags(restart_systemd_on_update=True)),
    "PG953": doctor("PG953", flags(restart_systemd_on_update=True)),
    "PG954": doctor("PG954", flags(), (run, "is_left_on", answer(True))),
    "PG955": doctor("PG955", flags(maintenance_mode=True), (run, "is_left_on", answer(False))),
    "PG956": doctor(
        "PG956", lambda: run.check_redis(CONTEXT), _redis("noeviction", "0", ("admin", -1))
    ),
    "PG957": doctor(
        "PG957", lambda: run.check_redis(CONTEXT), _redis("allkeys-lru", "52428800", ("", 0))
    ),
    "PG958": doctor("PG958", _rights([Grant("/usr/bin/supervisorctl")])),
    "PG959": doctor("PG959", _rights([])),
    "PG960": doctor("PG960", _rights([]), (rights.Rights, "is_granted", property(lambda _: True))),
    "PG961": doctor("PG961", _socket(0o777)),
    "PG962": doctor("PG962", _socket(0o770)),
    "PG963": doctor(
        "PG963", lambda: host.check_linger(_of_user()), (Path, "exists", answer(False))
    ),
    "PG964": doctor("PG964", lambda: host.check_node(PLAN, BENCH), *_asks_node(DENIED)),
    "PG965": doctor("PG965", lambda: host.check_database({}), (host, "answers", answer(False))),
    "PG966": doctor(
        "PG966",
        lambda: files.check_assets(BENCH),
        (Path, "exists", answer(True)),
        (files, "read_whole", answer(b"user www-data;")),
        (files, "identity_named", answer(FRAPPE)),
        (files, "_lets", lambda path, _: str(path) != "/home/frappe"),
    ),
    "PG967": doctor("PG967", _secrets, (Path, "stat", fail(FileNotFoundError()))),
    "PG968": doctor(
        "PG968",
        _secrets,
        (Path, "stat", answer(_owned(1000, 0o644))),
        (secrets, "_name_of", answer("frappe")),
    ),
    "PG969": doctor(
        "PG969",
        _secrets,
        (Path, "stat", answer(_owned(1000, 0o600))),
        (secrets, "_name_of", answer("frappe")),
        (
            secrets,
            "read_source",
            answer((Source("/etc/frappe/secrets.env", "KEY=a b\n", secret=True), None)),
        ),
    ),
    "PG970": doctor("PG970", _certificate(SOON), (files, "_shown", fail(ValueError("no PEM")))),
    "PG971": doctor("PG971", _certificate(SOON), (files, "_shown", answer("DNS:two.test"))),
    "PG972": doctor("PG972", _certificate(ENDED), (files, "_shown", answer(SIGNED))),
    "PG973": doctor("PG973", _certificate(SOON), (files, "_shown", answer(SIGNED))),
    "PG974": doctor(
        "PG974",
        lambda: keys.check_keys(settled("", site=PAIR)),
        (keys, "faults_of", answer({("c", "k"): f"{CHAIN} is not there"})),
    ),
    "PG975": doctor(
        "PG975",
        lambda: keys.check_readers([(CHAIN, "/etc/ssl/key.pem")], "www-data"),
        (os, "geteuid", lambda: 0),
        (keys, "identity_named", answer(FRAPPE)),
        (keys, "unreadable", answer(["/etc/ssl/key.pem"])),
        (keys, "run", lambda words, **_: Done(tuple(words), int(words[-1] == "/etc/ssl"), "", "")),
    ),
    "PG976": doctor(
        "PG976",
        lambda: host.check_ports(PLAN, [WEB]),
        (host, "listener", answer(4711)),
        (procfs, "words", answer(["python3", "-m", "http.server"])),
    ),
    "PG977": doctor(
        "PG977",
        lambda: benches.check_ports(PLAN, []),
        (benches, "listener", answer(4711)),
        (benches, "bench_of", answer(SHOP)),
        (benches, "is_same", answer(False)),
    ),
    "PG978": doctor(
        "PG978", lambda: benches.check_name(PLAN, []), (benches, "namesakes", answer([SHOP]))
    ),
    "PG979": doctor(
        "PG979",
        lambda: confinement.check_selinux(PLAN),
        (Path, "read_text", answer("1")),
        (confinement, "run", answer(Done(("getsebool",), 0, "httpd --> off", ""))),
    ),
    "PG980": doctor(
        "PG980",
        lambda: confinement.check_apparmor(PLAN, [WEB]),
        (Path, "read_text", answer("Y")),
        (procfs, "everyone", answer([])),
        (confinement, "profile_of", answer("/usr/sbin/nginx")),
    ),
    "PG981": doctor(
        "PG981", lambda: host.check_open_files([WEB]), (host, "soft_limit", answer(1024))
    ),
    "PG982": doctor("PG982", lambda: files.check_room([Path("/")]), _room(300 * 1024**2)),
    "PG983": doctor(
        "PG983",
        lambda: files.check_room([Path("/")]),
        (files, "LEAST_SHARE", 0.0),
        _room(300 * 1024**2),
    ),
    "PG984": doctor("PG984", lambda: host.check_clock(host.TIME_ERROR)),
}
