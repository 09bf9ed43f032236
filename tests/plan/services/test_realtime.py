"""The realtime server and the scheduler."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from prodgen.diagnostics import Severity
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Address, Restart, Role
from tests.support.plans import FACTS, bench_files, codes, declared, make_plan, service, try_plan

BENCH = "/home/frappe/frappe-bench"
WEB = "web: bench serve --port 8000\n"


@pytest.mark.parametrize(
    "line",
    [
        "node apps/frappe/socketio.js",
        "nodejs apps/frappe/socketio.js",
        "/home/me/.nvm/versions/node/v18.20.4/bin/node apps/frappe/socketio.js",
        "/home/me/.volta/bin/node apps/frappe/socketio.js",
        "/opt/bitnami/nodejs/bin/node /app/apps/frappe/socketio.js",
        "bench socketio",
    ],
)
def test_node_is_that_of_the_host(line: str) -> None:
    """Row 4: a path of a developer's machine does not reach production."""
    plan = make_plan(bench_files(f"{WEB}socketio: {line}\n"))
    realtime = service(plan, "node-socketio")
    assert realtime.argv.value == ("/usr/bin/node", f"{BENCH}/apps/frappe/socketio.js")
    assert str(realtime.directory.value) == BENCH


def test_the_folder_of_node_is_on_the_path_of_every_service() -> None:
    """D-SV12: `bench` and node are found without the user's shell."""
    facts = FACTS._replace(node=declared(PurePosixPath("/home/frappe/.volta/bin/node")))
    plan = make_plan(bench_files(f"{WEB}socketio: bench socketio\n"), facts)
    for one in plan.services:
        environment = dict(one.environment.value)
        assert environment["PATH"].startswith(f"{BENCH}/env/bin:/home/frappe/.volta/bin:/usr/local")
        assert environment["HOME"] == "/home/frappe"
        assert environment["USER"] == environment["LOGNAME"] == "frappe"


@pytest.mark.pitfall("D-SV3")
@pytest.mark.pitfall("D-SV3")
def test_a_missing_node_is_a_warning_and_never_none() -> None:
    """bench writes `command=None …`."""
    plan, found = try_plan(
        bench_files(f"{WEB}socketio: node apps/frappe/socketio.js\n"), FACTS._replace(node=None)
    )
    assert plan
    assert service(plan, "node-socketio").argv.value[0] == "/usr/bin/node"
    assert "PG630" in codes(found, Severity.WARNING)


PYTHON: dict[str, object] = {"socketio_backend": "python"}


def test_python_realtime_needs_no_node() -> None:
    files = bench_files(f"{WEB}socketio: bench socketio\n", PYTHON, frappe="17.0.0-dev")
    plan = make_plan(files._replace(has_python_realtime=True))
    assert service(plan, "node-socketio").argv.value == (
        f"{BENCH}/env/bin/python",
        *("-P", "-m", "frappe.realtime.server"),
    )


@pytest.mark.parametrize(
    ("frappe", "there", "severity"),
    [
        ("15.72.4", False, Severity.ERROR),
        ("16.4.1", False, Severity.ERROR),
        ("17.0.0-dev", False, Severity.WARNING),
        (None, False, Severity.WARNING),
        ("16.9.0", True, None),
    ],
)
def test_python_realtime_must_be_in_frappe(
    frappe: str | None, there: bool, severity: Severity | None
) -> None:
    files = bench_files(f"{WEB}socketio: bench socketio\n", PYTHON, frappe=frappe)
    _, found = try_plan(files._replace(has_python_realtime=there))
    faults = [one for one in found if one.code == "PG634"]
    assert [one.severity for one in faults] == ([severity] if severity else [])
    assert all(str(one.location).startswith("sites/common_site_config.json:2") for one in faults)


@pytest.mark.parametrize(
    ("frappe", "common", "refused"),
    [("14.93.2", {}, True), ("15.72.4", {}, False), ("17.0.0", PYTHON, True)],
)
def test_a_port_that_the_server_does_not_read_is_refused(
    frappe: str, common: dict[str, object], refused: bool
) -> None:
    files = bench_files(f"{WEB}socketio: bench socketio\n", common, frappe=frappe)
    settings = Source("prodgen.yaml", "realtime: {port: 9123}\n")
    _, found = try_plan(files._replace(settings=settings, has_python_realtime=True))
    assert codes(found, Severity.ERROR) == (["PG633"] if refused else [])


@pytest.mark.parametrize(
    ("frappe", "common", "address"),
    [
        ("15.72.4", {"socketio_port": 9004}, Address("127.0.0.1", 9004)),
        ("15.72.4", {"socketio_port": "9004"}, Address("127.0.0.1", 9004)),
        ("15.72.4", {}, Address("127.0.0.1", 9000)),
        ("16.4.1", {}, Address("127.0.0.1", 9000)),
        ("14.93.2", {}, Address("127.0.0.1", 3000)),
        ("13.58.21", {}, Address("127.0.0.1", 3000)),
        ("15.46.0", {"socketio_uds": "/run/x.sock"}, Address(path="/run/x.sock")),
        ("15.46.0", {"socketio_uds": "config/x.sock"}, Address(path=f"{BENCH}/config/x.sock")),
        ("15.45.9", {"socketio_uds": "/run/x.sock"}, Address("127.0.0.1", 9000)),
    ],
)
def test_where_realtime_listens(frappe: str, common: dict[str, object], address: Address) -> None:
    files = bench_files(f"{WEB}socketio: bench socketio\n", common, frappe=frappe)
    proxy = make_plan(files).proxy
    assert proxy
    assert proxy.realtime
    assert proxy.realtime.value == address


@pytest.mark.parametrize("name", ["schedule", "scheduler", "beat"])
def test_the_scheduler_is_there_by_any_name(name: str) -> None:
    plan = make_plan(bench_files(f"{name}: bench schedule\n"))
    [scheduler] = plan.services
    assert scheduler.role.value is Role.SCHEDULER
    assert scheduler.argv.value[-2:] == ("frappe", "schedule")
    assert scheduler.restart.value is Restart.DELAYED


def test_the_scheduler_runs_once() -> None:
    plan, found = try_plan(bench_files("a: bench schedule\nb: bench schedule\n"))
    assert plan
    assert len(plan.services) == 1
    assert codes(found, Severity.WARNING) == ["PG632"]


@pytest.mark.parametrize(
    ("line", "settings", "address"),
    [
        ("FRAPPE_SOCKETIO_PORT=9100 node apps/frappe/socketio.js", "", "127.0.0.1:9100"),
        ("env FRAPPE_SOCKETIO_PORT=9100 bench socketio", "", "127.0.0.1:9100"),
        ("bench socketio", "env: {FRAPPE_SOCKETIO_PORT: 9200}", "127.0.0.1:9200"),
        (
            "bench socketio",
            "env: {FRAPPE_SOCKETIO_PORT: 9200}\nrealtime: {port: 9300}",
            "127.0.0.1:9300",
        ),
        (
            "FRAPPE_SOCKETIO_PORT=9100 bench socketio",
            "realtime: {port: 9300}",
            "127.0.0.1:9100",
        ),
        (
            "FRAPPE_SOCKETIO_UDS=/run/x/rt.sock bench socketio",
            "",
            "unix:/run/x/rt.sock",
        ),
    ],
)
def test_the_proxy_goes_where_the_environment_sends_realtime(
    line: str, settings: str, address: str
) -> None:
    """Frappe reads the variables after its files (node_utils.js)."""
    files = bench_files(f"web: bench serve\nsocketio: {line}\n", {"socketio_port": 9000})
    files = files._replace(settings=Source("prodgen.yaml", settings))
    plan = make_plan(files)
    assert plan.proxy
    assert plan.proxy.realtime
    assert str(plan.proxy.realtime.value) == address
    environment = dict(service(plan, "node-socketio").environment.value)
    shown = environment.get("FRAPPE_SOCKETIO_PORT") or environment["FRAPPE_SOCKETIO_UDS"]
    assert address.endswith(shown)


def test_a_port_of_the_environment_that_is_none_is_an_error() -> None:
    _, found = try_plan(bench_files("s: FRAPPE_SOCKETIO_PORT=x bench socketio\n"))
    assert codes(found, Severity.ERROR) == ["PG602"]
