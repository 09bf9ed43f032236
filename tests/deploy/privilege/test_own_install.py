"""prodgen as root changes nothing while others could change what it runs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

import prodgen
from prodgen.deploy.privilege import own_install
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.privilege.own_install import (
    install_commands,
    own_danger,
    require_own_install,
)
from prodgen.host.run_as import NOBODY
from tests.support.rig.tools import need_root


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package that counts as the one that runs, in a folder of root's."""
    need_root("folders of several owners")
    package = tmp_path / "lib" / "prodgen"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(prodgen.__file__).parent, package, ignore=skip)
    monkeypatch.setattr(prodgen, "__file__", str(package / "__init__.py"))
    monkeypatch.setattr(own_install, "templates_folder", lambda: tmp_path / "templates")
    (tmp_path / "templates" / "nginx").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "lib")])
    return tmp_path


def test_an_install_of_roots_own_is_fine(own: Path) -> None:
    assert own_danger() is None
    require_own_install()


def give(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)


def open_to_all(path: Path) -> None:
    path.chmod(0o777)


@pytest.mark.parametrize("how", [give, open_to_all])
@pytest.mark.parametrize(
    "place",
    ["lib", "lib/prodgen", "lib/prodgen/cli/main.py", "lib/prodgen/codes.json", "templates/nginx"],
)
def test_what_others_can_change_is_refused(own: Path, place: str, how: object) -> None:
    assert callable(how)
    how(own / place)
    with pytest.raises(NotAdmitted) as barred:
        require_own_install()
    (found,) = barred.value.found
    assert found.code == "PG823"
    assert found.message.startswith("this prodgen is not root's own: ")
    assert found.message.endswith(f"can change {own / place}")
    assert "python3 -m venv /opt/prodgen" in (found.help or "")


def test_a_folder_above_counts(own: Path) -> None:
    give(own)
    assert str(own_danger()) == f"nobody can change {own}"


def test_a_folder_to_import_from_counts(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as the current folder, which `python -m` puts first."""
    (own / "bench").mkdir()
    give(own / "bench")
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.chdir(own / "bench")
    assert str(own_danger()) == f"nobody can change {own / 'bench'}"


def test_a_module_beside_the_packages_counts(own: Path) -> None:
    (own / "lib" / "jinja2.py").touch()
    give(own / "lib" / "jinja2.py")
    assert str(own_danger()) == f"nobody can change {own / 'lib/jinja2.py'}"


def test_the_interpreter_counts(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "python").symlink_to(sys.executable)
    os.chown(own / "python", NOBODY, NOBODY, follow_symlinks=False)
    monkeypatch.setattr(sys, "executable", str(own / "python"))
    assert str(own_danger()) == f"nobody can change {own / 'python'}"


def test_nobody_else_is_held_up(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(own)
    monkeypatch.setattr(os, "geteuid", lambda: 1001)
    require_own_install()


def test_the_commands_name_no_path_in_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_install, "_direct_url", lambda: "file:///home/frappe/prodgen")
    assert not any("/home/" in command for command in install_commands())
    assert f"'prodgen[restart]=={prodgen.__version__}'" in install_commands()[2]
    monkeypatch.setattr(own_install, "_direct_url", lambda: "file:///usr/share")
    assert "'prodgen[restart] @ file:///usr/share'" in install_commands()[2]
