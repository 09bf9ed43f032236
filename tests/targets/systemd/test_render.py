"""The units of a bench: which there are, how they hang together, and what they say."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from prodgen.plan.core.model import Address, Plan
from prodgen.plan.core.options import Resources
from prodgen.targets.systemd.render import render_systemd
from tests.support.systemd_plans import make_plan, sourced, units_of, with_options

BENCH = "frappe-bench"
WORKERS = ("short-worker@", "long-worker@", "reports-worker@")
ORDINARY = (
    "node-socketio",
    "frappe-schedule",
    *(f"frappe-{name}" for name in ("web@", *WORKERS)),
)


def values(text: str, key: str) -> list[str]:
    """What a unit says for a directive, in order."""
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def one(units: dict[str, str], unit: str, key: str) -> str:
    """The only value of a directive of a service of the bench."""
    found = values(units[f"{BENCH}-{unit}.service"], key)
    assert len(found) == 1, (unit, key, found)
    return found[0]


@pytest.fixture(scope="module")
def units() -> dict[str, str]:
    return units_of(make_plan())


def test_every_process_has_its_unit(units: dict[str, str]) -> None:
    assert sorted(units) == sorted([
        f"{BENCH}.target",
        *(f"{BENCH}-{tier}.target" for tier in ("redis", "web", "workers")),
        r"frappe\x2dbench.slice",
        f"{BENCH}-web.socket",
        f"{BENCH}-web-wait.service",
        *(f"{BENCH}-{name}.service" for name in ("redis-cache", "redis-queue", "bot", *ORDINARY)),
    ])  # fmt: skip


def test_each_target_wants_what_is_below_it(units: dict[str, str]) -> None:
    tiers = [f"{BENCH}-{tier}.target" for tier in ("redis", "web", "workers")]
    assert values(units[f"{BENCH}.target"], "Wants") == tiers
    assert values(units[f"{BENCH}.target"], "After") == [" ".join(tiers)]
    wanted = {tier: values(units[tier], "Wants") for tier in tiers}
    assert wanted == {
        tiers[0]: [f"{BENCH}-redis-cache.service", f"{BENCH}-redis-queue.service"],
        tiers[1]: [
            f"{BENCH}-web.socket",
            f"{BENCH}-frappe-web@1.service",
            f"{BENCH}-frappe-web@2.service",
            f"{BENCH}-node-socketio.service",
        ],
        tiers[2]: [
            f"{BENCH}-frappe-schedule.service",
            f"{BENCH}-frappe-short-worker@1.service",
            f"{BENCH}-frappe-short-worker@2.service",
            f"{BENCH}-frappe-long-worker@1.service",
            f"{BENCH}-frappe-long-worker@2.service",
            f"{BENCH}-frappe-reports-worker@1.service",
            f"{BENCH}-bot.service",
        ],
    }
    for tier in tiers:
        assert values(units[tier], "PartOf") == [f"{BENCH}.target"]
        for unit in wanted[tier]:
            if unit.endswith(".service"):
                file = unit.replace("@1", "@").replace("@2", "@")
                assert values(units[file], "PartOf") == [tier]


def test_nothing_is_carried_upward(units: dict[str, str]) -> None:
    """`Requires=` of a target would stop and restart the whole bench with any part of it."""
    required = {name: values(text, "Requires") for name, text in units.items()}
    assert {name: found for name, found in required.items() if found} == {
        f"{BENCH}-frappe-web@.service": [f"{BENCH}-web.socket"]
    }


def test_the_socket_stays_open_while_what_needs_it_restarts(units: dict[str, str]) -> None:
    text = units[f"{BENCH}-web.socket"]
    assert values(text, "StopWhenUnneeded") == ["yes"]
    assert values(text, "Service") == [f"{BENCH}-web-wait.service"]
    assert values(text, "PartOf") == values(text, "StopPropagatedFrom") == []


def test_only_the_bench_is_enabled(units: dict[str, str]) -> None:
    assert [name for name, text in units.items() if "[Install]" in text] == [f"{BENCH}.target"]
    assert values(units[f"{BENCH}.target"], "WantedBy") == ["multi-user.target"]


def test_tiers_without_members_are_left_out() -> None:
    found = units_of(make_plan(procfile="bot: ./run\n", config={
        "redis_cache": "redis://cache.test:6379", "redis_queue": "redis://queue.test:6379",
    }))  # fmt: skip
    assert sorted(name for name in found if name.endswith(".target")) == [
        f"{BENCH}-workers.target",
        f"{BENCH}.target",
    ]


@pytest.mark.parametrize(
    ("unit", "key", "value"),
    [
        ("frappe-web@", "Type", "notify"),
        ("frappe-web@", "Sockets", f"{BENCH}-web.socket"),
        ("frappe-web@", "KillMode", "mixed"),
        ("frappe-web@", "TimeoutStopSec", "300"),
        ("frappe-web@", "SyslogIdentifier", f"{BENCH}-frappe-web@%i"),
        ("frappe-web@", "WorkingDirectory", f"/home/frappe/{BENCH}/sites"),
        ("frappe-short-worker@", "TimeoutStopSec", "390"),
        ("frappe-long-worker@", "TimeoutStopSec", "1590"),
        ("frappe-reports-worker@", "TimeoutStopSec", "4090"),
        ("frappe-long-worker@", "OOMScoreAdjust", "500"),
        ("frappe-short-worker@", "OOMScoreAdjust", "300"),
        ("frappe-web@", "OOMScoreAdjust", "100"),
        ("redis-queue", "OOMScoreAdjust", "0"),
        ("redis-queue", "Type", "notify"),
        ("redis-queue", "UMask", "0077"),
        ("frappe-schedule", "Restart", "always"),
        ("frappe-schedule", "RestartSec", "3s"),
        ("frappe-web@", "NotifyAccess", "all"),
        ("frappe-web@", "TimeoutStartSec", "300"),
        ("node-socketio", "Type", "exec"),
        ("node-socketio", "SuccessExitStatus", "143"),
        ("bot", "User", "frappe"),
    ],
)
def test_a_service_says(units: dict[str, str], unit: str, key: str, value: str) -> None:
    assert one(units, unit, key) == value


@pytest.mark.parametrize("unit", [*ORDINARY, "redis-cache", "redis-queue", "bot"])
def test_no_service_gives_up_or_overwrites_its_log(units: dict[str, str], unit: str) -> None:
    assert one(units, unit, "StartLimitIntervalSec") == "0"
    assert one(units, unit, "Restart") == "always"
    assert one(units, unit, "StandardOutput") == "journal"
    assert one(units, unit, "OOMPolicy") == "continue"
    assert one(units, unit, "Slice") == r"frappe\x2dbench.slice"
    text = units[f"{BENCH}-{unit}.service"]
    assert values(text, "Group") == values(text, "Nice") == values(text, "ExecReload") == []


@pytest.mark.parametrize("unit", ORDINARY)
def test_redis_and_databases_come_first(units: dict[str, str], unit: str) -> None:
    after = " ".join(values(units[f"{BENCH}-{unit}.service"], "After")).split()
    assert {f"{BENCH}-redis-queue.service", f"{BENCH}-redis-cache.service"} <= set(after)
    assert {"mariadb.service", "postgresql.service", "network-online.target"} <= set(after)
    assert one(units, unit, "Wants") == "network-online.target"


def test_redis_tells_systemd_when_it_is_ready(units: dict[str, str]) -> None:
    assert one(units, "redis-queue", "ExecStart") == (
        f"/usr/bin/redis-server /home/frappe/{BENCH}/config/redis_queue.conf "
        "--supervised systemd --daemonize no"
    )
    silent = units_of(with_options(make_plan(), redis_notify=False))
    assert one(silent, "redis-queue", "Type") == "exec"
    assert "--supervised" not in one(silent, "redis-queue", "ExecStart")


def test_systemd_sets_the_user_and_home_itself(units: dict[str, str]) -> None:
    for name, text in units.items():
        for value in values(text, "Environment"):
            assert value.startswith(("PATH=", "PORT=", "LANG=", "LC_ALL=")), (name, value)
    found = values(units[f"{BENCH}-redis-cache.service"], "Environment")
    assert found == ["LANG=C.UTF-8", "LC_ALL=C.UTF-8"]
    own = units_of(make_plan(procfile="bot: HOME=/srv/bot A='b c' ./run\n"))
    found = values(own[f"{BENCH}-bot.service"], "Environment")
    assert {'"A=b c"', "HOME=/srv/bot"} <= set(found)


@pytest.mark.parametrize(
    ("version", "restart"),
    [
        (None, {"RestartSec": "3s"}),
        ("245", {"RestartSec": "3s"}),
        ("252 (252.38-1~deb12u1)", {"RestartSec": "3s"}),
        ("254", {"RestartSec": "500ms", "RestartSteps": "4", "RestartMaxDelaySec": "5s"}),
    ],
)
def test_what_a_version_lacks_is_left_out(version: str | None, restart: dict[str, str]) -> None:
    plan = make_plan(systemd=version)
    text = units_of(plan)[f"{BENCH}-frappe-long-worker@.service"]
    found = {
        key: values(text, key)[0]
        for key in ("RestartSec", "RestartSteps", "RestartMaxDelaySec")
        if values(text, key)
    }
    assert found == restart
    notes = [each.message for each in render_systemd(plan)[1]]
    assert any("RestartSteps" in each for each in notes) is (len(restart) == 1)


def test_files_instead_of_the_journal() -> None:
    found = units_of(with_options(make_plan(), logs="files"))
    assert one(found, "frappe-web@", "StandardOutput") == f"append:/var/log/{BENCH}/web-%i.log"
    assert one(found, "frappe-schedule", "StandardError") == (
        f"append:/var/log/{BENCH}/schedule.error.log"
    )


def test_limits_by_role() -> None:
    limits = Resources(memory_max=sourced(2**30), cpu_quota=sourced(150), cpu_weight=sourced(20))
    whole = Resources(tasks_max=sourced(500))
    found = units_of(with_options(make_plan(), resources={"worker": limits, "bench": whole}))
    assert one(found, "frappe-short-worker@", "MemoryMax") == "1073741824"
    assert one(found, "frappe-short-worker@", "CPUQuota") == "150%"
    assert one(found, "frappe-short-worker@", "CPUWeight") == "20"
    assert values(found[f"{BENCH}-frappe-web@.service"], "MemoryMax") == []
    assert values(found[r"frappe\x2dbench.slice"], "TasksMax") == ["500"]


def test_units_of_a_user() -> None:
    plan = with_options(make_plan(), scope="user", logs="files")
    artifacts, _ = render_systemd(plan)
    folder = PurePosixPath("/home/frappe/.config/systemd/user")
    assert {artifact.destination.parent for artifact in artifacts} == {folder}
    found = units_of(plan)
    assert values(found[f"{BENCH}.target"], "WantedBy") == ["default.target"]
    for text in found.values():
        for key in ("User", "OOMScoreAdjust", "CapabilityBoundingSet", "PrivateDevices"):
            assert values(text, key) == []
        assert "network-online" not in text
        assert "mariadb" not in text
    assert one(found, "frappe-web@", "StandardOutput") == (
        f"append:/home/frappe/{BENCH}/logs/web-%i.log"
    )


def test_an_old_manager_of_a_user_makes_no_proc_of_its_own() -> None:
    """On 247 every service of a user ends with 226/NAMESPACE where one of these is set."""
    proc = ("ProcSubset", "ProtectControlGroups", "ProtectKernelTunables")
    for version, scope, are_set in (("247", "user", False), ("252", "user", True),
                                    ("247", "system", True)):  # fmt: skip
        found = units_of(with_options(make_plan(systemd=version), scope=scope))
        text = found[f"{BENCH}-redis-queue.service"]
        assert [bool(values(text, key)) for key in proc] == [are_set] * 3, (version, scope)


def listening_on(plan: Plan, address: Address) -> Plan:
    """The plan with another address of the web."""
    services = tuple(
        service._replace(listen=sourced(address)) if service.listen else service
        for service in plan.services
    )
    return plan._replace(services=services)


def test_a_unix_socket_is_open_for_nginx() -> None:
    plan = listening_on(make_plan(), Address(path="/run/my bench/web.sock"))
    text = units_of(plan)[f"{BENCH}-web.socket"]
    assert values(text, "ListenStream") == ["/run/my bench/web.sock"]
    assert values(text, "SocketMode") == ["0666"]
    services = tuple(one._replace(socket_group=sourced("www-data")) for one in plan.services)
    text = units_of(plan._replace(services=services))[f"{BENCH}-web.socket"]
    assert values(text, "SocketMode") == ["0660"]
    assert values(text, "SocketGroup") == ["www-data"]


def test_the_socket_of_the_realtime_server() -> None:
    plan = make_plan(config={"socketio_uds": "/run/my-bench/realtime.sock"})
    found = units_of(plan)
    assert one(found, "node-socketio", "ExecStartPre") == (
        "-/bin/rm -f /run/my-bench/realtime.sock"
    )
    assert one(found, "node-socketio", "UMask") == "0000"
    assert one(found, "node-socketio", "RuntimeDirectory") == "my-bench"
    assert one(found, "node-socketio", "ReadWritePaths") == "-/run/my-bench"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"path": "/home/frappe/network"}, "network.target"),
        ({"path": "/home/frappe/systemd-x"}, "systemd-x.target"),
        ({"path": "/home/frappe/two\nlines"}, "line break"),
        ({"redis_server": PurePosixPath("redis\x1b")}, "control character"),
    ],
)
def test_what_systemd_cannot_hold_is_refused(plan: dict[str, Any], words: str) -> None:
    artifacts, found = render_systemd(make_plan(**plan))
    assert artifacts == []
    assert any(words in each.message for each in found), found


def test_a_socket_by_name_is_refused() -> None:
    artifacts, found = render_systemd(listening_on(make_plan(), Address("localhost", 8000)))
    assert artifacts == []
    assert "`localhost`" in found[0].message


def test_the_text_is_tidy(units: dict[str, str]) -> None:
    for name, text in units.items():
        lines = text.split("\n")
        assert lines[-1] == "", name
        assert lines[-2] != "", name
        assert "\n\n\n" not in text, name
        assert all(line == line.rstrip() for line in lines), name
    assert units == units_of(make_plan())
