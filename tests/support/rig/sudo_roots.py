"""Systems with a sudo of their own, in which a script runs as root without changing them.

`python -m tests.support.rig.sudo_roots` makes the one with Debian 13's sudo and sudo-rs, by
debootstrap; it needs root. The host's own needs nothing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.rig.tools import need, need_root
from tests.support.versions.debian_roots import debian_root, place_of_root

RELEASE, NAME = "trixie", "trixie-sudo"
PACKAGES = ("sudo", "sudo-rs")
ENTER = """\
set -e
mount -t tmpfs -o mode=755 none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" none "$1/root"
mount -t proc none "$1/root/proc"
mount -t devtmpfs none "$1/root/dev"
for each in tmp run; do mount -t tmpfs -o mode=1777 none "$1/root/$each"; done
exec env -i PATH="$3" HOME=/root LANG=C.UTF-8 chroot "$1/root" bash -s
"""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SUDO_RS = "/usr/lib/cargo/bin"
"""Where Debian has sudo-rs under the names of sudo's."""


def trixie() -> Path:
    """Debian 13's root folder; it may not be there."""
    return place_of_root(NAME)


def run_in(root: Path, script: str, ground: Path, *, first: str = "") -> str:
    """What a script of bash prints, run as root in a copy of `root`, with `first` first on PATH."""
    need("unshare", "chroot", "mount")
    need_root("a system of its own")
    place = ground / "system"
    place.mkdir(exist_ok=True)
    path = f"{first}:{PATH}" if first else PATH
    enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh"]
    argv = [*enter, str(place), str(root), path]
    done = subprocess.run(
        argv, input=script, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done
    return done.stdout


if __name__ == "__main__":
    sys.stdout.write(f"{debian_root(RELEASE, PACKAGES, NAME)}\n")
