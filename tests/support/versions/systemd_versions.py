"""The live tests of the systemd units on the systemd of every Debian release that can be had.

`python -m tests.support.versions.systemd_versions [RELEASE ...]` makes each release's root folder
once, with debootstrap, boots machines over it, and writes docs/systemd-versions.md. It needs root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from tests.support.rig.stacks import CHECKOUT, cache_folder
from tests.support.versions.debian_roots import debian_root

RELEASES = ("bullseye", "bookworm", "trixie", "sid")
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "python3", "nginx", "redis-server",
    "nodejs", "iproute2", "procps",
)  # fmt: skip
SUBJECTS = {
    "boot": "boot and stop",
    "web": "web",
    "jobs": "jobs",
    "crashes": "crashes",
    "user": "user units",
}
"""The module tests/live/systemd/test_<key>.py, and its column in the table."""
TABLE = CHECKOUT / "docs" / "systemd-versions.md"
HEAD = """\
# systemd versions

`make systemd-versions` boots the systemd of each Debian release as PID 1 and runs the live tests
of the units there (`tests/live/systemd/test_*.py`): tests that passed, of those that ran.

"""


class Row(NamedTuple):
    """What one release has shown."""

    release: str
    systemd: str
    counts: dict[str, tuple[int, int]]
    """By subject: passed, and run."""
    failures: list[str]


def root_of(release: str) -> Path:
    """The root folder of a release, made on first use."""
    return debian_root(release, PACKAGES)


def version_in(root: Path) -> str:
    """The version of a root's systemd."""
    done = subprocess.run(
        ["chroot", str(root), "systemctl", "--version"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[1]


def try_release(release: str) -> None:
    """Run the tests over one release."""
    root = root_of(release)
    report = report_of(release)
    modules = [f"tests/live/systemd/test_{name}.py" for name in SUBJECTS]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *modules],
        cwd=CHECKOUT,
        env={**os.environ, "PRODGEN_RIG_ROOT": str(root)},
        check=False,
    )


def report_of(release: str) -> Path:
    """Where pytest's own report on a release lies."""
    return cache_folder() / f"systemd-{release}.xml"


def row_of(release: str) -> Row:
    """What the report on a release says."""
    counts = dict.fromkeys(SUBJECTS, (0, 0))
    failures = []
    for case in ET.parse(report_of(release)).iter("testcase"):
        subject = case.get("classname", "").rpartition("systemd.test_")[2]
        if subject not in counts or case.find("skipped") is not None:
            continue
        good = case.find("failure") is None and case.find("error") is None
        passed, ran = counts[subject]
        counts[subject] = (passed + good, ran + 1)
        if not good:
            failures.append(f"{subject}: {case.get('name')}")
    return Row(release, version_in(root_of(release)), counts, failures)


def table(rows: list[Row]) -> str:
    """The page, with a line for each test that failed."""
    heads = ["Debian", "systemd", *SUBJECTS.values()]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        figures = [f"{passed} of {ran}" for passed, ran in row.counts.values()]
        lines.append([row.release, row.systemd, *figures])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    failed = [f"- {row.release}: {name}\n" for row in rows for name in row.failures]
    return HEAD + text + ("\nFailed:\n\n" + "".join(failed) if failed else "\nNone failed.\n")


def main(names: list[str]) -> int:
    """Try the named releases, all when none is named, and write the table of all that were tried.

    1 where a test failed.
    """
    unknown = set(names) - set(RELEASES)
    if unknown or os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.stderr.write(f"needs root, debootstrap, and names of {', '.join(RELEASES)}\n")
        return 64
    for name in names or RELEASES:
        try_release(name)
    rows = [row_of(name) for name in RELEASES if report_of(name).exists()]
    text = table(rows)
    sys.stdout.write(text)
    TABLE.write_text(text)
    return 1 if any(row.failures for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
