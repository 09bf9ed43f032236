"""What others have installed is found, replaced as it was reviewed, and comes back."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.adopt import foreign_units, plan_takeover
from prodgen.deploy.apply import End, Job, apply
from prodgen.deploy.generations import LINKED, created_files, former_artifacts
from prodgen.deploy.installed import look
from prodgen.targets.artifacts import Artifact
from prodgen.targets.manifest import make_manifest
from tests.deploy.test_apply import STATE, SUBJECT
from tests.review.reviewed import side

THEIRS = Path(__file__).parent.parent / "review/adopted/by-hand"
PLAN = SUBJECT.plan
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
        SUBJECT,
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


def test_units_of_others_are_seen(tmp_path: Path) -> None:
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    for name in ("frappe-bench.target", "frappe-bench-web.target", "other.service"):
        (folder / name).touch()
    owned = {PurePosixPath("/etc/systemd/system/frappe-bench-web.target")}
    found = foreign_units(PLAN, owned, tmp_path)
    assert found == [PurePosixPath("/etc/systemd/system/frappe-bench.target")]
