"""A bench under supervisord: every process up, as the right user, in the right place."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.supervised import HOME, USER, Figure, Supervised, commands_of, supervised
from tests.support.rig import procs
from tests.support.rig.bench import make_bench
from tests.support.rig.place import HOST
from tests.support.rig.supervisord import Supervisord
from tests.support.rig.tools import need

POOR_PATH = {"PATH": "/nowhere", "HOME": "/root"}
# No blank or quote: the Redis conf files, which are bench's own, could not have them.
CASES = [
    ("debian", "15.72.4", "50%"),
    ("pypi", "16.4.1", "a;(b)$x&c"),
    ("pypi", "13.58.21", "größe#x%(y)s"),
]


@pytest.mark.matrix_cases("pypi")
@pytest.mark.pitfall("D-SV4")
@pytest.mark.parametrize(("origin", "frappe", "folder"), CASES)
def test_every_process_runs_as_the_plan_says(
    ground: Path, origin: str, frappe: str, folder: str, figure: Figure
) -> None:
    """In a folder of any name, with a node that only the bench's user has."""
    node = ground / "home/.nvm/versions/node/v20.1.0/bin/node"
    node.parent.mkdir(parents=True)
    node.symlink_to(need("node"))
    with supervised(
        ground,
        commands=commands_of(origin),
        env=POOR_PATH,
        inside=folder,
        frappe_version=frappe,
        facts={"node": PurePosixPath(node)},
        config={"workers": {"reports": {"timeout": 60, "background_workers": 2}}},
    ) as run:
        run.wait_running()
        _check_processes(run, str(node.parent))
        figure(f"{len(run.pids())} processes RUNNING, each started once")
        assert {run.spawns(name) for name in run.pids()} == {1}, "Redis was there in time"


def _check_processes(run: Supervised, node_folder: str) -> None:
    plan = run.plan()
    keeper = run.supervisor.child.pid
    for service in plan.services:
        own = [pid for name, pid in run.pids().items() if _stem(name) == service.name.value]
        assert len(own) == service.instances.value
        for pid in own:
            status = Path(f"/proc/{pid}/status").read_text()
            environment = procs.environment(pid)
            found = procs.read(pid)
            assert found is not None
            assert found.ppid == keeper, "a shell stands in between"
            assert re.findall(r"^Uid:\t(\d+)\t(\d+)", status, re.MULTILINE) == [_uid()]
            assert procs.command(pid)[0] not in ("/bin/sh", "sh")
            if service.role.value in (Role.CACHE, Role.QUEUE):
                continue  # Redis leaves its folder and overwrites its environment for its title
            assert environment["HOME"] == str(HOME)
            assert (environment["USER"], environment["LOGNAME"]) == (USER, USER)
            assert node_folder in environment["PATH"].split(":")
            assert "/usr/bin" in environment["PATH"].split(":")
            assert Path(f"/proc/{pid}/cwd").resolve() == Path(service.directory.value)
            assert procs.command(pid)[-1] == service.argv.value[-1]


def _stem(process: str) -> str:
    return re.sub(r"-\d+$", "", process.partition(":")[2])


def _uid() -> tuple[str, str]:
    uid = str(HOST.owner(USER)[0])
    return uid, uid


@pytest.mark.matrix
@pytest.mark.pitfall("D-SV12")
def test_without_an_environment_the_user_is_another(ground: Path) -> None:
    """D-SV12 put back: `user=` alone sets neither HOME nor PATH."""
    edit = re.compile(r"^environment=.*\n", re.MULTILINE)
    with supervised(ground, env=POOR_PATH, edit=lambda text: edit.sub("", text)) as run:
        web = next(iter(run.pids("web").values()))
        assert procs.environment(web)["HOME"] == "/root"
        with pytest.raises(AssertionError):
            _check_processes(run, "/nowhere")


def test_what_the_command_prints_is_what_runs(ground: Path, figure: Figure) -> None:
    """The user's own way: `prodgen render -o`, and Supervisor includes the file."""
    bench = make_bench(ground / "frappe-bench", user=USER)
    out = ground / "out"
    command = [sys.executable, "-m", "prodgen", "render", "-t", "supervisor"]
    done = subprocess.run(
        [*command, "-C", bench.path, "-o", out], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [text] = [file.read_text() for file in out.rglob("*.conf")]
    logs, settings = ground / "logs", out / "gunicorn/gunicorn.conf.py"
    logs.mkdir()
    text = text.replace("/etc/prodgen/frappe-bench/gunicorn.conf.py", str(settings))
    supervisor = Supervisord(ground / "supervisor")
    supervisor.add("bench.conf", text.replace("/var/log/frappe-bench", str(logs)))
    with supervisor:
        figure(f"{len(supervisor.wait_running())} processes RUNNING as the command rendered them")
        assert bench.web_answers()
