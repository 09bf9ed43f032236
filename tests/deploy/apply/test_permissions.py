"""What root installs for a bench: files in the places that prodgen uses for it, and no others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.apply.permissions import breaches, is_own_place
from prodgen.deploy.apply.preflight import Change, refusals_of
from prodgen.diagnostics import Diagnostic
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from prodgen.targets.core.artifacts import HOST_FILES, Artifact
from prodgen.targets.registry import load_target, target_names
from prodgen.targets.systemd import places
from tests.support.accounts import ALICE, needs_root
from tests.support.plans import bench_files, make_plan
from tests.support.reviewed import PROCFILE, REDIS, plan_with


def settled(text: str, common: Mapping[str, object] | None = None) -> Plan:
    files = bench_files(PROCFILE, common or {}, sites={"one.test": {}}, redis=REDIS)
    return make_plan(files._replace(settings=Source("prodgen.yaml", f"version: 1\n{text}\n")))


def artifacts_of(plan: Plan) -> list[Artifact]:
    names = target_names(("all",), plan.manager.value)
    return [one for name in names for one in load_target(name).render(plan)[0]]


def at(path: str) -> Artifact:
    return Artifact(PurePosixPath("x"), "", PurePosixPath(path), "supervisor")


def told(plan: Plan, *artifacts: Artifact) -> list[tuple[str, str, str]]:
    found = breaches(plan, artifacts, {})
    return [(one.message, one.help, str(one.location or "")) for one in found]


@needs_root
@pytest.mark.parametrize(
    "settings",
    [
        "manager: supervisor",
        "manager: systemd",
        "manager: systemd\nlogging: {mode: files}\nredis: {managed: true}",
        "manager: supervisor\nbench_name: erp.1",
        "manager: systemd\nbench_name: my_bench-2\nenv_file: .env\nnginx: {default_server: true}",
        "manager: systemd\nresources: {bench: {memory_max: 4G}}\nprocesses: {mail: {command: x}}",
    ],
)
def test_everything_that_prodgen_makes_may_be_installed(settings: str) -> None:
    plan = settled(settings)
    made = artifacts_of(plan)
    assert len(made) > 2
    assert told(plan, *made) == []
    bench = plan.bench_name.value
    own = [one for one in made if one.destination not in HOST_FILES]
    assert all(is_own_place(bench, one.destination) for one in own)
    assert not any(is_own_place(f"{bench}x", one.destination) for one in own)


@pytest.mark.parametrize(
    ("path", "is_own"),
    [
        ("/etc/supervisor/conf.d/erp.conf", True),
        ("/etc/supervisor/conf.d/erp-own.conf", True),
        ("/etc/supervisord.d/erp.ini", True),
        ("/etc/nginx/conf.d/erp.conf", True),
        ("/etc/nginx/erp/server/adopted.conf", True),
        ("/etc/prodgen/erp/gunicorn.conf.py", True),
        ("/etc/systemd/system/erp.target", True),
        ("/etc/systemd/system/erp.slice", True),
        ("/etc/systemd/system/erp-web.target", True),
        ("/etc/systemd/system/erp-frappe-web@.service", True),
        ("/etc/systemd/system/erp-frappe-web@.service.d/adopted.conf", True),
        ("/etc/supervisor/conf.d/erp2.conf", False),
        ("/etc/supervisor/conf.d/other-erp.conf", False),
        ("/etc/supervisor/conf.d/erp.conf.d/x.conf", False),
        ("/etc/supervisor/conf.d/../../cron.d/erp.conf", False),
        ("/etc/supervisord.d/erp.conf", False),
        ("/etc/nginx/conf.d/erp.conf.bak", False),
        ("/etc/nginx/conf.d/erp/x.conf", False),
        ("/etc/nginx/erp/adopted.conf", False),
        ("/etc/nginx/erp/server/x.conf", False),
        ("/etc/nginx/erp/../nginx.conf", False),
        ("/etc/nginx/erp/../adopted.conf", False),
        ("//etc/nginx/conf.d/erp.conf", False),
        ("/etc/nginx/erp2/server/adopted.conf", False),
        ("/etc/prodgen/erp2/gunicorn.conf.py", False),
        ("/etc/prodgen/other/erp", False),
        ("/etc/prodgen/erp/deep/x", False),
        ("/etc/systemd/system/erp2.service", False),
        ("/etc/systemd/system/erp", False),
        ("/etc/systemd/system/ssh.service.d/erp.conf", False),
        ("/etc/systemd/system/multi-user.target.wants/erp.service", False),
        ("/etc/systemd/system/erp-web.timer", False),
        ("/etc/cron.d/erp", False),
        ("/root/erp.conf", False),
    ],
)
def test_the_places_of_a_bench(path: str, is_own: bool) -> None:
    assert is_own_place("erp", PurePosixPath(path)) is is_own


@pytest.mark.parametrize("bench", ["conf.d", "sites-enabled", "modules-enabled"])
def test_a_bench_that_is_called_like_a_folder_of_nginxs(bench: str) -> None:
    assert not is_own_place(bench, PurePosixPath(f"/etc/nginx/{bench}/x.conf"))


def test_names_are_compared_as_units_have_them() -> None:
    escaped = r"/etc/systemd/system/my\x20bench-web.target"
    assert is_own_place("my bench", PurePosixPath(escaped))
    assert not is_own_place("my bench", PurePosixPath("/etc/systemd/system/my bench-web.target"))
    assert is_own_place("a-b", PurePosixPath(r"/etc/systemd/system/a\x2db.slice"))


@needs_root
def test_a_file_beside_those_of_the_bench() -> None:
    path = "/etc/supervisor/conf.d/other.conf"
    assert told(plan_with(), at(path)) == [
        (
            f"{path} is not this bench's alone: only root may ask for it",
            "render it with -o DIR, and install it yourself",
            "",
        )
    ]


@needs_root
@pytest.mark.parametrize("path", ["/etc/cron.d/frappe-bench", "/root/frappe-bench.conf"])
def test_a_file_where_prodgen_installs_nothing(path: str) -> None:
    what = f"{path} is no place for a file of prodgen's"
    assert told(plan_with(), at(path)) == [(what, "render it with -o DIR", "")]


@needs_root
def test_a_supervisor_folder_elsewhere() -> None:
    plan = settled("manager: supervisor\nlogging: {folder: /var/log/frappe-bench}")
    somewhere = Sourced(PurePosixPath("/etc/cron.d"), plan.log_folder.origin)
    plan = plan._replace(supervisor=plan.supervisor._replace(folder=somewhere))
    ((what, way_out, place),) = told(plan, *artifacts_of(plan))
    assert what == "/etc/cron.d/frappe-bench.conf is no place for a file of prodgen's"
    assert way_out == (
        "set `host: {supervisor_folder: ...}` to /etc/supervisor/conf.d or /etc/supervisord.d"
    )
    assert place == "prodgen.yaml:3:19"


@needs_root
def test_the_file_of_the_whole_host_is_left_to_root() -> None:
    (host_file,) = HOST_FILES
    assert told(plan_with(), at(str(host_file))) == []


@needs_root
def test_units_of_a_user_are_not_roots_to_write() -> None:
    plan = settled("manager: systemd\nsystemd: {scope: user}\nuser: frappe")
    assert told(plan, at("/home/frappe/.config/systemd/user/frappe-bench.target")) == [
        (
            "these units lie in the home of frappe, where root writes nothing",
            "run it as frappe: sudo -u frappe prodgen apply ...",
            "prodgen.yaml:3:18",
        )
    ]


@needs_root
def test_a_unit_of_the_system_is_not_replaced(
    ground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bench `systemd` with a process `journald` would take the place of the journal."""
    (ground / "systemd-journald.service").touch()
    monkeypatch.setattr(places, "PLACES", places.PLACES._replace(vendor=(str(ground),)))
    plan = settled("manager: systemd\nbench_name: systemd")
    unit = "/etc/systemd/system/systemd-journald.service"
    assert told(plan, at(unit)) == [
        (
            f"{unit} would replace {ground}/systemd-journald.service, a unit of the system",
            "set another `bench_name` in prodgen.yaml, or name the process otherwise",
            "prodgen.yaml:3:13",
        )
    ]
    assert told(plan, at("/etc/systemd/system/systemd-mail.service")) == []


@needs_root
def test_the_paths_of_the_plan_are_looked_at() -> None:
    plan = settled("logging: {folder: /srv/log}")
    assert told(plan, *artifacts_of(plan)) == [
        (
            "the logs would go to /srv/log, which is not below /var/log",
            "choose a folder below /var/log",
            "prodgen.yaml:2:19",
        )
    ]


@needs_root
def test_a_change_is_refused_for_them_before_anything_is_tried(tmp_path: Path) -> None:
    plan = settled("logging: {folder: /srv/log}")
    change = Change(plan, [at("/etc/cron.d/x")], [], {}, {}, is_planned=False)
    found, notes = refusals_of(change, tmp_path)
    assert [one.message for one in found] == [
        "/etc/cron.d/x is no place for a file of prodgen's",
        "the logs would go to /srv/log, which is not below /var/log",
    ]
    assert notes == []


def test_without_roots_rights_the_kernel_is_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ALICE)
    plan = settled("logging: {folder: /srv/log}")
    assert list[Diagnostic](breaches(plan, [at("/etc/cron.d/x")], {})) == []
