"""What an earlier prodgen leaves behind, made by itself: outputs, a review, generations, journals.

    python -m tests.support.versions.former_state 256995e

unpacks that commit, runs it on a sample bench, and writes fixtures/former/. Below another root
`apply` tells no manager, so that no server and no rights are needed. Absolute paths in journals
begin with HOST in the place of the folder that they were made in.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.support.plans import FIXTURES, ROOT

FOLDER = FIXTURES / "former"
HOST = "@HOST@"
SETTINGS = """\
version: 1
manager: supervisor
host:
  path: /home/frappe/frappe-bench
  home: /home/frappe
  cpus: 4
  memory: 8G
  node: /usr/bin/node
  redis_server: /usr/bin/redis-server
  nginx: "1.22.1"
"""
BEFORE, AFTER = '"gunicorn_workers": 9', '"gunicorn_workers": 6'
PHASES = ("staging", "replacing", "activating")
APPLY = """
import os, sys
from pathlib import Path
from prodgen.cli.options import Selection
from prodgen.cli.pipeline import plan_bench
from prodgen.deploy import apply as module, journal
from prodgen.deploy.rendered import read_rendered
from prodgen.deploy.subject import Subject

output, root, stop = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
plan = plan_bench(Selection(), locked=True, programs=()).plan

def staged(*given):
    stage(*given)
    os._exit(9)

def one_replaced(moves):
    replace(list(moves)[:1])
    os._exit(9)

stage, replace = journal.stage, journal.replace
if stop == "staging":
    journal.stage = staged
elif stop == "replacing":
    journal.replace = one_replaced
elif stop == "activating":
    module._activate = lambda *given: os._exit(9)
state = root / "var/lib/prodgen" / plan.bench_name.value
rendered = read_rendered(output)
job = module.Job(Subject(plan), rendered.artifacts, state, lambda event: None, root=root,
                 activates=False)
print(module.apply(job).end)
"""
"""Applies an output below a root; ends like kill -9 in the middle of a phase."""


def copy_sample(folder: Path) -> Path:
    """The sample bench, which no fact of this machine has a say in."""
    shutil.copytree(FIXTURES / "frappe-16/frappe-bench", folder)
    (folder / "prodgen.yaml").write_text(SETTINGS)
    return folder


def change(bench: Path) -> None:
    """The change of the sample bench that the last apply installs."""
    path = bench / "sites/common_site_config.json"
    text = path.read_text()
    assert BEFORE in text
    path.write_text(text.replace(BEFORE, AFTER))


def make(commit: str) -> None:
    """Writes the fixtures of one commit."""
    with tempfile.TemporaryDirectory(prefix="prodgen-former-") as name:
        folder = Path(name)
        tree = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
        (folder / "former").mkdir()
        with tarfile.open(fileobj=io.BytesIO(tree.stdout)) as archive:
            archive.extractall(folder / "former", filter="data")
        _make(folder, FOLDER)


def _make(folder: Path, target: Path) -> None:
    bench = copy_sample(folder / "frappe-bench")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()

    def run(*words: str | Path, code: int = 0) -> None:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder / "former")}
        done = subprocess.run([sys.executable, *words], cwd=bench, env=environment)
        assert done.returncode == code, words

    first, second = folder / "first.tar.gz", target / "output.tar.gz"
    host = folder / "host"
    host.mkdir()
    run("-m", "prodgen", "render", "-q", "--locked", "-o", first)
    run("-c", APPLY, first, host, "")
    change(bench)
    run("-m", "prodgen", "render", "-q", "--locked", "-o", second)
    run("-m", "prodgen", "diff", second, "--root", host, "-o", target / "review.json")
    for phase in PHASES:
        killed = folder / phase
        shutil.copytree(host, killed, symlinks=True)
        run("-c", APPLY, second, killed, phase, code=9)
        _pack(killed, target / f"{phase}.tar.gz")
    run("-c", APPLY, second, host, "")
    _pack(host, target / "applied.tar.gz")


def _pack(host: Path, path: Path) -> None:
    for journal in host.rglob("journal.json"):
        journal.write_text(journal.read_text().replace(str(host), HOST))
    with tarfile.open(path, "w:gz") as archive:
        for one in sorted(host.rglob("*")):
            archive.add(one, one.relative_to(host), recursive=False, filter=_anonymous)


def _anonymous(one: tarfile.TarInfo) -> tarfile.TarInfo:
    one.uid = one.gid = one.mtime = 0
    one.uname = one.gname = ""
    return one


def unpack(name: str, root: Path) -> Path:
    """The host of one of the fixtures, at `root`."""
    with tarfile.open(FOLDER / f"{name}.tar.gz") as archive:
        archive.extractall(root, filter="data")
    for journal in root.rglob("journal.json"):
        journal.write_text(journal.read_text().replace(HOST, str(root)))
    return root


if __name__ == "__main__":
    make(sys.argv[1])
