"""The sandbox of each kind of service, as one table: what is set, since when, and why not more.

What broke real programs was measured one directive at a time on systemd 252; the reasons stand
beside each rule and are printed into the units. `systemd-analyze security` gives the exposure.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Profile(Enum):
    """What a program needs from the system."""

    APP = "Frappe"
    NODE = "node"
    REDIS = "redis-server"
    WAITING = "sleep"
    OTHER = "unknown"


class Level(Enum):
    """How much is closed: the choice `hardening`."""

    OFF = "off"
    STANDARD = "standard"
    STRICT = "strict"


OLDEST = 245
"""The oldest systemd that is supported; what it knows is assumed where the version is unknown."""
SINCE = {
    "NoExecPaths": 248,
    "PrivateIPC": 248,
    "ProcSubset": 247,
    "ProtectProc": 247,
    "RestartMaxDelaySec": 254,
    "RestartSteps": 254,
}
"""The first systemd that knows a directive, for those that 245 does not know."""
UNPRIVILEGED_SANDBOX = 254
"""From here on a user's own manager can set everything up that root's can."""
UNPRIVILEGED_PROC = 252
"""The first one tried whose user managers bear what needs a /proc of its own; 247 does not."""
NEEDS_PROC = frozenset({"ProcSubset", "ProtectControlGroups", "ProtectKernelTunables"})


class Rule(NamedTuple):
    """One directive of the sandbox, for the profiles that bear it."""

    directive: str
    value: str
    profiles: frozenset[Profile]
    why: str = ""
    """Why it is left looser than it could be."""
    privileged: bool = False
    """Whether only root's manager can do it before `UNPRIVILEGED_SANDBOX`."""


KNOWN = frozenset(Profile) - {Profile.OTHER}
EVERY = frozenset(Profile)
APP, NODE, REDIS, WAITING = (
    frozenset({one}) for one in (Profile.APP, Profile.NODE, Profile.REDIS, Profile.WAITING)
)
OTHER = frozenset({Profile.OTHER})

RULES = (
    Rule("NoNewPrivileges", "yes", KNOWN),
    Rule("NoNewPrivileges", "yes", OTHER,
         "Nothing is known of this program, so only what its user cannot do anyway is closed, and\n"
         "sudo: whoever writes the Procfile must not become root through a service"),
    Rule("CapabilityBoundingSet", "", KNOWN, privileged=True),
    Rule("AmbientCapabilities", "", KNOWN, privileged=True),
    Rule("IPAddressDeny", "any", REDIS | WAITING, privileged=True),
    Rule("IPAddressAllow", "localhost", REDIS,
         "The bench's own Redis serves this machine only", privileged=True),
    Rule("KeyringMode", "private", KNOWN),
    Rule("LockPersonality", "yes", KNOWN),
    Rule("MemoryDenyWriteExecute", "yes", REDIS | WAITING),
    Rule("PrivateDevices", "yes", KNOWN, privileged=True),
    Rule("DevicePolicy", "closed", KNOWN),
    Rule("PrivateIPC", "yes", KNOWN, privileged=True),
    Rule("PrivateMounts", "yes", KNOWN),
    Rule("PrivateNetwork", "yes", WAITING),
    Rule("PrivateUsers", "yes", KNOWN),
    Rule("ProcSubset", "pid", REDIS | WAITING),
    Rule("ProtectClock", "yes", KNOWN, privileged=True),
    Rule("ProtectControlGroups", "yes", EVERY),
    Rule("ProtectHostname", "yes", KNOWN),
    Rule("ProtectKernelLogs", "yes", KNOWN, privileged=True),
    Rule("ProtectKernelModules", "yes", EVERY, privileged=True),
    Rule("ProtectKernelTunables", "yes", EVERY),
    Rule("ProtectProc", "invisible", KNOWN, privileged=True),
    Rule("ProtectSystem", "strict", KNOWN),
    Rule("ProtectSystem", "yes", OTHER),
    Rule("RestrictAddressFamilies", "AF_UNIX", WAITING),
    Rule("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6", REDIS),
    Rule("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK", APP | NODE,
         "Node and psutil list the network interfaces through AF_NETLINK"),
    Rule("RestrictNamespaces", "yes", KNOWN),
    Rule("RestrictRealtime", "yes", KNOWN),
    Rule("RestrictSUIDSGID", "yes", KNOWN),
    Rule("SystemCallArchitectures", "native", KNOWN),
    Rule("SystemCallFilter", "@system-service", KNOWN),
    Rule("SystemCallFilter", "~@privileged @resources", KNOWN),
    Rule("SystemCallFilter",
         "capset prlimit64 sched_setaffinity sched_setscheduler setpriority setrlimit setuid", APP,
         "Frappe lowers its own priority, a Chromium that prints PDF drops capabilities, and\n"
         "Gunicorn before 21 asks to be the user that it is"),
    Rule("SystemCallErrorNumber", "EPERM", KNOWN,
         "A refused call fails instead of killing: programs that try go on without it"),
)  # fmt: skip

LEFT_OUT = (
    *((one, "RemoveIPC", "it would take shared memory from what else this user runs")
      for one in (Profile.APP, Profile.NODE, Profile.REDIS)),
    (Profile.APP, "MemoryDenyWriteExecute", "wkhtmltopdf, Chromium and cffi make code at run time"),
    (Profile.APP, "ProcSubset", "psutil and Chromium read /proc/stat and /proc/meminfo"),
    (Profile.APP, "IPAddressDeny", "Frappe talks to mail servers, web hooks and databases"),
    (Profile.NODE, "MemoryDenyWriteExecute", "V8 compiles JavaScript at run time"),
    (Profile.NODE, "ProcSubset", "os.cpus() of node reads /proc/stat"),
    (Profile.NODE, "IPAddressDeny", "clients are checked through the site's public address"),
)  # fmt: skip
"""What no level sets, with the reason."""

SCRATCH = ("-/tmp", "-/var/tmp", "-/dev/shm")
"""Where every program may write."""


class Grounds(NamedTuple):
    """The folders of one service that its sandbox treats apart, as words of a unit file."""

    writable: tuple[str, ...]
    """Optional ones (`-/path`)."""
    data: tuple[str, ...] = ()
    """Those that hold no programs."""
    frozen: tuple[str, ...] = ()
    """What stays read-only within the writable folders."""
    shown: tuple[str, ...] = ()
    """What stays visible where homes are hidden."""
    binds_writable: tuple[str, ...] = ()
    shares_tmp: bool = False
    """Whether the bench itself lies where PrivateTmp= would hide it."""


class Line(NamedTuple):
    """One directive of a unit, with the comment lines above it."""

    directive: str
    value: str
    comments: tuple[str, ...] = ()


def knows(directive: str, version: int) -> bool:
    """Whether a systemd of this version has the directive."""
    return SINCE.get(directive, OLDEST) <= version


def sandbox(
    profile: Profile, level: Level, grounds: Grounds, *, version: int, by_root: bool
) -> list[Line]:
    """The lines that close a service in, in a fixed order; none where the level is off."""
    if level is Level.OFF:
        return []
    fully = by_root or version >= UNPRIVILEGED_SANDBOX
    has_proc = by_root or version >= UNPRIVILEGED_PROC
    found = [
        Line(rule.directive, rule.value, tuple(f"{rule.why}.".splitlines()) if rule.why else ())
        for rule in RULES
        if profile in rule.profiles
        and (fully or not rule.privileged)
        and (has_proc or rule.directive not in NEEDS_PROC)
    ]
    if profile is not Profile.OTHER:
        found += _temporary(grounds)
    if profile is Profile.WAITING:
        found.append(Line("ProtectHome", "yes"))
    elif profile is not Profile.OTHER:
        found += _folders(level, grounds)
    return [line for line in found if knows(line.directive, version)]


def _temporary(grounds: Grounds) -> Iterable[Line]:
    if not grounds.shares_tmp:
        yield Line("PrivateTmp", "yes")


def _folders(level: Level, grounds: Grounds) -> Iterable[Line]:
    if level is Level.STRICT:
        yield Line("ProtectHome", "tmpfs", ("Homes are empty but for what is bound here.",))
        if grounds.shown:
            yield Line("BindReadOnlyPaths", " ".join(grounds.shown))
        if grounds.binds_writable:
            yield Line("BindPaths", " ".join(grounds.binds_writable))
    else:
        yield Line("ProtectHome", "read-only",
                   ("Not hidden: the bench, and often node or Python, is in a home.",))  # fmt: skip
    for path in grounds.writable:
        yield Line("ReadWritePaths", path)
    if grounds.frozen:
        yield Line("ReadOnlyPaths", " ".join(grounds.frozen),
                   ("Settings of other programs, which this one must not rewrite.",))  # fmt: skip
    if level is Level.STRICT:
        yield Line("NoExecPaths", " ".join((*grounds.writable, *SCRATCH)),
                   ("Nothing that it can write may run as a program.",))  # fmt: skip
    elif grounds.data:
        yield Line("NoExecPaths", " ".join(grounds.data),
                   ("What users upload must never run as a program.",))  # fmt: skip


def left_out(profile: Profile, level: Level, grounds: Grounds) -> list[str]:
    """One comment line for each directive that is not set on purpose."""
    if level is Level.OFF:
        return []
    found = [f"{name}: {why}." for kind, name, why in LEFT_OUT if kind is profile]
    if grounds.shares_tmp and profile is not Profile.OTHER:
        found.append("PrivateTmp: the bench lies in the folder that it would hide.")
    return found


def unknown_to(version: int) -> list[str]:
    """The directives that this version lacks, sorted."""
    return sorted(name for name in SINCE if not knows(name, version))
