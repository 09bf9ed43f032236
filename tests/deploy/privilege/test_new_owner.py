"""A bench of root's goes to the user that a file of root's alone names, and that can use it."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.privilege.new_owner import new_owner, unreachable_python
from prodgen.diagnostics import Location
from prodgen.host.door import enter
from prodgen.plan.core.model import Plan
from prodgen.provenance import At, Kind, Origin, Sourced
from tests.deploy.apply.test_apply import CONTEXT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives benches away")
USER = "daemon"
"""A user of every Debian, without rights of its own."""


@pytest.fixture
def bench() -> Iterator[Path]:
    """A bench of root's, with the prodgen.yaml that names its user."""
    with tempfile.TemporaryDirectory(prefix="prodgen-new-owner-") as top:
        Path(top).chmod(0o755)
        folder = Path(top, "bench")
        folder.mkdir()
        (folder / "prodgen.yaml").write_text(f"version: 1\nuser: {USER}\n")
        yield folder


def plan_for(user: str, kind: Kind = Kind.SETTINGS) -> Plan:
    origin = Origin(kind, "a file", At(Location("prodgen.yaml", 2, 7)))
    return CONTEXT.plan._replace(user=Sourced(user, origin))


def refused(bench: Path, plan: Plan, folder: Path | None = None) -> str:
    """What is said against it, with the way out."""
    with pytest.raises(NotAdmitted) as barred:
        new_owner(enter(bench), plan, folder or bench, bench / "prodgen.yaml")
    [found] = barred.value.found
    return f"{found.code} {found.message} -> {found.help}"


def test_the_user_of_prodgen_yaml_gets_it(bench: Path) -> None:
    who = new_owner(enter(bench), plan_for(USER), bench, bench / "prodgen.yaml")
    assert who.uid == pwd.getpwnam(USER).pw_uid


@pytest.mark.parametrize(
    ("user", "kind", "way_out"),
    [
        ("root", Kind.SETTINGS, "set `user: USER` in prodgen.yaml, then `prodgen adopt` gives"),
        ("nobody-here", Kind.SETTINGS, "useradd --create-home nobody-here, then `prodgen adopt`"),
        (USER, Kind.FILE, f"set `user: {USER}` in prodgen.yaml, then `prodgen adopt` gives"),
        (USER, Kind.HOST, f"set `user: {USER}` in prodgen.yaml, then `prodgen adopt` gives"),
    ],
)
def test_nobody_gets_it_without_being_named_there(
    bench: Path, user: str, kind: Kind, way_out: str
) -> None:
    assert way_out in refused(bench, plan_for(user, kind))


def test_another_name_of_roots_is_root(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: pwd.getpwuid(0))
    assert "belongs to root" in refused(bench, plan_for("toor"))


def test_who_can_write_prodgen_yaml_does_not_get_the_bench(bench: Path) -> None:
    file = bench / "prodgen.yaml"
    file.chmod(0o666)
    assert f"everyone can change {file}" in refused(bench, plan_for(USER))
    assert f"-> chmod o-w {file}" in refused(bench, plan_for(USER))
    file.chmod(0o644)
    os.chown(file, 12345, 0)
    assert f"12345 can change {file}" in refused(bench, plan_for(USER))


def test_a_folder_above_must_be_roots_alone(bench: Path) -> None:
    os.chown(bench.parent, 12345, 0)
    assert f"PG820 12345 can change {bench.parent}" in refused(bench, plan_for(USER))


def test_a_bench_in_its_users_folder_is_for_root_to_give(bench: Path) -> None:
    """That user could put another folder of root's in its place."""
    os.chown(bench.parent, pwd.getpwnam(USER).pw_uid, 0)
    said = refused(bench, plan_for(USER))
    assert f"PG821 {USER} can change {bench.parent}, and put another folder" in said
    assert f"`chown -R --no-dereference {USER}: {bench}`" in said


def test_the_user_must_get_there(bench: Path) -> None:
    bench.parent.chmod(0o700)
    said = refused(bench, plan_for(USER))
    assert f"PG821 {USER} cannot enter {bench.parent}, which is above the bench" in said
    assert f"`mv {bench} {pwd.getpwnam(USER).pw_dir}/`" in said


def test_a_bench_that_was_not_read_is_not_given_away(bench: Path) -> None:
    """`host: {path: ...}` may name any folder."""
    said = refused(bench, plan_for(USER), folder=bench.parent)
    assert f"-> prodgen adopt -C {bench}" in said


def test_a_python_of_roots_alone_is_named(bench: Path) -> None:
    who = new_owner(enter(bench), plan_for(USER), bench, bench / "prodgen.yaml")
    assert not unreachable_python(enter(bench), who)
    hidden = bench.parent / "hidden/python"
    hidden.parent.mkdir()
    hidden.touch(0o755)
    (bench / "env/bin").mkdir(parents=True)
    (bench / "env/bin/python").symlink_to(hidden)
    assert not unreachable_python(enter(bench), who)
    hidden.parent.chmod(0o700)
    assert unreachable_python(enter(bench), who) == str(hidden)
