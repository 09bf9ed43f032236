"""The output for Frappe 13, 15 and 16 with every version of its consumers that can be had.

`python -m tests.support.versions.version_matrix` starts a stand-in bench under each Supervisor and
with each Gunicorn of PyPI, has each Debian release's nginx check the fixtures' configuration, and
writes docs/versions.md. It needs root, and debootstrap for nginx.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from prodgen.targets.nginx.render import TARGET as NGINX
from tests.support.live.supervised import Commands, Supervised, supervised
from tests.support.plans import FACTS, declared, fixture_plan
from tests.support.rig import stacks
from tests.support.rig.client import fetch
from tests.support.rig.nginx import Nginx
from tests.support.rig.waiting import wait_for
from tests.support.versions.nginx_versions import versions_of, wrapper
from tests.support.versions.systemd_versions import RELEASES

SUPERVISORS = (
    "4.0.0", "4.0.1", "4.0.2", "4.0.3", "4.0.4", "4.1.0", "4.2.0", "4.2.1", "4.2.2", "4.2.3",
    "4.2.4", "4.2.5", "4.3.0",
)  # fmt: skip
GUNICORNS = ("20.1.0", "21.2.0", "22.0.0", "23.0.0", "24.1.1", "25.0.3", "26.2.0", "27.0.1")
FRAPPES = {"13": "13.58.21", "15": "15.72.4", "16": "16.4.1"}
SETTINGS = "web: {bind: 'unix:/run/NAME-web.sock'}\n"
WITH_IT = ("rq==1.15.1", "redis==4.5.5", "async-timeout")
OLD_TOOLS = "setuptools<80"
"""The last with pkg_resources, which Supervisor and Gunicorn 20 import."""
NO = "no"
TABLE = stacks.CHECKOUT / "docs" / "versions.md"
HEAD = """\
# Versions that the output was tried with

`make version-matrix` makes these tables; `docs/systemd-versions.md` and `docs/nginx-versions.md`
have those of the live tests on the systemd and the nginx of each Debian release.

"""
LEFT_OUT = """\
Left out: Supervisor's development branch, which no package registry has; nginx's mainline from
nginx.org, for the same reason (Debian's unstable is the newest here).
"""


class Part(NamedTuple):
    """One table: its title, its columns, and a row for each version."""

    title: str
    heads: list[str]
    rows: list[list[str]]


def outcome(attempt: Callable[[], None]) -> str:
    """`yes` or `no`; what went wrong goes to standard error."""
    try:
        attempt()
    except (AssertionError, OSError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return NO
    return "yes"


@contextmanager
def ground() -> Iterator[Path]:
    """A folder with a short path that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="prodgen-rig-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def runs(*, by_socket: bool = False, **more: Any) -> None:
    """A bench comes up, every program RUNNING and the web answering, before and after a roll."""
    settings = SETTINGS if by_socket else ""
    with ground() as folder, supervised(folder, settings=settings, up=False, **more) as run:
        path = Path(f"/run/{run.name}-web.sock")
        try:
            check(run, path if by_socket else None)
            run.roll()
            check(run, path if by_socket else None)
        finally:
            path.unlink(missing_ok=True)


def check(run: Supervised, path: Path | None) -> None:
    """Raises AssertionError where a program does not run or the web does not answer."""
    run.wait_running()
    address = str(path) if path else ("127.0.0.1", run.bench.web_port)
    ask = lambda: fetch(address, "/api/method/ping", host="one.test").status == 200  # noqa: E731
    wait_for(ask, 20, "the web to answer")


def packages(name: str, wanted: tuple[str, ...]) -> Path:
    """A folder with these packages, installed on first use."""
    stacks.STACKS[name] = wanted
    return stacks.stack(name)


def pythons() -> list[Path]:
    """The interpreters of this machine: the bench's first, then what is on PATH or of pyenv."""
    versions = [f"3.{minor}" for minor in range(15, 5, -1)]
    on_path = [path for version in versions if (path := shutil.which(f"python{version}"))]
    of_pyenv = sorted(Path("~/.pyenv/versions").expanduser().glob("3.*/bin/python3"), reverse=True)
    found = [stacks.bench_python(), *map(Path, on_path), *of_pyenv]
    return [one for one in dict.fromkeys(found) if stacks.python_version(one) != (0, 0)]


def supervisor_commands(version: str) -> tuple[str, Commands] | None:
    """The Python under which this Supervisor runs, and its two commands; None where none does."""
    for python in pythons():
        figures = stacks.python_version(python)
        name = ".".join(map(str, figures))
        folder = stacks.cache_folder() / f"supervisor-{version}-py{name}"
        if not folder.is_dir():
            stacks.install((f"supervisor=={version}", OLD_TOOLS), folder, figures)
        start = ["env", f"PYTHONPATH={folder}", str(python), "-W", "ignore", "-m"]
        server = [*start, "supervisor.supervisord"]
        done = subprocess.run([*server, "--version"], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return name, (server, [*start, "supervisor.supervisorctl"])
    return None


def supervisors() -> Part:
    """Each Supervisor, with the output for each Frappe."""
    rows = []
    for version in SUPERVISORS:
        found = supervisor_commands(version)
        if found is None:
            rows.append([version, "no Python here that it runs on", *[""] * (len(FRAPPES) + 1)])
            continue
        python, commands = found
        trial = [
            outcome(partial(runs, commands=commands, frappe_version=full))
            for full in FRAPPES.values()
        ]
        socket = outcome(partial(runs, by_socket=True, commands=commands))
        rows.append([version, python, *trial, socket])
    heads = [
        "Supervisor",
        "Python",
        *(f"Frappe {name}" for name in FRAPPES),
        "web on a unix socket",
    ]
    return Part("Supervisor: every program RUNNING, and a rolling restart", heads, rows)


def gunicorns() -> Part:
    """Each Gunicorn with the rendered gunicorn.conf.py, under the installed Supervisor."""
    rows = []
    for version in GUNICORNS:
        name = f"gunicorn-{version}"
        packages(name, (f"gunicorn=={version}", OLD_TOOLS, *WITH_IT))
        more: dict[str, Any] = {"stack": name, "facts": {"gunicorn": version}}
        trial = [outcome(partial(runs, by_socket=by, **more)) for by in (False, True)]
        rows.append([version, *trial])
    heads = ["Gunicorn", "on a port", "on a unix socket"]
    return Part("Gunicorn: boots with our settings and answers, also after a restart", heads, rows)


def accepts(program: str, version: str, case: str) -> None:
    """Raises AssertionError where this nginx refuses a fixture's configuration or warns of it."""
    plan = fixture_plan(case, FACTS._replace(nginx=declared(version)))
    artifacts, found = NGINX.render(plan)
    assert artifacts, found
    with ground() as folder:
        nginx = Nginx(folder, program=program)
        for artifact in artifacts:
            nginx.add(artifact.path.name, artifact.text)
        good, said = nginx.test()
    assert good, said


def nginxes() -> Part:
    """The nginx of each Debian release."""
    rows = []
    for release in RELEASES:
        with ground() as folder:
            program = wrapper(release, folder)
            version, _ = versions_of(program)
            trial = [
                outcome(partial(accepts, str(program), version, f"frappe-{name}"))
                for name in FRAPPES
            ]
        rows.append([f"{version} (Debian {release})", *trial])
    heads = ["nginx", *(f"Frappe {name}" for name in FRAPPES)]
    return Part("nginx: `nginx -t` without a warning", heads, rows)


def page(parts: list[Part]) -> str:
    """docs/versions.md."""
    text = HEAD
    for part in parts:
        lines = [part.heads, ["---"] * len(part.heads), *part.rows]
        text += f"## {part.title}\n\n"
        text += "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"
    return text + LEFT_OUT


def main() -> int:
    """Try everything and write the page; 1 where something was refused."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.stderr.write("needs root and debootstrap\n")
        return 64
    parts = [supervisors(), gunicorns(), nginxes()]
    text = page(parts)
    sys.stdout.write(text)
    TABLE.write_text(text)
    return 1 if any(cell == NO for part in parts for row in part.rows for cell in row) else 0


if __name__ == "__main__":
    sys.exit(main())
