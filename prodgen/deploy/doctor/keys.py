"""Checks of the keys of certificates: that they fit, and that those who need them may read them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from prodgen.deploy.doctor.files import NGINX_CONF, nginx_user
from prodgen.deploy.doctor.finding import Finding, bad, good, unknown
from prodgen.host.certificates import faults_of
from prodgen.host.programs import run
from prodgen.host.run_as import Identity, identity_named
from prodgen.inputs.reader import read_whole
from prodgen.plan.checks.certificates import pairs_of
from prodgen.plan.core.model import Plan

AT_ONCE = 500
"""Paths in one command line."""
UNREADABLE = 'for path; do test -r "$path" || printf "%s\\n" "$path"; done'


def check_keys(plan: Plan) -> Iterator[Finding]:
    """nginx can load each certificate with its key."""
    pairs = pairs_of(plan)
    faults = faults_of(pairs)
    for fault in faults.values():
        yield bad(
            "PG974",
            "key",
            f"nginx does not start with this: {fault}",
            "prodgen leaves the names out; put chain and key in place, then render again",
        )
    if plan.nginx.certificates.value == "map" and NGINX_CONF.exists():
        user = nginx_user(read_whole(NGINX_CONF).decode("utf-8", "replace"))
        yield from check_readers([one for one in pairs if one not in faults], user)


def check_readers(pairs: list[tuple[str, str]], user: str) -> Iterator[Finding]:
    """In the map layout nginx's workers, who are not root, can read chains and keys.

    The price of that layout: who takes over a worker has every key, not only what it served.
    """
    paths = [path for pair in pairs for path in pair]
    if not paths:
        return
    if os.geteuid() != 0:
        yield unknown("key", f"only root can see whether {user} may read the keys")
        return
    who = identity_named(user)
    if who is None:
        yield bad("PG975", "key", f"nginx's user {user} does not exist", f"useradd --system {user}")
        return
    refused = list(unreadable(paths, who))
    if not refused:
        yield good("key", f"nginx's workers ({user}) may read all {len(pairs)} keys")
        return
    folders = {str(parent) for path in refused for parent in Path(path).parents}
    closed = sorted(one for one in folders if run(["test", "-x", one], who=who).code)
    fix = [f"setfacl -m u:{user}:x {shlex.join(closed)}"] if closed else []
    fix.append(f"setfacl -m u:{user}:r {shlex.join(refused[:3])}{' …' * (len(refused) > 3)}")
    yield bad(
        "PG975",
        "key",
        f"nginx's workers ({user}) may not read {len(refused)} of {len(paths)} files of "
        "certificates, and `nginx.certificates: map` needs that: their handshakes fail",
        " && ".join(fix),
    )


def unreadable(paths: list[str], who: Identity) -> Iterator[str]:
    """The paths that the user may not read, access lists and folders counted."""
    rest = iter(paths)
    while some := list(islice(rest, AT_ONCE)):
        yield from run(["sh", "-c", UNREADABLE, "sh", *some], who=who).out.splitlines()
