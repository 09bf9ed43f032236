"""Nothing that somebody has set is lost when prodgen takes over a bench under systemd."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from prodgen.review.adopt.core.model import Adoption, Disposition, joined
from prodgen.review.adopt.systemd.settings import Both, seconds_of, settings_of, variables
from prodgen.review.adopt.systemd.units import Units, adopt_systemd, spared_units, units_of_bench
from prodgen.targets.core.effects import Action
from prodgen.targets.core.file_set import Placed
from prodgen.targets.core.meaning import Block
from prodgen.targets.systemd.effects import systemd_effects
from prodgen.targets.systemd.parse import unit_blocks
from prodgen.targets.systemd.units import SYSTEM_FOLDER
from tests.support.plans import bench_files, make_plan
from tests.support.reviewed import COMMON, PROCFILE, REDIS, actions, side

HERE = Path(__file__).parent / "adopted_systemd"
SAMPLES = sorted(path for path in HERE.iterdir() if path.is_dir())
BENCH = "/home/frappe/frappe-bench"
WEB = "frappe-bench-frappe-web@.service"
PLAN = make_plan(bench_files(PROCFILE, COMMON, sites={"one.test": {}}, redis=REDIS))
NEW = side(PLAN, "systemd")
OURS = {
    path.name: unit_blocks(one.text)["unit"] for path, one in NEW.items() if one.target == "systemd"
}


def files_of(folder: Path) -> dict[str, str]:
    """A sample's units and drop-ins by their names below the folder of units."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def units(texts: Mapping[str, str]) -> Units:
    placed = {SYSTEM_FOLDER / name: Placed(text, "systemd") for name, text in texts.items()}
    return units_of_bench(placed, PLAN, NEW)


def adopted(texts: Mapping[str, str]) -> dict[str, Adoption]:
    found = units(texts)
    both = Both(PLAN, OURS, frozenset(found.known))
    return {
        path.removeprefix(f"{SYSTEM_FOLDER}/"): one
        for path, one in adopt_systemd(found, both).items()
    }


def service(command: str, *lines: str, folder: str = BENCH) -> str:
    return "\n".join(["[Service]", f"WorkingDirectory={folder}", f"ExecStart={command}", *lines])


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda path: path.name)
def test_every_setting_is_accounted_for(folder: Path) -> None:
    texts = files_of(folder)
    for name, found in adopted(texts).items():
        if name != "listener-of-mine.service":
            count = len(list(settings_of(unit_blocks(texts[name])["unit"]))) + 1
            assert sum(one.settings for one in found.entries) == count, name
        assert all(one.note for one in found.of(Disposition.OPEN)), name


@pytest.mark.parametrize("name", ["by-bench", "by-old"])
def test_bench_alone_leaves_nothing_open_but_counts(name: str) -> None:
    found = joined(adopted(files_of(HERE / name)).values())
    assert [one.note for one in found.of(Disposition.OPEN)] == [
        '-w 5 (ours: 4), common_site_config.json: "gunicorn_workers": 5'
    ]
    assert not found.additions


def test_every_unit_of_benchs_goes_and_ones_own_stays() -> None:
    texts = files_of(HERE / "by-hand")
    found = units(texts)
    assert {str(path) for path in found.theirs} == {
        f"{SYSTEM_FOLDER}/{name}" for name in texts if name != "listener-of-mine.service"
    }
    assert list(found.stay) == ["listener-of-mine.service"]


def test_what_somebody_has_added_is_kept_or_told() -> None:
    found = joined(adopted(files_of(HERE / "by-hand")).values())
    texts = found.texts()
    assert set(texts) == {
        f"{WEB}.d",
        "frappe-bench-redis-queue.service.d",
        "frappe-bench-web.target.d",
    }
    assert unit_blocks(texts[f"{WEB}.d"])["unit"] == {
        "Unit.After": ("backup-of-mine.service",),
        "Service.LimitNOFILE": ("200000",),
    }
    assert "[Unit]\nWants=listener-of-mine.service\n" in texts["frappe-bench-web.target.d"]
    notes = [one.note for one in found.of(Disposition.OPEN)]
    assert 'common_site_config.json: "background_workers": 2' in notes
    assert "ours: nothing; prodgen.yaml: resources: {web: {memory_max: 3G}}" in notes
    assert 'prodgen.yaml: env: {"MINE": "1"}; prodgen.yaml: env_file, a file with API_KEY' in notes
    assert any(one.startswith("there will be no frappe-bench-frappe-web.service") for one in notes)
    assert "abc" not in "".join(one.text + one.note for one in found.entries)


@pytest.mark.parametrize(
    "command",
    [
        "/usr/local/bin/bench worker --queue short",
        "-/usr/local/bin/bench worker --queue short",
        f"/bin/bash -lc 'cd {BENCH} && exec bench worker --queue short'",
        "/usr/local/bin/bench start",
        f"{BENCH}/env/bin/python -m frappe.utils.bench_helper frappe worker",
    ],
)
def test_a_hand_written_unit_is_known_by_what_it_runs(command: str) -> None:
    assert "erp.service" in units({"erp.service": service(command)}).known


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        (f"{BENCH}/env/bin/python -m my_app.listen", "/"),
        ("/usr/local/bin/bench worker", f"{BENCH}-2"),
        ("/usr/bin/redis-server /etc/redis/redis.conf", "/"),
    ],
)
def test_another_unit_is_left_alone(command: str, folder: str) -> None:
    assert not units({"mine.service": service(command, folder=folder)}).theirs


def test_a_target_that_holds_a_strangers_unit_too_stays() -> None:
    mixed = "[Unit]\nWants=erp.service other.service\n"
    worker = service("/usr/local/bin/bench worker")
    found = units(
        {"erp.service": worker, "all.target": mixed, "erp.target": "[Unit]\nWants=erp.service"}
    )
    assert set(found.known) == {"erp.service", "erp.target"}
    assert list(found.stay) == ["all.target"]


@pytest.mark.parametrize(
    ("line", "disposition"),
    [
        ("User=frappe", Disposition.OURS),
        ("User=root", Disposition.DEFAULT),
        ("User=somebody", Disposition.OPEN),
        ("Group=frappe", Disposition.OURS),
        ("Group=www-data", Disposition.OPEN),
        ("Restart=on-failure", Disposition.DEFAULT),
        ("TimeoutStopSec=20min", Disposition.MOVED),
        ("TimeoutStopSec=30", Disposition.DEFAULT),
        ("CPUQuota=150%", Disposition.OPEN),
        ("Nice=5", Disposition.MOVED),
        ("ProtectHome=no", Disposition.DEFAULT),
        ("ProcSubset=pid", Disposition.MOVED),
        ("ExecStartPre=/bin/true", Disposition.OPEN),
        ("EnvironmentFile=/etc/mine", Disposition.OPEN),
        ("Environment=PATH=/opt/bin", Disposition.DEFAULT),
        ("[Install]\nWantedBy=multi-user.target", Disposition.DEFAULT),
        ("[Install]\nWantedBy=graphical.target", Disposition.OPEN),
        ("[Unit]\nAfter=network.target", Disposition.DEFAULT),
        ("[Unit]\nRequires=docker.service", Disposition.MOVED),
    ],
)
def test_each_kind_of_setting(line: str, disposition: Disposition) -> None:
    command = f"{BENCH}/env/bin/gunicorn -b 127.0.0.1:8000 frappe.app:application"
    found = adopted({"web.service": service(command, line)})["web.service"]
    wanted = "Environment=..." if line.startswith("Environment=") else line.rpartition("\n")[2]
    entry = next(one for one in found.entries if one.text == wanted)
    assert entry.disposition is disposition, entry


def test_a_drop_in_for_one_instance_is_told() -> None:
    texts = files_of(HERE / "by-bench")
    name = "frappe-bench-frappe-long-worker@1.service.d/nice.conf"
    found = adopted({**texts, name: "[Service]\nNice=5\n"})[name]
    assert [one.text for one in found.of(Disposition.OPEN)] == ["Nice=5"]


def block(command: str) -> Block:
    return unit_blocks(service(command, "User=frappe"))["unit"]


@pytest.mark.parametrize(
    ("command", "goes_on"),
    [
        ("/usr/bin/redis-server /home/frappe/frappe-bench/config/redis_cache.conf", True),
        ("/opt/redis-server /home/frappe/frappe-bench/config/redis_cache.conf", False),
    ],
)
def test_redis_goes_on_where_it_is_the_same(command: str, goes_on: bool) -> None:
    name = "frappe-bench-redis-cache.service"
    found = spared_units({name: block(command)}, OURS, PLAN)
    assert found == ({name} if goes_on else set())


def test_spans_and_variables() -> None:
    assert [seconds_of(one) for one in ("90", "1min 30s", "2h")] == [90, 90, 7200]
    assert seconds_of("infinity") > seconds_of("1000h")
    assert variables('A=1 "B=2 3"') == {"A": "1", "B": "2 3"}


def test_a_rollback_leaves_the_scheduler_running_that_no_target_of_benchs_wants() -> None:
    texts = files_of(HERE / "by-bench")
    old = {SYSTEM_FOLDER / name: Placed(text, "systemd") for name, text in texts.items()}
    found = actions(list(systemd_effects(NEW, old, {})))
    assert found["frappe-schedule.service"] is Action.RESTART
    assert found["frappe-web@1.service"] is Action.STOP
    assert found["frappe-web.service"] is Action.START
