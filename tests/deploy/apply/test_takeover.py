"""What others have installed is found, replaced as it was reviewed, and comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.apply.apply import End, Job, apply
from prodgen.deploy.apply.history import LINKED, created_files, former_artifacts, replaced_files
from prodgen.deploy.apply.installed import look
from prodgen.deploy.apply.takeover import plan_takeover, with_room
from prodgen.deploy.managers.systemd import foreign_units
from prodgen.deploy.session.activation import Activation
from prodgen.plan.core.model import Manager
from prodgen.provenance import Sourced
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.effects import Action, Effect
from prodgen.targets.manifest import make_manifest
from tests.deploy.apply.test_apply import CONTEXT, STATE
from tests.support.plans import ROOT
from tests.support.reviewed import side

THEIRS = ROOT / "tests/review/adopt/adopted/by-hand"
PLAN = CONTEXT.plan
NGINX = "/etc/nginx/sites-enabled/erp"
PROGRAMS = "/etc/supervisor/conf.d/frappe-bench.conf"
OWN = "/etc/supervisor/conf.d/frappe-bench-own.conf"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with bench's two files, one of them linked under another name, and a stranger's."""
    bench = tmp_path / "bench"
    bench.mkdir()
    for name, place in (("nginx.conf", NGINX), ("supervisor.conf", PROGRAMS)):
        (bench / name).write_text((THEIRS / name).read_text())
        link = tmp_path / place.lstrip("/")
        link.parent.mkdir(parents=True)
        link.symlink_to(bench / name)
    other = tmp_path / "etc/nginx/sites-enabled/other"
    other.write_text("server { listen 80; server_name other.test; root /srv; }\n")
    return tmp_path


def job(root: Path) -> Job:
    new = side(PLAN, "supervisor")
    found = plan_takeover(PLAN, new, (), root)
    made = [
        Artifact(PurePosixPath(one.target, path.name), one.text, path, one.target, one.mode)
        for path, one in new.items()
    ]
    wanted = [*made, *found.own, make_manifest(made, "frappe-bench", "1", {})]
    return Job(
        CONTEXT,
        wanted,
        root / STATE,
        lambda _event: None,
        root=root,
        activates=False,
        replaces=found.theirs,
    )


def there(root: Path, place: str) -> Path:
    return root / place.lstrip("/")


def test_theirs_goes_under_any_name_and_a_strangers_stays(root: Path) -> None:
    assert {str(path) for path in job(root).replaces} == {NGINX, PROGRAMS}
    assert apply(job(root)).end is End.DONE
    assert not there(root, NGINX).is_symlink()
    assert there(root, "/etc/nginx/sites-enabled/other").exists()
    assert not there(root, PROGRAMS).is_symlink()
    assert "robot-of-mine" in there(root, OWN).read_text()
    assert (root / "bench/nginx.conf").read_text() == (THEIRS / "nginx.conf").read_text()
    assert PurePosixPath(NGINX) not in job(root).replaces


def test_what_has_changed_since_it_was_shown_is_refused(root: Path) -> None:
    work = job(root)
    (root / "bench/nginx.conf").write_text("server { }\n")
    assert apply(work).end is End.REFUSED
    assert there(root, PROGRAMS).is_symlink()


def test_a_rollback_brings_theirs_back_for_root_alone(root: Path) -> None:
    apply(job(root))
    state = root / STATE
    made = created_files(state)
    assert PurePosixPath(OWN) in made
    back = job(root)
    back.artifacts = former_artifacts(state)
    found = look(root, PurePosixPath("/") / STATE, made)
    back.replaces = {path: found.side[path] for path in made}
    assert apply(back).end is End.DONE
    for name, place in (("nginx.conf", NGINX), ("supervisor.conf", PROGRAMS)):
        assert there(root, place).read_text() == (THEIRS / name).read_text()
        assert there(root, place).stat().st_mode & 0o777 == LINKED
    assert not there(root, OWN).exists()


UNITS = ROOT / "tests/review/adopt/systemd/adopted_systemd/by-hand"
FOLDER = "/etc/systemd/system"


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A host with bench's units as links into the bench, and a drop-in beside them."""
    folder = there(tmp_path, FOLDER)
    for path in (one for one in UNITS.rglob("*") if one.is_file()):
        inner = path.relative_to(UNITS)
        place = folder / inner
        place.parent.mkdir(parents=True, exist_ok=True)
        if len(inner.parts) > 1:
            place.write_text(path.read_text())
        else:
            place.symlink_to(path)
    return tmp_path


def unit_job(root: Path) -> Job:
    plan = PLAN._replace(manager=Sourced(Manager.SYSTEMD, PLAN.manager.origin))
    new = side(plan, "systemd")
    found = plan_takeover(plan, new, (), root)
    made = [
        Artifact(PurePosixPath(one.target, path.name), one.text, path, one.target, one.mode)
        for path, one in new.items()
    ]
    wanted = [*made, *found.own, make_manifest(made, "frappe-bench", "1", {})]
    context = replace(CONTEXT, plan=plan)
    return Job(
        context,
        wanted,
        root / STATE,
        lambda _event: None,
        root=root,
        activates=False,
        replaces=found.theirs,
    )


def test_units_are_taken_over_and_come_back(units: Path) -> None:
    before = {path.name for path in there(units, FOLDER).iterdir()}
    assert apply(unit_job(units)).end is End.DONE
    folder = there(units, FOLDER)
    assert not (folder / "frappe-bench-frappe-web.service").is_symlink()
    assert not (folder / "frappe-bench-frappe-web.service").exists()
    assert not (folder / "frappe-bench-frappe-web.service.d/limits.conf").exists()
    assert (folder / "frappe-bench-frappe-web@.service.d/adopted.conf").exists()
    assert (folder / "listener-of-mine.service").is_symlink()

    state = units / STATE
    assert PurePosixPath(FOLDER, "frappe-bench.target") in replaced_files(state)
    made = created_files(state)
    back = unit_job(units)
    back.artifacts = former_artifacts(state)
    found = look(units, PurePosixPath("/") / STATE, made)
    back.replaces = {path: found.side[path] for path in made}
    assert apply(back).end is End.DONE
    name = "frappe-bench-frappe-web.service"
    assert (folder / name).read_text() == (UNITS / name).read_text()
    assert (folder / name).stat().st_mode & 0o777 == LINKED
    assert (folder / f"{name}.d/limits.conf").exists()
    assert before <= {path.name for path in folder.iterdir()}


def test_only_folders_that_were_made_go_again(tmp_path: Path) -> None:
    there_before, made = tmp_path / "http.d", tmp_path / "nginx/server.d"
    there_before.mkdir()
    own = [
        Artifact(PurePosixPath("own", "a"), "", PurePosixPath(folder, "adopted.conf"), "nginx")
        for folder in (there_before, made)
    ]
    with with_room(own):
        assert made.is_dir()
    assert not made.parent.exists()
    assert there_before.is_dir()
    with with_room(own):
        (made / "adopted.conf").touch()
    assert (made / "adopted.conf").exists()


def test_what_a_boot_would_start_from_the_bench_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_units, "UNITS", tmp_path)
    wants = tmp_path / "multi-user.target.wants"
    wants.mkdir()
    (tmp_path / "frappe-bench.target").touch()
    for name, end in (
        ("frappe-bench.target", tmp_path / "frappe-bench.target"),
        ("frappe-bench-web.target", "/home/frappe/frappe-bench/config/x"),
        ("frappe-bench-frappe-long-worker@3.service", "../gone@.service"),
        ("other.service", "/home/frappe/other.service"),
    ):
        (wants / name).symlink_to(end)
    files = (
        "frappe-bench.target",
        "frappe-bench-web.target",
        "frappe-bench-frappe-long-worker@.service",
    )
    effects = [Effect("systemd", name, Action.REREAD, program=name) for name in files]
    foreign_units.drop_foreign_links(Activation(CONTEXT, effects, lambda _event: None, pytest.fail))
    assert {path.name for path in wants.iterdir()} == {"frappe-bench.target", "other.service"}
