"""Checks of the host: ports, programs, limits, security modules, clock, database."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from prodgen.deploy.doctor.finding import Finding, bad, good, unknown, warn
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.privilege.admission import bars
from prodgen.deploy.privilege.bench_acts import run_for
from prodgen.deploy.system import procfs
from prodgen.host.door import Door
from prodgen.plan.core.defaults import version_of
from prodgen.plan.core.model import Address, Plan, Role

NODE_NEEDED = ((16, 24), (15, 18), (14, 14), (13, 12))
"""Frappe's version, and the oldest node that it names (package.json, engines)."""
OPEN_FILES = 10240
TIME_ERROR = 5
"""The clock is not synchronized (adjtimex(2))."""
TIMEX_BYTES = 512
"""At least the size of `struct timex`; all zero, it changes nothing."""
LINGER = Path("/var/lib/systemd/linger")
"""A file for each user whose systemd runs without a login (systemd-logind.service(8))."""
DATABASE_PORTS = {"mariadb": 3306, "postgres": 5432}


def check_ports(plan: Plan, processes: list[Process]) -> Iterator[Finding]:
    """The ports of services that are down are free, so that they can start.

    Nothing where the manager could not be asked: then nobody knows whose the listeners are.
    """
    if not processes:
        return
    for service in plan.services:
        own = [one for one in processes if one.service is service]
        address = service.address.value if service.address else None
        if address is None or address.path or any(one.pid for one in own):
            continue
        pid = listener(address.port)
        if pid is not None:
            words = " ".join(procfs.words(pid)).split() if pid else ["another process"]
            who = " ".join(words)[:80]  # a process that has renamed itself pads with blanks
            yield bad(
                "PG976",
                "ports",
                f"port {address.port} of {service.name.value} is taken by {who} ({pid or '?'})",
                f"ss -ltnp 'sport = :{address.port}'",
            )
        else:
            yield good("ports", f"port {address.port} is free for {service.name.value}")


def listener(port: int) -> int | None:
    """The process that listens on a port; 0 for one that we may not see, None for nobody."""
    if not answers(Address("127.0.0.1", port)):
        return None
    inodes = {one.inode for one in procfs.connections() if one.local == port and not one.remote}
    return next((one.pid for one in procfs.everyone() if inodes & procfs.sockets(one.pid)), 0)


def answers(address: Address, timeout: float = 3.0) -> bool:
    """Whether somebody takes connections there."""
    try:
        with socket.create_connection((address.host, address.port), timeout):
            return True
    except OSError:
        return False


def check_linger(plan: Plan) -> Iterator[Finding]:
    """A bench whose user's own systemd runs it needs that systemd from boot on."""
    if not plan.is_of_user:
        return
    user = plan.user.value
    if (LINGER / user).exists():
        yield good("linger", f"the systemd of {user} runs without a login")
    else:
        yield bad(
            "PG963",
            "linger",
            f"{user} does not linger: the bench ends with the last login, and is not up at boot",
            f"loginctl enable-linger {user}",
        )


def check_node(plan: Plan, door: Door) -> Iterator[Finding]:
    """The realtime server's node is there for the service's user, and new enough."""
    for service in plan.with_role(Role.REALTIME):
        node = service.argv.value[0]
        if "node" not in Path(node).name:
            continue
        if barred := bars(door, plan):
            text = f"{node} is not run: {barred[0].message}"
            yield unknown("node", text, barred[0].help)
            continue
        done = run_for(door, [node, "--version"], timeout=10)
        if done.code != 0:
            yield bad(
                "PG964",
                "node",
                f"{service.user.value} cannot run {node}: {done.reason}",
                "install node for all users (apt-get install nodejs), not below root's home",
            )
            continue
        found, needed = version_of(done.out.strip()), node_needed(frappe_of(plan))
        text = f"node {done.out.strip()}"
        if needed and found[:1] < (needed,):
            fix = f"install node {needed}: https://github.com/nodesource/distributions"
            yield bad(
                "PG964", "node", f"{text} is too old for this Frappe, which needs {needed}", fix
            )
        else:
            yield good("node", text)


def frappe_of(plan: Plan) -> tuple[int, ...]:
    """Frappe's version; empty where nobody knows it."""
    known = plan.versions.get("frappe")
    return version_of(known.value) if known else ()


def node_needed(frappe: tuple[int, ...]) -> int | None:
    """The oldest node that this Frappe runs on."""
    return next((node for major, node in NODE_NEEDED if frappe and frappe[0] >= major), None)


def check_open_files(processes: list[Process]) -> Iterator[Finding]:
    """Redis and realtime may hold a connection for each client."""
    for one in processes:
        if one.role not in (Role.REALTIME, Role.QUEUE, Role.CACHE) or not one.pid:
            continue
        limit = soft_limit(one.pid)
        if limit is None:
            yield unknown("open files", f"the limits of {one.short} cannot be seen", "use sudo")
        elif limit < OPEN_FILES:
            yield warn(
                "PG981",
                "open files",
                f"{one.short} may open {limit} files; websockets and Redis clients need more",
                "set minfds=65536 in [supervisord], or LimitNOFILE=65536 in its unit",
            )
        else:
            yield good("open files", f"{one.short} may open {limit} files")


def soft_limit(pid: int) -> int | None:
    """How many files a process may open."""
    try:
        text = Path(f"/proc/{pid}/limits").read_text()
    except OSError:
        return None
    found = re.search(r"^Max open files\s+(\d+|unlimited)", text, re.MULTILINE)
    if not found:
        return None
    return 2**31 if found[1] == "unlimited" else int(found[1])


def check_clock(state: int | None = None) -> Iterator[Finding]:
    """The clock is kept right: logins, certificates and schedules go by it.

    `state` is what the kernel says of it, which is asked where none is given.
    """
    state = clock_state() if state is None else state
    if state < 0:
        yield unknown("clock", "cannot tell whether the clock is right")
    elif state == TIME_ERROR:
        yield warn(
            "PG984",
            "clock",
            "no time synchronisation service is running",
            "timedatectl set-ntp true",
        )
    else:
        yield good("clock", "it is kept right")


def clock_state() -> int:
    """What adjtimex(2) says when it is only asked; below 0 where it says nothing."""
    import ctypes

    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)))
    except (OSError, AttributeError):
        return -1


def check_database(config: Mapping[str, object]) -> Iterator[Finding]:
    """A database on this machine is up."""
    host = str(config.get("db_host") or "127.0.0.1")
    if host not in ("localhost", "127.0.0.1", "::1") or config.get("db_socket"):
        return
    kind = str(config.get("db_type") or "mariadb")
    given = str(config.get("db_port") or "")
    is_port = re.fullmatch("[0-9]{1,5}", given) and int(given) < 2**16
    port = int(given) if is_port else DATABASE_PORTS.get(kind, 3306)
    if answers(Address("127.0.0.1", port)):
        yield good("database", f"{kind} answers on port {port}")
    else:
        unit = "postgresql" if kind == "postgres" else kind
        text = f"{kind} does not answer on port {port} of this machine"
        yield bad("PG965", "database", text, f"systemctl start {unit}")
