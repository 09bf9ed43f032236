"""How the units of one bench are called, and which of them belong together."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.plan.core.model import Plan, Role, Service
from prodgen.targets.core.base import Unwritable
from prodgen.targets.systemd.escape import escaped_name, slice_name, unit_name

SYSTEM_FOLDER = PurePosixPath("/etc/systemd/system")
"""Of root's units (systemd.unit(5))."""
USER_FOLDER = PurePosixPath(".config/systemd/user")
"""Of a user's units, below the home."""
RESERVED = frozenset({
    "anaconda", "basic", "blockdev@", "bluetooth", "boot-complete", "cloud-config", "cloud-init",
    "cryptsetup", "cryptsetup-pre", "ctrl-alt-del", "default", "emergency", "exit", "factory-reset",
    "final", "first-boot-complete", "friendly-recovery", "getty", "getty-pre", "graphical",
    "graphical-session", "graphical-session-pre", "halt", "hibernate", "hybrid-sleep", "init",
    "initrd", "initrd-fs", "initrd-root-device", "initrd-root-fs", "initrd-switch-root",
    "initrd-usr-fs", "integritysetup", "integritysetup-pre", "kbrequest", "kexec", "local-fs",
    "local-fs-pre", "machine", "machines", "multi-user", "network", "network-online",
    "network-pre", "nss-lookup", "nss-user-lookup", "paths", "poweroff", "printer", "reboot",
    "remote-cryptsetup", "remote-fs", "remote-fs-pre", "remote-veritysetup", "rescue", "rpcbind",
    "runlevel0", "runlevel1", "runlevel2", "runlevel3", "runlevel4", "runlevel5", "runlevel6",
    "shutdown", "sigpwr", "sleep", "slices", "smartcard", "sockets", "soft-reboot", "sound",
    "ssh-access", "storage-target-mode", "suspend", "suspend-then-hibernate", "swap", "sysinit",
    "system", "system-update", "system-update-pre", "systemd", "time-set", "time-sync", "timers",
    "tpm2", "umount", "usb-gadget", "user", "veritysetup", "veritysetup-pre",
    "xdg-desktop-autostart",
})  # fmt: skip
"""Names of systemd's own units (systemd.special(7)), which a bench must not replace."""


class Tier(Enum):
    """What restarts as one; the values are bench's own names for it, in the order of starting."""

    REDIS = "redis"
    WEB = "web"
    WORKERS = "workers"


TIERS = {
    Role.CACHE: Tier.REDIS,
    Role.QUEUE: Tier.REDIS,
    Role.WEB: Tier.WEB,
    Role.REALTIME: Tier.WEB,
}
"""Everything else is with the workers."""
TITLES = {
    Tier.REDIS: "Redis",
    Tier.WEB: "web and realtime",
    Tier.WORKERS: "background processes",
}


def tier_of(service: Service) -> Tier:
    """The tier that a service starts, stops and restarts with."""
    return TIERS.get(service.role.value, Tier.WORKERS)


def is_template(service: Service) -> bool:
    """Whether a service is a template unit, so that its number may change without a new name."""
    role = service.role.value
    return role is Role.WORKER or service.listen is not None or service.instances.value > 1


def unit_file(service: Service) -> str:
    """The name of a service's unit file: `x.service` or `x@.service`."""
    return unit_name(service.name.value, "@.service" if is_template(service) else ".service")


def running_units(service: Service) -> list[str]:
    """The units that run for a service, each instance with its number."""
    stem = escaped_name(service.name.value)
    if not is_template(service):
        return [f"{stem}.service"]
    return [f"{stem}@{number}.service" for number in range(1, service.instances.value + 1)]


class Names(NamedTuple):
    """The units that hold a bench together."""

    target: str
    slice: str
    socket: str
    waiting: str
    """What the socket starts where no instance runs."""

    def tier(self, tier: Tier) -> str:
        """The target of one tier."""
        return f"{self.target.removesuffix('.target')}-{tier.value}.target"


def names_of(plan: Plan) -> Names:
    """The names for this bench; raises Unwritable where they would replace systemd's own."""
    bench = plan.bench_name.value
    if bench.lower() in RESERVED or bench.lower().startswith("systemd-"):
        raise Unwritable(f"`{bench}.target` would replace one of systemd's own units")
    return Names(
        target=unit_name(bench, ".target"),
        slice=slice_name(bench),
        socket=unit_name(f"{bench}-web", ".socket"),
        waiting=unit_name(f"{bench}-web-wait", ".service"),
    )
