"""The preflight of a host: everything that will hurt this bench, each with the way out."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.doctor import benches, confinement, files, host, rights, secrets
from prodgen.deploy.doctor.finding import Finding, bad, good, unknown, warn
from prodgen.deploy.doctor.keys import check_keys
from prodgen.deploy.managers.core.base import Process, ProcessManager, State, how_to_load
from prodgen.deploy.managers.registry import manager_of
from prodgen.deploy.queue.redis_client import RedisQueue, RedisUnavailable
from prodgen.deploy.restart.maintenance_mode import LEFT_ON, WAY_OUT, is_left_on
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.plan.core.model import Plan

KEEPS_JOBS = "noeviction"
BY_SYSTEMD = "restart_systemd_on_update"
PRODUCTION_FLAGS = ("restart_supervisor_on_update", BY_SYSTEMD)


@dataclass(frozen=True)
class Patient:
    """What the checks look at."""

    context: BenchContext
    config: Mapping[str, object]
    """common_site_config.json."""
    supervisor_config: Path | None = None


def examine(patient: Patient) -> list[Finding]:
    """Everything that was found, good or bad, in a fixed order."""
    plan = patient.context.plan
    found: list[Finding] = []
    manager = _manager(patient, found)
    processes = _processes(plan, manager, found) if manager else []
    checks: list[Callable[[], Iterator[Finding]]] = [
        lambda: rights.check_socket(patient.context, patient.supervisor_config),
        lambda: rights.check_rights(patient.context, processes, patient.supervisor_config),
        lambda: check_flags(patient.context),
        lambda: check_redis(patient.context),
        lambda: host.check_database(patient.config),
        lambda: host.check_linger(plan),
        lambda: host.check_node(plan, patient.context.door),
        lambda: files.check_assets(patient.context.door),
        lambda: secrets.check_secrets(plan),
        lambda: files.check_certificates(plan, time.time()),
        lambda: check_keys(plan),
        lambda: host.check_ports(plan, processes),
        lambda: benches.check_ports(plan, processes),
        lambda: benches.check_name(plan, processes),
        lambda: confinement.check_selinux(plan),
        lambda: confinement.check_apparmor(plan, processes),
        lambda: host.check_open_files(processes),
        lambda: files.check_room((Path(plan.log_folder.value), patient.context.door.path)),
        host.check_clock,
    ]
    for check in checks:
        found += check()
    return found


def _manager(patient: Patient, found: list[Finding]) -> ProcessManager | None:
    try:
        return manager_of(patient.context.plan, patient.supervisor_config)
    except DeployError as refused:
        found.append(bad(refused.found[0].code, "manager", str(refused), refused.help))
        return None


def _processes(plan: Plan, manager: ProcessManager, found: list[Finding]) -> list[Process]:
    try:
        processes = manager.look()
    except DeployError as refused:
        found.append(bad(refused.found[0].code, "manager", str(refused), refused.help))
        return []
    missing = [one.short for one in processes if one.state is State.MISSING]
    down = [one.short for one in processes if one.state in (State.DOWN, State.FAILED)]
    if missing:
        text = f"not loaded: {', '.join(missing)}"
        found.append(bad("PG908", "manager", text, how_to_load(plan)))
    elif down:
        found.append(bad("PG930", "manager", f"not up: {', '.join(down)}", "prodgen restart --now"))
    else:
        found.append(good("manager", f"{len(processes)} processes are up"))
    return processes


def check_flags(context: BenchContext) -> Iterator[Finding]:
    """The flags that tell Frappe that this is production."""
    if context.flags.get("developer_mode"):
        yield bad(
            "PG950",
            "flags",
            "developer_mode is on: tracebacks for everyone, no caches",
            "bench set-config -g -p developer_mode 0",
        )
    set_ones = [flag for flag in PRODUCTION_FLAGS if context.flags.get(flag)]
    wanted = f"restart_{context.plan.manager.value.value}_on_update"
    fix = f"bench set-config -g -p {wanted} true"
    if context.frappe and context.frappe[0] >= 16:
        set_ones = set_ones or [wanted]
    if not set_ones:
        text = f"{' and '.join(PRODUCTION_FLAGS)} are off: links in mails name the port, PDFs fail"
        yield bad("PG951", "flags", text, fix)
    elif len(set_ones) > 1 or set_ones != [wanted]:
        yield warn(
            "PG952",
            "flags",
            f"{' and '.join(set_ones)}: `bench update` restarts the wrong one",
            fix,
        )
    elif not context.flags.get("developer_mode"):
        yield good("flags", "Frappe knows that this is production")
    if set_ones == [BY_SYSTEMD] and context.flags.get(BY_SYSTEMD):
        yield warn(
            "PG953",
            "flags",
            "`bench update --restart-systemd` fails, since bench's own restart of systemd does, "
            "and leaves maintenance_mode on",
            "bench update && prodgen restart",
        )
    if is_left_on(context.door):
        yield bad("PG954", "flags", LEFT_ON, WAY_OUT)
    elif context.flags.get("maintenance_mode"):
        fix = "bench set-config -g -p maintenance_mode 0"
        yield warn("PG955", "flags", "maintenance_mode is on for all sites", fix)


def check_redis(context: BenchContext) -> Iterator[Finding]:
    """redis_queue is up and drops no job."""
    if context.access is None:
        yield unknown("redis", "it is not known where redis_queue is")
        return
    try:
        queue = RedisQueue(context.access)
        policy, limit = queue.setting("maxmemory-policy"), queue.setting("maxmemory")
        value, seconds = queue.suspension()
    except RedisUnavailable as away:
        yield bad("PG916", "redis", str(away), "start it: `prodgen status` shows who runs it")
        return
    except DeployError as refused:
        yield unknown("redis", str(refused), refused.help)
        return
    # Unquoted, the address of somebody else's choice would be a command of root's.
    client = f"redis-cli -u {shlex.quote(f'redis://{context.access.place}')}"
    if value and seconds < 0:
        fix = f"{client} DEL rq:suspended"
        yield bad("PG956", "redis", "all workers are suspended, with no end", fix)
    if policy not in ("", KEEPS_JOBS) and limit not in ("", "0"):
        yield bad(
            "PG957",
            "redis",
            f"redis_queue forgets jobs when {_megabytes(limit)} MB are full ({policy})",
            f"{client} CONFIG SET maxmemory-policy noeviction (and in config/redis_queue.conf)",
        )
    elif not (value and seconds < 0):
        yield good("redis", f"redis_queue at {context.access.place} is up and keeps its jobs")


def _megabytes(limit: str) -> str:
    """Bytes as CONFIG GET has them; a question mark for what is no number."""
    return str(int(limit) // 1024**2) if re.fullmatch("[0-9]{1,18}", limit) else "?"
