"""Which units of the lower root must not start in a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HARDWARE = (
    "console-getty.service",
    "getty.target",
    "getty@tty1.service",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service",
    "systemd-modules-load.service",
    "systemd-networkd.service",
    "systemd-pstore.service",
    "systemd-random-seed.service",
    "systemd-resolved.service",
    "systemd-sysctl.service",
    "systemd-timesyncd.service",
    "systemd-udev-settle.service",
    "systemd-udev-trigger.service",
    "systemd-udevd.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "ldconfig.service",
    "modprobe@.service",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "proc-sys-fs-binfmt_misc.automount",
)
SERVERS = (
    "cron.service",
    "docker.service",
    "docker.socket",
    "mariadb.service",
    "mysql.service",
    "nginx.service",
    "postgresql.service",
    "redis-server.service",
    "redis.service",
    "ssh.service",
    "ssh.socket",
    "supervisor.service",
)
TIMERS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "logrotate.timer",
    "man-db.timer",
    "systemd-tmpfiles-clean.timer",
)
NEVER_MASKED = ("remote-fs.target",)


def masked(lower: Path, keep: Sequence[str] = ()) -> list[str]:
    """What to mask: hardware, servers, timers, and everything that this root has enabled.

    `keep` names what a test wants as it is, with or without its suffix: `nginx`, `cron.service`.
    """
    enabled = [link.name for link in (lower / "etc/systemd/system").glob("*.wants/*")]
    spared = {*keep, *(f"{name}.service" for name in keep), *NEVER_MASKED}
    return sorted({*HARDWARE, *SERVERS, *TIMERS, *enabled} - spared)
