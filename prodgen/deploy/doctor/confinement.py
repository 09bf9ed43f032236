"""Checks of what the kernel forbids beyond owners and modes: SELinux and AppArmor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from prodgen.deploy.doctor.finding import Finding, bad, good, unknown, warn
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.system import procfs
from prodgen.host.programs import run
from prodgen.plan.core.model import Plan

ENFORCE = Path("/sys/fs/selinux/enforce")
APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
PROFILES = ("attr/apparmor/current", "attr/current")
"""Where a process's profile stands below its folder in /proc; older kernels have the second."""
ENFORCED = r"(.+) \(enforce\)"


def check_selinux(plan: Plan, enforce: Path = ENFORCE) -> Iterator[Finding]:
    """SELinux lets nginx connect to the application and read the bench."""
    try:
        enforcing = enforce.read_text().strip() == "1"
    except OSError:
        return
    if not enforcing:
        yield good("SELinux", "it does not enforce")
        return
    done = run(["getsebool", "httpd_can_network_connect"])
    if "--> on" in done.out:
        yield good("SELinux", "nginx may connect to the application")
        return
    yield bad(
        "PG979",
        "SELinux",
        "it enforces, and keeps nginx from the application and from files in homes",
        "setsebool -P httpd_can_network_connect on; semanage fcontext -a -t httpd_sys_content_t "
        f"'{plan.bench.value}/sites(/.*)?'; restorecon -R {plan.bench.value}/sites",
    )


def check_apparmor(plan: Plan, processes: Sequence[Process]) -> Iterator[Finding]:
    """No profile of AppArmor stands between nginx or a process of the bench and its files."""
    try:
        if APPARMOR.read_text().strip() != "Y":
            return
    except OSError:
        return
    pids = {one.pid: one.short for one in processes if one.pid}
    pids |= {one.pid: "nginx" for one in procfs.everyone() if one.name == "nginx"}
    confined: dict[str, str] = {}
    for pid, name in pids.items():
        profile = profile_of(pid)
        if profile is None:
            yield unknown("AppArmor", "only root can see what it confines", "use sudo")
            return
        if profile:
            confined.setdefault(profile, name)
    for profile, name in confined.items():
        yield warn(
            "PG980",
            "AppArmor",
            f"the profile {profile} confines {name}: what it does not allow is refused, such as "
            f"files below {plan.bench.value}",
            f"journalctl -k --grep 'apparmor=\"DENIED\"'; aa-complain {profile}",
        )
    if not confined:
        yield good("AppArmor", "it confines neither nginx nor a process of the bench")


def profile_of(pid: int) -> str | None:
    """The profile that is enforced on a process; empty for none, None where we may not see it."""
    for name in PROFILES:
        try:
            text = Path(f"/proc/{pid}", name).read_text()
        except PermissionError:
            return None
        except OSError:
            continue
        found = re.fullmatch(ENFORCED, text.strip("\0\n "))
        return found[1] if found else ""
    return ""
