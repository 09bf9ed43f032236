"""The preflight of a host: everything that will hurt this bench, each with what mends it."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prodgen.deploy import doctor_files as files
from prodgen.deploy import doctor_host as host
from prodgen.deploy import procfs
from prodgen.deploy.finding import Finding, bad, good, unknown, warn
from prodgen.deploy.managed import Process, ProcessManager, Refused, State
from prodgen.deploy.managers import manager_of
from prodgen.deploy.redisqueue import Away, RedisQueue
from prodgen.deploy.subject import Subject
from prodgen.deploy.supervisor_rpc import find_server, owner_and_mode
from prodgen.plan.model import Manager, Role

KEEPS_JOBS = "noeviction"
PRODUCTION_FLAGS = ("restart_supervisor_on_update", "restart_systemd_on_update")
OTHER_BENCH = "sites/common_site_config.json"


@dataclass(frozen=True)
class Patient:
    """What the checks look at."""

    subject: Subject
    config: Mapping[str, object]
    """common_site_config.json."""
    supervisor_config: Path | None = None


def examine(patient: Patient) -> list[Finding]:
    """Everything that was found, good or bad, in a fixed order."""
    plan = patient.subject.plan
    found: list[Finding] = []
    manager = _manager(patient, found)
    processes = _processes(manager, found) if manager else []
    checks: list[Callable[[], Iterator[Finding]]] = [
        lambda: check_socket(patient),
        lambda: check_flags(patient.subject),
        lambda: check_redis(patient.subject),
        lambda: host.check_database(patient.config),
        lambda: host.check_node(plan),
        lambda: files.check_assets(plan),
        lambda: files.check_certificates(plan, time.time()),
        lambda: host.check_ports(plan, processes),
        lambda: check_collision(patient.subject, processes),
        lambda: host.check_selinux(plan),
        lambda: host.check_open_files(processes),
        lambda: files.check_room(plan),
        host.check_clock,
    ]
    for check in checks:
        found += check()
    return found


def _manager(patient: Patient, found: list[Finding]) -> ProcessManager | None:
    try:
        return manager_of(patient.subject.plan, patient.supervisor_config)
    except Refused as refused:
        found.append(bad("manager", str(refused), refused.help))
        return None


def _processes(manager: ProcessManager, found: list[Finding]) -> list[Process]:
    try:
        processes = manager.look()
    except Refused as refused:
        found.append(bad("manager", str(refused), refused.help))
        return []
    missing = [one.short for one in processes if one.state is State.MISSING]
    down = [one.short for one in processes if one.state in (State.DOWN, State.FAILED)]
    if missing:
        text = f"not loaded: {', '.join(missing)}"
        fix = "install what `prodgen render` makes; then supervisorctl update, or systemctl"
        found.append(bad("manager", text, f"{fix} daemon-reload"))
    elif down:
        found.append(bad("manager", f"not up: {', '.join(down)}", "prodgen restart --now"))
    else:
        found.append(good("manager", f"{len(processes)} processes are up"))
    return processes


def check_socket(patient: Patient) -> Iterator[Finding]:
    """The bench's user may restart its own bench through supervisord's socket."""
    plan = patient.subject.plan
    if plan.manager.value is not Manager.SUPERVISOR:
        return
    try:
        path = find_server(patient.supervisor_config).socket
        found = Path(path).stat() if path else None
    except (Refused, OSError):
        return
    who = files.identity(plan.user.value)
    if found is None or who is None:
        return
    uid, gids = who
    mode = found.st_mode
    may = (
        (uid == found.st_uid and mode & stat.S_IWUSR)
        or (found.st_gid in gids and mode & stat.S_IWGRP)
        or mode & stat.S_IWOTH
    )
    text = f"supervisord's socket {path} is {owner_and_mode(path)}"
    if not may:
        yield warn(
            "socket",
            f"{text}: {plan.user.value} may not restart its bench (`bench restart` fails)",
            f"in [unix_http_server]: chmod=0770 and chown=root:{plan.user.value}; then "
            "systemctl restart supervisor",
        )
    elif mode & stat.S_IWOTH:
        text += ": everyone on this machine may run commands as root through it"
        yield bad("socket", text, "in [unix_http_server]: chmod=0770")
    else:
        yield good("socket", text)


def check_flags(subject: Subject) -> Iterator[Finding]:
    """The flags that tell Frappe that this is production."""
    if subject.flags.get("developer_mode"):
        yield bad(
            "flags",
            "developer_mode is on: tracebacks for everyone, no caches",
            "bench set-config -g -p developer_mode 0",
        )
    set_ones = [flag for flag in PRODUCTION_FLAGS if subject.flags.get(flag)]
    wanted = f"restart_{subject.plan.manager.value.value}_on_update"
    fix = f"bench set-config -g -p {wanted} true"
    if subject.frappe and subject.frappe[0] >= 16:
        set_ones = set_ones or [wanted]
    if not set_ones:
        text = f"{' and '.join(PRODUCTION_FLAGS)} are off: links in mails name the port, PDFs fail"
        yield bad("flags", text, fix)
    elif len(set_ones) > 1 or set_ones != [wanted]:
        yield warn("flags", f"{' and '.join(set_ones)}: `bench update` restarts the wrong one", fix)
    elif not subject.flags.get("developer_mode"):
        yield good("flags", "Frappe knows that this is production")
    if subject.flags.get("maintenance_mode"):
        fix = "bench set-config -g -p maintenance_mode 0"
        yield warn("flags", "maintenance_mode is on for all sites", fix)


def check_redis(subject: Subject) -> Iterator[Finding]:
    """redis_queue is up and drops no job."""
    if subject.access is None:
        yield unknown("redis", "it is not known where redis_queue is")
        return
    try:
        queue = RedisQueue(subject.access)
        policy, limit = queue.setting("maxmemory-policy"), queue.setting("maxmemory")
        value, seconds = queue.suspension()
    except Away as away:
        yield bad("redis", str(away), "start it: `prodgen status` shows who runs it")
        return
    except Refused as refused:
        yield unknown("redis", str(refused), refused.help)
        return
    if value and seconds < 0:
        fix = f"redis-cli -u redis://{subject.access.place} DEL rq:suspended"
        yield bad("redis", "all workers are suspended, with no end", fix)
    if policy not in ("", KEEPS_JOBS) and limit not in ("", "0"):
        yield bad(
            "redis",
            f"redis_queue forgets jobs when {int(limit) // 1024**2} MB are full ({policy})",
            f"redis-cli -u redis://{subject.access.place} CONFIG SET maxmemory-policy noeviction "
            "(and in config/redis_queue.conf)",
        )
    elif not (value and seconds < 0):
        yield good("redis", f"redis_queue at {subject.access.place} is up and keeps its jobs")


def check_collision(subject: Subject, processes: list[Process]) -> Iterator[Finding]:
    """No other bench of this machine listens where this one does, or has its name."""
    bench = str(subject.plan.bench.value)
    own = {one.pid for one in processes if one.pid}
    own |= {pid for master in set(own) for pid in procfs.descendants(master)}
    for service in subject.plan.services:
        address = service.address.value if service.address else None
        if address is None or address.path or service.role.value in (Role.CACHE, Role.QUEUE):
            continue
        pid = host.listener(address.port)
        other = _bench_of(pid) if pid and pid not in own else ""
        if other and os.path.realpath(other) != os.path.realpath(bench):
            yield bad(
                "benches",
                f"the bench {other} listens on port {address.port}, as this one should",
                "give each its own ports: bench set-config -g -p webserver_port …",
            )


def _bench_of(pid: int) -> str:
    """The bench that a process runs in; empty for one that runs in none."""
    folder = procfs.folder(pid)
    for place in (Path(folder), *Path(folder).parents) if folder else ():
        if (place / OTHER_BENCH).is_file():
            return str(place)
    return ""
