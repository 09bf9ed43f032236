"""Checks of files: who may reach them, certificates, room on the disk."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from prodgen.deploy.doctor.finding import Finding, bad, good, unknown, warn
from prodgen.host.certificates import LARGEST
from prodgen.host.door import Door
from prodgen.host.programs import run
from prodgen.host.run_as import Identity, identity_named
from prodgen.inputs.reader import read_whole
from prodgen.plan.core.model import Plan

NGINX_CONF = Path("/etc/nginx/nginx.conf")
USER_LINE = re.compile(r"^\s*user\s+([^\s;]+)", re.MULTILINE)
LEAST_ROOM = 1024**3
LEAST_SHARE = 0.05
SOON_DAYS = 14
SHOW_CERTIFICATE = ("openssl", "x509", "-noout", "-enddate", "-ext", "subjectAltName")
"""Reads the first certificate of its standard input."""
NAMES = re.compile(r"DNS:([^,\s]+)")


def nginx_user(text: str) -> str:
    """The user of nginx's workers as an nginx.conf names it."""
    found = USER_LINE.search(text)
    return found[1] if found else "nobody"


def may_pass(mode: int, owner: tuple[int, int], who: tuple[int, set[int]]) -> bool:
    """Whether a user (uid, gids) may go through a folder of this mode and owner (uid, gid)."""
    uid, gids = who
    if uid == 0:
        return True
    if uid == owner[0]:
        return bool(mode & stat.S_IXUSR)
    if owner[1] in gids:
        return bool(mode & stat.S_IXGRP)
    return bool(mode & stat.S_IXOTH)


def check_assets(door: Door) -> Iterator[Finding]:
    """nginx's user gets to the assets and to each site's public files."""
    if not NGINX_CONF.exists():
        yield unknown("assets", "nginx is not installed here")
        return
    user = nginx_user(read_whole(NGINX_CONF).decode("utf-8", "replace"))
    who = identity_named(user)
    if who is None:
        yield bad(
            "PG966", "assets", f"nginx's user {user} does not exist", f"useradd --system {user}"
        )
        return
    folder = door.path / "sites/assets"
    if door.closed:
        yield unknown("assets", f"the bench cannot be seen: {door.closed}")
        return
    blocked = [path for path in (*reversed(folder.parents), folder) if not _lets(path, who)]
    if blocked:
        paths = " ".join(shlex.quote(str(path)) for path in blocked)
        yield bad(
            "PG966",
            "assets",
            f"nginx ({user}) cannot enter {blocked[0]}, so CSS and files answer 403",
            f"setfacl -m u:{user}:x {paths}",
        )
    else:
        yield good("assets", f"nginx ({user}) reaches the assets")


def _lets(path: Path, who: Identity) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    if may_pass(found.st_mode, (found.st_uid, found.st_gid), (who.uid, set(who.groups))):
        return True
    return os.geteuid() == 0 and run(["test", "-x", str(path)], who=who).code == 0  # an ACL


def check_room(folders: Sequence[Path]) -> Iterator[Finding]:
    """There is room for logs, and for Redis to save its data."""
    seen = set()
    for folder in folders:
        place = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
        device = place.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(place)
        text = f"{usage.free / 1024**3:.1f} GB of {usage.total / 1024**3:.1f} GB free at {place}"
        if usage.free < min(LEAST_ROOM, LEAST_SHARE * usage.total):
            fix = f"du -xh --max-depth=2 {shlex.quote(str(place))} | sort -h | tail"
            yield bad("PG982", "disk", text, fix)
        elif usage.free < LEAST_ROOM:
            yield warn("PG983", "disk", text, f"df -h {shlex.quote(str(place))}")
        else:
            yield good("disk", text)


def check_certificates(plan: Plan, now: float) -> Iterator[Finding]:
    """Each certificate is there, covers its name, and does not end soon."""
    named: dict[str, list[str]] = {}
    for site in plan.sites:
        for name in site.names:
            if name.certificate:
                named.setdefault(name.certificate.value.chain, []).append(name.name.value)
    for chain, names in named.items():
        yield _certificate(chain, names, now)


def _certificate(chain: str, names: Sequence[str], now: float) -> Finding:
    fix = f"certbot certonly --cert-name {names[0]} " + " ".join(f"-d {name}" for name in names)
    try:
        shown = _shown(chain)
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else None
        return bad("PG970", "certificate", f"{chain} cannot be read: {reason or failure}", fix)
    ends = end_date(shown)
    missing = [name for name in names if not covers(NAMES.findall(shown), name)]
    if missing:
        return bad("PG971", "certificate", f"{chain} does not cover {', '.join(missing)}", fix)
    days = (ends - now) / 86400 if ends else None
    if days is None:
        return unknown("certificate", f"{chain}: no end date")
    if days < 0:
        return bad("PG972", "certificate", f"{chain} ended {-days:.0f} days ago", "certbot renew")
    if days < SOON_DAYS:
        return warn("PG973", "certificate", f"{chain} ends in {days:.0f} days", "certbot renew")
    return good("certificate", f"{chain} is good for {days:.0f} days")


def _shown(chain: str) -> str:
    """What openssl says of the first certificate of a chain. Raises OSError or ValueError."""
    with tempfile.TemporaryFile() as held:
        held.write(read_whole(chain, LARGEST))
        held.seek(0)
        done = run(SHOW_CERTIFICATE, stdin=held)
    if done.code != 0:
        raise ValueError(done.reason)
    return done.out


def end_date(text: str) -> float | None:
    """`notAfter=Nov 20 20:44:35 2026 GMT` in seconds since the epoch."""
    found = re.search(r"notAfter=(.+) GMT", text)
    if not found:
        return None
    try:
        return datetime.strptime(f"{found[1]} +0000", "%b %d %H:%M:%S %Y %z").timestamp()
    except ValueError:
        return None


def covers(names: Sequence[str], wanted: str) -> bool:
    """Whether one of a certificate's names, perhaps a wildcard, is the wanted one (RFC 6125)."""
    parent = wanted.partition(".")[2]
    return any(name.lower() in (wanted.lower(), f"*.{parent}".lower()) for name in names)
