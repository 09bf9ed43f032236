"""What a user may choose about one target, apart from what should run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.host.facts import DEBIAN_PROGRAMS
from prodgen.provenance import Sourced, default


class NginxOptions(NamedTuple):
    """Choices about the reverse proxy."""

    trusted_proxies: Sourced[tuple[str, ...]] = default((), "no load balancer stands before nginx")
    """Addresses and networks (CIDR) whose word on client address and scheme counts."""
    tls: Sourced[str] = default("intermediate", "every client of the last ten years")
    """Mozilla's profile: `intermediate` (TLS 1.2 and 1.3) or `modern` (TLS 1.3 only)."""
    hsts: Sourced[str] = default("max-age", "browsers stay on HTTPS; only for these names")
    """`off`, `max-age`, `subdomains` (adds includeSubDomains) or `preload` (adds both)."""
    hsts_max_age: Sourced[int] = default(63072000, "two years, as Mozilla advises")
    """Seconds that browsers remember it; 0 makes them forget."""
    certificates: Sourced[str] = default("servers", "only nginx's master, as root, reads the keys")
    """`servers` (one for each certificate), or `map`: one server for all, which loads thousands
    of certificates at once, but whose workers read chain and key at each handshake."""
    http2: Sourced[bool] = default(True, "every browser speaks it over TLS")
    http3: Sourced[bool] = default(False, "not every build has it, and UDP 443 must be open")
    ipv6: Sourced[bool] = default(True, "Debian's own default site listens there too")
    """False for a kernel without IPv6, where nginx would not start."""
    acme_webroot: Sourced[str] = default("/var/www/letsencrypt", "certbot --webroot writes there")
    """Folder for certificate challenges; empty leaves those paths to the application."""
    access_log: Sourced[str] = default("", "/var/log/nginx/<bench>.access.log, rotated by Debian")
    """An absolute path, `off`, or empty for the default."""
    json_logs: Sourced[bool] = default(False, "text is what people read")
    login_rate: Sourced[int] = default(0, "Frappe itself limits failed logins")
    """Logins, sign-ups and password resets a minute from one client address; 0 is no limit."""
    api_rate: Sourced[int] = default(0, "one address may be a whole office")
    """API requests a second from one client address; 0 is no limit."""
    gzip_static: Sourced[bool] = default(False, "nginx must be built with the module")
    """Send `x.js.gz` where it lies beside `x.js`."""
    default_server: Sourced[bool] = default(False, "the host may have one, and two are fatal")
    """Also make the host's file: unknown names reach nothing, and long lists of names fit."""


class SupervisorOptions(NamedTuple):
    """Choices about the programs and their groups."""

    groups: Sourced[str] = default("bench", "the groups that `bench restart` looks for")
    """`bench`, or `pool`: each pool, the scheduler and realtime are groups of their own, so that
    a change of one restarts no other; `bench restart` then needs `supervisor_restart_cmd`."""
    log_bytes: Sourced[int] = default(20 * 1024**2, "some 50,000 requests")
    """Size at which a log is rotated; each process has two, for output and for errors."""
    log_backups: Sourced[int] = default(5, "all logs of an ordinary bench stay below 3 GB")
    """Rotated logs that are kept; at least one, else rotation loses lines."""
    syslog: Sourced[bool] = default(False, "files alone, as bench has it")
    """Whether each line goes to syslog, and so to the journal, beside the files."""
    folder: Sourced[PurePosixPath] = default(DEBIAN_PROGRAMS, "Debian's and Ubuntu's")
    """The folder whose files supervisord includes."""
    scheduler_wait: Sourced[int] = default(30, "seldom enough to cost nothing, and soon enough")
    """Seconds before the next try of a scheduler that found another one at work."""


class Resources(NamedTuple):
    """Limits of every process group of one role; None is no limit."""

    memory_high: Sourced[int] | None = None
    """Bytes from which on the kernel slows it down and reclaims."""
    memory_max: Sourced[int] | None = None
    """Bytes at which the kernel kills."""
    cpu_quota: Sourced[int] | None = None
    """Percent of one CPU; 200 is two CPUs."""
    cpu_weight: Sourced[int] | None = None
    """Its share where CPUs are scarce, 1 to 10000; 100 is usual."""
    tasks_max: Sourced[int] | None = None
    """Processes and threads."""


class SystemdOptions(NamedTuple):
    """Choices about the units."""

    hardening: Sourced[str] = default("standard", "safe and tried")
    """`off`, `standard` or `strict`."""
    scope: Sourced[str] = default("system", "root's manager starts them at boot")
    """`system`, or `user` for the manager of the bench's user, which needs lingering."""
    logs: Sourced[str] = default("journal", "it rotates by itself and loses no line")
    """`journal`, or `files` for files in the plan's log folder."""
    redis_notify: Sourced[bool] = default(True, "Debian's and Ubuntu's redis-server can")
    """Whether redis-server is linked to libsystemd and says when it is ready."""
    read_write_paths: Sourced[tuple[str, ...]] = default((), "Frappe writes inside the bench only")
    """Folders outside the bench that web and workers write to, such as a mounted disk."""
    read_only_paths: Sourced[tuple[str, ...]] = default(
        (), "the bench's env uses the system's Python"
    )
    """Folders in a home that `strict` must show, such as a Python of uv or pyenv."""
    resources: Mapping[str, Resources] = {}
    """Limits by role (`web`, `worker`, …); `bench` limits all of it together."""
