"""The live tests of the nginx target on the nginx of every Debian release that can be had.

`python -m tests.support.versions.nginx_versions [RELEASE ...]` takes nginx out of each release's
root folder (made with debootstrap, the same ones as systemd_versions.py), runs it with that
release's own libraries, and writes docs/nginx-versions.md. It needs root.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from xml.etree import ElementTree as ET

from tests.support.rig.place import inside
from tests.support.rig.stacks import CHECKOUT, cache_folder
from tests.support.versions.systemd_versions import RELEASES, root_of

LOADER = re.compile(r"ld-linux[\w.-]*\.so\.\d+")
"""The dynamic loader, which can be told where libraries are (ld.so(8), --library-path)."""
TABLE = CHECKOUT / "docs" / "nginx-versions.md"
HEAD = """\
# nginx versions

`make nginx-versions` runs the nginx of each Debian release, with that release's OpenSSL, before the
stand-in bench, and sends it the requests of the live tests (`tests/live/nginx/test_nginx*.py`):
tests that passed, of those that ran. HTTP/3 is tried with a real client (aioquic) where nginx has
it.

"""


class Row(NamedTuple):
    """What one release has shown."""

    release: str
    nginx: str
    openssl: str
    passed: int
    ran: int
    http3: str
    failures: list[str]


def wrapper(release: str, folder: Path) -> Path:
    """A program `nginx` in `folder` that runs the release's nginx on this machine's files."""
    root = root_of(release)
    loaders = [one for one in (root / "usr/lib64", root / "lib64", root / "lib") if one.is_dir()]
    names = sorted(
        path for place in loaders for path in place.iterdir() if LOADER.fullmatch(path.name)
    )
    loader = inside(root, Path("/", names[0].relative_to(root)))
    triplets = sorted(path.parent.name for path in root.glob("usr/lib/*/libc.so.6"))
    libraries = ":".join(f"{root}/{lib}/{name}" for name in triplets for lib in ("usr/lib", "lib"))
    argv = [str(loader), "--library-path", libraries, str(root / "usr/sbin/nginx")]
    made = folder / "nginx"
    made.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n')
    made.chmod(0o755)
    return made


def versions_of(program: Path) -> tuple[str, str]:
    """The versions of a program's nginx and of its OpenSSL."""
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stderr
    nginx = re.search(r"nginx/([0-9.]+)", said)
    openssl = re.search(r"running with OpenSSL ([0-9.]+\w*)", said) or re.search(
        r"built with OpenSSL ([0-9.]+\w*)", said
    )
    return nginx[1] if nginx else "?", openssl[1] if openssl else "?"


def try_release(release: str) -> Row:
    """Run the tests with one release's nginx."""
    report = cache_folder() / f"nginx-{release}.xml"
    with TemporaryDirectory(prefix="prodgen-nginx-") as folder:
        program = wrapper(release, Path(folder))
        nginx, openssl = versions_of(program)
        environment = {
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PRODGEN_NGINX_VERSION": nginx,
        }
        modules = sorted(str(path) for path in CHECKOUT.glob("tests/live/nginx/test_nginx*.py"))
        argv = [sys.executable, "-m", "pytest", "-q", "-m", "live", f"--junitxml={report}"]
        subprocess.run([*argv, *modules], cwd=CHECKOUT, env=environment, check=False)
    passed, ran, http3, failures = outcomes(report)
    return Row(release, nginx, openssl, passed, ran, http3, failures)


def outcomes(report: Path) -> tuple[int, int, str, list[str]]:
    """Tests passed and run, what became of HTTP/3, and the names of those that failed."""
    passed = ran = 0
    http3, failures = "not built in", []
    for case in ET.parse(report).iter("testcase"):
        if case.find("skipped") is not None:
            continue
        name = f"{case.get('classname', '').rpartition('.')[2]}: {case.get('name')}"
        good = case.find("failure") is None and case.find("error") is None
        ran, passed = ran + 1, passed + good
        if name.startswith("test_nginx_http3:"):
            http3 = "yes" if good else "failed"
        if not good:
            failures.append(name)
    return passed, ran, http3, failures


def table(rows: list[Row]) -> str:
    """The page, with a line for each test that failed."""
    heads = ["Debian", "nginx", "OpenSSL", "live tests", "HTTP/3"]
    lines = [heads, ["---"] * len(heads)]
    lines += [
        [row.release, row.nginx, row.openssl, f"{row.passed} of {row.ran}", row.http3]
        for row in rows
    ]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    failed = [f"- {row.release}: {name}\n" for row in rows for name in row.failures]
    return HEAD + text + ("\nFailed:\n\n" + "".join(failed) if failed else "\nNone failed.\n")


def main(names: list[str]) -> int:
    """Try the named releases; all when none is named, which also writes the page.

    1 where a test failed.
    """
    unknown = set(names) - set(RELEASES)
    if unknown or os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.stderr.write(f"needs root, debootstrap, and names of {', '.join(RELEASES)}\n")
        return 64
    rows = [try_release(name) for name in names or RELEASES]
    text = table(rows)
    sys.stdout.write(text)
    if not names:
        TABLE.write_text(text)
    return 1 if any(row.failures for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
