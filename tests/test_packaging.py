"""It installs: what is in the wheel and the sdist, and that each of them works on its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from prodgen import __version__
from prodgen.targets.core.templating import templates_folder
from tests.support.command import prodgen
from tests.support.plans import FIXTURES, ROOT
from tests.support.rig.tools import missing

pytestmark = pytest.mark.process

SHIPPED = ("prodgen/**/*.py", "prodgen/py.typed", "prodgen/codes.json",
           "prodgen/inputs/schema/*.json", "templates/**/*", "share/**/*")  # fmt: skip
"""Everything that the package is made of, below the checkout."""
BESIDE = {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "hatch_build.py"}
RECORD = "prodgen/commit.txt"
METADATA = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
NAME = f"prodgen-{__version__}"
BENCH = FIXTURES / "frappe-16/frappe-bench"
WHERE = "from prodgen.targets.core.templating import templates_folder; print(templates_folder())"
RENDER = ("render", "-q", "-t", "supervisor", "-t", "systemd", "-t", "nginx", "-t", "gunicorn")


def shipped() -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for pattern in SHIPPED
        for path in ROOT.glob(pattern)
        if path.is_file()
    }


def where_in_a_wheel(name: str) -> str:
    first = name.split("/", 1)[0]
    folders = {"templates": "prodgen/", "share": f"{NAME}.data/data/"}
    return folders.get(first, "") + name


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that knows nothing of the checkout."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        said = done.stdout + done.stderr
        if "No matching distribution" in said and "hatchling" in said:
            missing("no package index: hatchling cannot be had")
        pytest.fail(f"{command} ended with {done.returncode}\n{said[-3000:]}")
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the package is built from, with litter that must not get into it."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("prodgen", "templates", "share"):
        shutil.copytree(ROOT / name, folder / name)
    for name in BESIDE | {".gitignore"}:
        shutil.copy(ROOT / name, folder)
    run("git", "init", "-q", cwd=folder)
    run("git", "add", ".", cwd=folder)
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "all",
        cwd=folder)  # fmt: skip
    for litter in ("prodgen/__pycache__/x.pyc", ".env", "notes.txt", "tests/x.py", "build/x"):
        (folder / litter).parent.mkdir(exist_ok=True)
        (folder / litter).touch()
    return folder


@pytest.fixture(scope="module")
def dist(source: Path) -> Path:
    """A folder with the sdist, and the wheel that is built from it."""
    folder = source.parent / "dist"
    run(sys.executable, "-m", "build", "--outdir", str(folder), cwd=source)
    return folder


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter of a new environment that has what prodgen needs, but not prodgen."""
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"), cwd=tmp_path)
    found = tmp_path / "venv/bin/python"
    own = Path(
        run(found, "-c", "import site; print(site.getsitepackages()[0])", cwd=tmp_path).strip()
    )
    (own / "needed.pth").write_text(sysconfig.get_path("purelib"))
    return found


def test_a_checkout_has_its_templates_beside_the_package() -> None:
    assert templates_folder() == ROOT / "templates"


def test_the_wheel_holds_the_package_and_nothing_else(dist: Path) -> None:
    inside = {where_in_a_wheel(name) for name in shipped()} | {RECORD}
    about = {f"{NAME}.dist-info/{name}" for name in METADATA}
    with zipfile.ZipFile(dist / f"{NAME}-py3-none-any.whl") as wheel:
        assert sorted(wheel.namelist()) == sorted(inside | about)


def test_the_sdist_holds_the_sources_and_nothing_else(dist: Path) -> None:
    wanted = shipped() | BESIDE | {".gitignore", "PKG-INFO", RECORD}
    with tarfile.open(dist / f"{NAME}.tar.gz") as sdist:
        assert sorted(sdist.getnames()) == sorted(f"{NAME}/{name}" for name in wanted)


@pytest.mark.parametrize("kind", ["wheel", "sdist", "editable"])
def test_it_works_installed(
    kind: str, dist: Path, source: Path, python: Path, tmp_path: Path
) -> None:
    what = {
        "wheel": [str(dist / f"{NAME}-py3-none-any.whl")],
        "sdist": [str(dist / f"{NAME}.tar.gz")],
        "editable": ["--editable", str(source)],
    }[kind]
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", *what, cwd=tmp_path)
    home = Path(run(python, "-c", "import prodgen; print(prodgen.__file__)", cwd=tmp_path).strip())
    assert home.is_relative_to(source if kind == "editable" else tmp_path)
    beside = source if kind == "editable" else home.parent
    assert run(python, "-c", WHERE, cwd=tmp_path).strip() == str(beside / "templates")
    rendered = prodgen(*RENDER, cwd=BENCH).out
    commit = run("git", "rev-parse", "--short=12", "HEAD", cwd=source).strip()
    built = "" if kind == "editable" else f" (commit {commit})"
    for command in ([python.with_name("prodgen")], [python, "-m", "prodgen"]):
        assert run(*command, "--version", cwd=tmp_path) == f"prodgen {__version__}{built}\n"
        assert run(*command, *RENDER, "-C", BENCH, cwd=tmp_path) == rendered
        assert "PG500" in run(*command, "explain", "PG500", cwd=tmp_path)
        assert '"$schema"' in run(*command, "schema", "prodgen", cwd=tmp_path)
    assert (python.parents[1] / "share/man/man1/prodgen.1").is_file()
