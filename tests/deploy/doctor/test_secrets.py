"""The doctor looks at the file of secrets: each fault is made, and named with the way out."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.doctor.finding import Finding, Grade
from prodgen.deploy.doctor.secrets import check_secrets
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from tests.support.plans import FACTS, bench_files, declared, make_plan
from tests.support.rig.tools import need_root

USER = "nobody"


@pytest.fixture
def file() -> Iterator[Path]:
    """A sound file in a folder of root's, where no temporary folder is above."""
    need_root("files of other users")
    with tempfile.TemporaryDirectory(prefix="prodgen-secrets-", dir="/etc") as folder:
        path = Path(folder, "secrets.env")
        path.write_text("A='hunter2'\n")
        path.chmod(0o600)
        yield path


def plan_for(file: Path, manager: str) -> Plan:
    text = f"env_file: {file}\nmanager: {manager}\nuser: {USER}\n"
    files = bench_files("web: bench serve\n")._replace(settings=Source("prodgen.yaml", text))
    return make_plan(files, FACTS._replace(path=declared(PurePosixPath("/b"))))


def check(file: Path, manager: str = "supervisor") -> Finding:
    [found] = check_secrets(plan_for(file, manager))
    assert "hunter2" not in repr(found)
    assert bool(found.fix) == (found.grade is Grade.BAD)
    return found


def give(file: Path) -> None:
    os.chown(file, pwd.getpwnam(USER).pw_uid, -1)


def test_sound(file: Path) -> None:
    assert check(file, "systemd").grade is Grade.GOOD
    give(file)
    assert check(file, "systemd").grade is Grade.GOOD
    assert check(file).grade is Grade.GOOD


def test_nothing_to_look_at() -> None:
    assert not list(check_secrets(make_plan(bench_files("web: bench serve\n"))))


def test_missing(file: Path) -> None:
    file.unlink()
    found = check(file)
    assert "no service starts without it" in found.text
    assert found.fix == f"install -m 0600 -o {USER} /dev/null {file}"


def test_another_owner(file: Path) -> None:
    found = check(file)
    assert f"belongs to root: {USER} cannot read it" in found.text
    assert found.fix.startswith(f"chown {USER}: {file}")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o200])
def test_another_mode(file: Path, mode: int) -> None:
    give(file)
    file.chmod(mode)
    assert check(file).fix == f"chmod 0600 {file}"


def test_a_folder_in_which_others_write(file: Path) -> None:
    """Root reads it: whoever may replace it could have root read another file."""
    file.parent.chmod(0o777)
    found = check(file, "systemd")
    assert f"root reads {file}, and everyone can change {file.parent}" in found.text
    give(file)
    assert check(file).grade is Grade.GOOD, "the service reads it as its own user"


def test_a_line_that_starts_nothing(file: Path) -> None:
    give(file)
    file.write_text("A=1\nB=hunter2 x\n")
    assert f"{file}:2:3" in check(file).text


def test_no_file(file: Path) -> None:
    file.unlink()
    file.mkdir()
    assert "is no file" in check(file).text
