"""What a bench needs around its config: a log folder, links to the logs, the keys of production."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from prodgen.deploy.apply import bench_setup
from prodgen.deploy.apply.bench_setup import (
    key_change,
    keys_to_set,
    link_logs,
    make_log_folder,
    note_keys,
    noted_keys,
    prepare,
    set_keys,
)
from prodgen.deploy.apply.journal import KeyChange
from prodgen.deploy.managers.core.base import ProcessManager
from prodgen.deploy.managers.supervisor import backend as supervisor
from prodgen.deploy.privilege.restart_right import RestartRight, Way
from prodgen.deploy.session.activation import Activation
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.host.door import Door, enter
from prodgen.plan.core.model import Manager, Plan
from prodgen.review.changes.site_config_edit import FILE, Value
from prodgen.targets.supervisor.groups import log_links
from tests.support.accounts import needs_root
from tests.support.fakes.recorder import PLAN, Recorder
from tests.support.owner import OWNER, give, is_owners
from tests.support.systemd_plans import sourced, with_options

TEXT = '{\n "b": "kept",\n "c": 1\n}\n'


@pytest.fixture
def plan(ground: Path) -> Plan:
    """A plan for a bench of an ordinary user's."""
    bench = ground / "bench"
    for name in ("logs", "sites"):
        (bench / name).mkdir(parents=True)
    (bench / FILE).write_text(TEXT)
    give(bench)
    return PLAN._replace(
        bench=sourced(bench),
        user=sourced(OWNER.name),
        log_folder=sourced(ground / "var" / "log" / "frappe-bench"),
    )


def door(plan: Plan) -> Door:
    return enter(Path(plan.bench.value))


def logs(plan: Plan) -> Path:
    return Path(plan.bench.value, "logs")


def test_each_log_is_where_bench_has_it(plan: Plan) -> None:
    assert link_logs(plan, door(plan)) == []
    links = {path.name: str(path.readlink()) for path in logs(plan).iterdir()}
    assert links == {name: str(log) for name, log in log_links(plan).items()}
    assert links
    assert all(is_owners(path) for path in logs(plan).iterdir())
    assert link_logs(plan, door(plan)) == [], "it may be done again and again"


def one_log(plan: Plan) -> tuple[Path, Path]:
    """The place of a link, and where it leads."""
    name, log = next(iter(log_links(plan).items()))
    return logs(plan) / name, Path(log)


def test_a_log_of_before_is_kept_under_another_name(plan: Plan) -> None:
    place, log = one_log(plan)
    place.write_text("of last year")
    link_logs(plan, door(plan))
    assert place.readlink() == log
    assert place.with_name(f"{place.name}.before-prodgen").read_text() == "of last year"


def test_a_link_of_ours_to_another_log_is_led_anew(plan: Plan) -> None:
    place, log = one_log(plan)
    place.symlink_to(Path(plan.log_folder.value, "renamed.log"))
    link_logs(plan, door(plan))
    assert place.readlink() == log


def test_what_somebody_else_has_put_there_stays(plan: Plan) -> None:
    place, _ = one_log(plan)
    place.symlink_to("/mnt/logs/web.log")
    assert link_logs(plan, door(plan)) == []
    assert str(place.readlink()) == "/mnt/logs/web.log"
    place.unlink()
    place.mkdir()
    assert link_logs(plan, door(plan)) == []
    assert place.is_dir()


def test_links_that_cannot_be_made_are_named(plan: Plan) -> None:
    logs(plan).rmdir()
    failed = link_logs(plan, door(plan))
    assert len(failed) == len(log_links(plan))
    assert failed[0].endswith(": no such file or directory")


def test_systemd_needs_no_links(plan: Plan) -> None:
    assert link_logs(plan._replace(manager=sourced(Manager.SYSTEMD)), door(plan)) == []
    assert list(logs(plan).iterdir()) == []


@pytest.mark.parametrize(
    ("manager", "options", "is_made"),
    [
        (Manager.SUPERVISOR, {}, True),
        (Manager.SYSTEMD, {"logs": "files"}, True),
        (Manager.SYSTEMD, {"logs": "journal"}, False),
        (Manager.SYSTEMD, {"logs": "files", "scope": "user"}, False),
    ],
)
def test_the_folder_for_logs_is_root_s_own(
    plan: Plan, manager: Manager, options: dict[str, str], *, is_made: bool
) -> None:
    plan = with_options(plan._replace(manager=sourced(manager)), **options)
    make_log_folder(plan)
    folder = Path(plan.log_folder.value)
    assert folder.is_dir() is is_made
    if is_made:
        assert folder.stat().st_mode & 0o022 == 0
        make_log_folder(plan)


def config(plan: Plan) -> str:
    return Path(plan.bench.value, FILE).read_text()


def change_of(plan: Plan, wanted: dict[str, Value]) -> KeyChange:
    found = key_change(plan, door(plan), wanted)
    assert found is not None
    return found


def test_keys_are_set_in_their_place_and_known_to_a_rollback(plan: Plan) -> None:
    change = change_of(plan, {"a": True, "b": None})
    assert change.former == {"a": None, "b": "kept"}
    path = Path(plan.bench.value, FILE)
    path.chmod(0o640)
    set_keys(change)
    assert json.loads(config(plan)) == {"c": 1, "a": True}
    assert path.stat().st_mode & 0o777 == 0o640
    assert is_owners(path)
    set_keys(change._replace(wanted=change.former))
    assert json.loads(config(plan)) == json.loads(TEXT)


def test_what_is_so_already_is_not_written(plan: Plan) -> None:
    path = Path(plan.bench.value, FILE)
    before = path.stat()
    set_keys(change_of(plan, {"b": "kept"}))
    assert path.stat().st_ino == before.st_ino
    assert key_change(plan, door(plan), {}) is None


@pytest.mark.parametrize("hook", ["", "sudo -n prodgen restart"])
def test_production_keys_are_missing_only_once(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    right = RestartRight(Way.SUDO if hook else Way.NONE, hook)
    monkeypatch.setattr(supervisor, "right_to_restart", lambda *_: right)
    wanted = keys_to_set(plan, door(plan))
    assert wanted
    assert (hook in wanted.values()) is bool(hook)
    set_keys(change_of(plan, wanted))
    assert keys_to_set(plan, door(plan)) == {}


def test_a_bench_without_the_file_gets_one(plan: Plan) -> None:
    Path(plan.bench.value, FILE).unlink()
    set_keys(change_of(plan, {"a": "1"}))
    assert json.loads(config(plan)) == {"a": "1"}
    assert is_owners(Path(plan.bench.value, FILE))


@needs_root
def test_a_link_of_the_bench_s_user_leads_root_nowhere(plan: Plan, tmp_path: Path) -> None:
    """Nothing is made, moved or told where only root may write or read."""
    name, _ = next(iter(log_links(plan).items()))
    root_s = tmp_path / "root"
    root_s.mkdir()
    (root_s / name).write_text("root's log")
    (root_s / "keys").write_text('{"b": "secret"}')
    logs(plan).rmdir()
    logs(plan).symlink_to(root_s)
    path = Path(plan.bench.value, FILE)
    path.unlink()
    path.symlink_to(root_s / "keys")
    failed = link_logs(plan, door(plan))
    assert len(failed) == len(log_links(plan))
    assert failed[0].endswith(": permission denied")
    with pytest.raises(PermissionError):
        key_change(plan, door(plan), {"b": None})
    with pytest.raises(PermissionError):
        set_keys(KeyChange(door(plan).path, OWNER.name, {"b": None}, {}))
    assert sorted(one.name for one in root_s.iterdir()) == sorted([name, "keys"])
    assert (root_s / "keys").read_text() == '{"b": "secret"}'


@needs_root
def test_a_bench_that_has_become_another_s_gets_no_keys(plan: Plan) -> None:
    """The change may be of an apply before the power failed."""
    change = change_of(plan, {"a": True})
    os.chown(plan.bench.value, 0, 0)
    with pytest.raises(ValueError, match=f"does not belong to {OWNER.name}"):
        set_keys(change)
    assert config(plan) == TEXT


def test_the_note_of_former_keys(tmp_path: Path) -> None:
    assert noted_keys(tmp_path) == {}
    note_keys(tmp_path, {})
    assert list(tmp_path.iterdir()) == []
    note_keys(tmp_path, {"a": None, "b": "kept"})
    assert noted_keys(tmp_path) == {"a": None, "b": "kept"}
    note_keys(tmp_path / "none", {"a": "1"})


def none_asked() -> ProcessManager:
    raise AssertionError("no manager is asked for")


def prepared(plan: Plan, keys: KeyChange | None, generation: Path) -> tuple[Activation, Recorder]:
    said = Recorder()
    work = Activation(BenchContext(plan, door(plan)), (), said, none_asked)
    prepare(work, keys, generation)
    return work, said


def test_an_apply_makes_all_of_it(plan: Plan, tmp_path: Path) -> None:
    work, said = prepared(plan, change_of(plan, {"a": True}), tmp_path)
    assert work.problems == ()
    assert said.texts() == [f"{FILE}: a"]
    assert noted_keys(tmp_path) == {"a": None}
    assert json.loads(config(plan))["a"] is True
    assert any(logs(plan).iterdir())


def test_keys_that_cannot_be_set_are_a_problem_and_noted_before(plan: Plan, tmp_path: Path) -> None:
    """Nothing of the old values may be lost, whatever happens between."""
    change = change_of(plan, {"a": True, "b": None})
    Path(plan.bench.value, FILE).write_text("]")
    work, said = prepared(plan, change, tmp_path)
    assert len(work.problems) == 1
    assert noted_keys(tmp_path) == {"a": None, "b": "kept"}
    assert said.texts("set") == []


def test_a_link_that_fails_is_only_noted(plan: Plan, tmp_path: Path) -> None:
    logs(plan).rmdir()
    work, said = prepared(plan, None, tmp_path)
    assert work.problems == ()
    assert said.texts("note")[0].startswith("no link to the log: ")


def test_how_prodgen_is_called_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert bench_setup.program() == f"{tmp_path / 'python'} -I -m prodgen"
    (tmp_path / "prodgen").touch()
    assert bench_setup.program() == str(tmp_path / "prodgen")
