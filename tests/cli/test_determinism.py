"""The same bytes, wherever, by whomever and with whatever around; the whole command each time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import COMMAND, PLAIN_ENVIRONMENT, copy_bench, prodgen
from tests.support.plans import ROOT
from tests.support.rig.tools import missing

OUTPUTS = ("out", "out.tar", "out.tar.gz")
SETTINGS = """\
version: 1
host:
  path: /home/frappe/frappe-bench
  home: /home/frappe
  node: /usr/bin/node
  redis_server: /usr/bin/redis-server
  nginx: 1.24.0
  systemd: 255
env: {B: "1", A: "2"}
resources: {web: {memory_max: 2G}, worker: {memory_max: 1G}}
nginx: {hsts: subdomains, default_server: true}
"""
SHUFFLED = """\
nginx:
  default_server: true
  hsts: subdomains
resources:
  worker: {memory_max: 1G}
  web: {memory_max: 2G}
env:
  A: "2"
  B: "1"
host:
  systemd: 255
  nginx: 1.24.0
  redis_server: /usr/bin/redis-server
  node: /usr/bin/node
  home: /home/frappe
  path: /home/frappe/frappe-bench
version: 1
"""
PLACES: dict[str, dict[str, str]] = {
    "far away": {
        "TZ": "Pacific/Chatham",
        "SOURCE_DATE_EPOCH": "1",
        "PYTHONHASHSEED": "1",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
    },
    "someone": {
        "HOME": "/nowhere",
        "USER": "someone",
        "SUDO_USER": "x",
        "LC_ALL": "de_DE.UTF-8",
        "LANGUAGE": "de",
        "PYTHONHASHSEED": "4294967295",
    },
    "no tools": {
        "COLUMNS": "20",
        "TERM": "xterm",
        "FORCE_COLOR": "1",
        "CI": "true",
        "PATH": "/nonexistent",
    },
    "optimised": {"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"},
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
NEEDED = sysconfig.get_path("purelib")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every user may enter, with a bench in it."""
    with tempfile.TemporaryDirectory(prefix="prodgen-test-") as folder:
        Path(folder).chmod(0o755)
        bench = copy_bench(Path(folder, "frappe-bench"))
        (bench / "prodgen.yaml").write_text(SETTINGS)
        yield Path(folder)


@pytest.fixture(scope="module")
def plain(place: Path) -> dict[str, str]:
    """The digests of an ordinary run."""
    return digests(place / "frappe-bench", place / "plain")


def digests(
    bench: Path,
    out: Path,
    *,
    env: dict[str, str] | None = None,
    before: Sequence[str] = (),
    command: Sequence[str] = COMMAND,
    cwd: Path = ROOT,
) -> dict[str, str]:
    """What each kind of output holds after a locked run: folder with modes, and both archives."""
    for name in OUTPUTS:
        arguments = ["render", "-q", "--locked", "-C", str(bench), "-o", str(out / name)]
        arguments += ["-t", "all", "-t", "systemd"]
        done = prodgen(*arguments, cwd=cwd, env=env, command=(*before, *command))
        assert (done.code, done.out, done.err) == (0, "", ""), done
    listed = sorted((out / "out").rglob("*"))
    folder = [
        (str(path.relative_to(out)), oct(path.stat().st_mode), path.read_bytes())
        for path in listed
        if path.is_file()
    ]
    archives = {name: sha256((out / name).read_bytes()).hexdigest() for name in OUTPUTS[1:]}
    return {"out": sha256(repr(folder).encode()).hexdigest(), **archives}


@pytest.mark.parametrize("name", PLACES)
def test_another_environment(name: str, place: Path, plain: dict[str, str], tmp_path: Path) -> None:
    assert digests(place / "frappe-bench", tmp_path, env=PLACES[name]) == plain


def test_another_umask(place: Path, plain: dict[str, str], tmp_path: Path) -> None:
    before = ("sh", "-c", 'umask 077; exec "$@"', "sh")
    assert digests(place / "frappe-bench", tmp_path, before=before) == plain


def test_another_folder(place: Path, plain: dict[str, str], tmp_path: Path) -> None:
    """Another current folder, and another place of the bench and its settings."""
    moved = tmp_path / "elsewhere/frappe-bench"
    shutil.copytree(place / "frappe-bench", moved)
    assert digests(moved, tmp_path / "a", cwd=Path("/")) == plain
    (moved / "prodgen.yaml").rename(tmp_path / "settings.yaml")
    arguments = ["render", "-q", "--locked", "--config", str(tmp_path / "settings.yaml")]
    arguments += ["-o", str(tmp_path / "b/out.tar"), "-t", "all", "-t", "systemd"]
    assert prodgen(*arguments, cwd=moved / "sites").code == 0
    assert sha256((tmp_path / "b/out.tar").read_bytes()).hexdigest() == plain["out.tar"]


def test_another_user(place: Path, plain: dict[str, str]) -> None:
    if os.getuid() != 0:
        missing("not root: nobody else can be tried")
    with tempfile.TemporaryDirectory(prefix="prodgen-test-") as folder:
        os.chown(folder, 65534, 65534)
        before = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        code = "import os, sys; sys.exit(not os.access(sys.argv[1], os.X_OK | os.R_OK))"
        if subprocess.run([*before, sys.executable, "-c", code, ROOT], check=False).returncode:
            pytest.skip("another user cannot enter this checkout, or run this Python")
        assert digests(place / "frappe-bench", Path(folder), before=before) == plain


def test_another_machine(place: Path, plain: dict[str, str], tmp_path: Path) -> None:
    """Another host name, one CPU and no network; a PATH without tools is tried above."""
    if os.getuid() != 0:
        missing("not root: no host name of its own")
    inner = 'hostname other.example; exec "$@"'
    before = ("taskset", "-c", "0", "unshare", "--uts", "--net", "sh", "-c", inner, "sh")
    assert digests(place / "frappe-bench", tmp_path, before=before) == plain


def backwards(data: Any) -> Any:
    """The same data with the keys of every object in the opposite order."""
    if isinstance(data, dict):
        return {key: backwards(value) for key, value in reversed(data.items())}
    return [backwards(one) for one in data] if isinstance(data, list) else data


def test_another_order(place: Path, plain: dict[str, str], tmp_path: Path) -> None:
    """Keys of JSON and YAML, and the order in which the folders of sites were made."""
    bench = copy_bench(tmp_path / "frappe-bench")
    (bench / "prodgen.yaml").write_text(SHUFFLED)
    sites = sorted(path.parent.name for path in bench.glob("sites/*/site_config.json"))
    assert len(sites) >= 2
    for site in reversed(sites):
        (bench / "sites" / site).rename(tmp_path / site)
        shutil.copytree(tmp_path / site, bench / "sites" / site)
    for path in bench.glob("sites/**/*.json"):
        path.write_text(json.dumps(backwards(json.loads(path.read_text())), indent=3))
    assert digests(bench, tmp_path / "made") == plain


@pytest.mark.parametrize("version", PYTHONS)
def test_another_python(version: str, place: Path, plain: dict[str, str], tmp_path: Path) -> None:
    """With the libraries of this one: what needs a compiled module is not loaded for a good bench.

    The gzip layer is the work of the zlib that a Python has: unpacked it is always the same, and as
    it is where the zlib is of the same version.
    """
    python = find_python(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    env = {"PYTHONPATH": f"{ROOT}:{NEEDED}", "PYTHONDONTWRITEBYTECODE": "1"}
    found = digests(place / "frappe-bench", tmp_path, env=env, command=(python, "-m", "prodgen"))
    unzipped = subprocess.run(["gzip", "-dc", tmp_path / "out.tar.gz"], capture_output=True)
    assert sha256(unzipped.stdout).hexdigest() == plain["out.tar"]
    same = OUTPUTS if zlib_of(python) == zlib_of(sys.executable) else OUTPUTS[:2]
    assert {name: found[name] for name in same} == {name: plain[name] for name in same}


def zlib_of(python: str) -> str:
    """The version of the zlib that a Python runs with."""
    code = "import zlib; print(zlib.ZLIB_RUNTIME_VERSION)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout


def find_python(version: str) -> str | None:
    """A Python of this version: on the PATH, or one of pyenv's, uv's or GitHub's runners."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    uv = Path.home() / ".local/share/uv/python"
    runner = Path(os.environ.get("RUNNER_TOOL_CACHE") or "/opt/hostedtoolcache")
    known = [
        *map(str, pyenv.glob(f"versions/{version}.*/bin/python")),
        *map(str, uv.glob(f"cpython-{version}.*/bin/python{version}")),
        *map(str, runner.glob(f"Python/{version}.*/*/bin/python")),
    ]
    candidates = [shutil.which(f"python{version}"), *known]
    for one in filter(None, candidates):
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run(
            [one, "-c", code], capture_output=True, text=True, env=PLAIN_ENVIRONMENT
        )
        if done.stdout.strip() == version:
            return one
    return None
