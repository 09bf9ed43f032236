"""Which processes a restart is about, in which order; and small pure pieces of its rooms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prodgen.cli.commands.status import table
from prodgen.cli.core.live_events import busy_line, span
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.doctor import files as doctor_files
from prodgen.deploy.doctor import host as doctor_host
from prodgen.deploy.doctor.finding import Grade
from prodgen.deploy.jobs.orphans import is_worker, queues_of
from prodgen.deploy.jobs.suspension import is_leftover
from prodgen.deploy.managers.core.base import Process, State
from prodgen.deploy.managers.systemd.journal import journal_command, parse_entry
from prodgen.deploy.monitor.status import Row, Status
from prodgen.deploy.restart import web_probe
from prodgen.deploy.restart.bytecode import compile_command, is_needed
from prodgen.deploy.restart.selection import choose
from prodgen.deploy.session.events import Busy
from prodgen.deploy.system import procfs
from prodgen.plan.core.model import Role
from tests.support.plans import fixture_plan

PLAN = fixture_plan("frappe-15")
PROCESSES = [
    Process(
        name=f"g:{one.name.value}-{number}",
        service=one,
        state=State.UP,
        word="running",
        number=number,
    )
    for one in reversed(PLAN.services)
    for number in range(one.instances.value)
]


def roles(*wanted: str) -> list[str]:
    found = choose(PROCESSES, wanted, "frappe-bench")
    return list(dict.fromkeys(one.role.value for one in found))


def test_the_safe_order_without_redis() -> None:
    assert roles() == ["web", "realtime", "worker", "scheduler"]
    assert roles("scheduler", "web") == ["web", "scheduler"]


@pytest.mark.parametrize(
    "word", ["long", "frappe-long-worker", "long-worker", "frappe-bench-frappe-long-worker"]
)
def test_a_pool_by_any_name(word: str) -> None:
    found = choose(PROCESSES, [word], "frappe-bench")
    assert {one.service.name.value for one in found} == {"frappe-bench-frappe-long-worker"}


def test_one_process() -> None:
    [one] = choose(PROCESSES, ["frappe-bench-frappe-web-1"], "frappe-bench")
    assert one.number == 1


def test_what_is_not_there() -> None:
    with pytest.raises(DeployError, match="nothing called `worker`") as wrong:
        choose(PROCESSES, ["worker"], "frappe-bench")
    assert "`workers`" in wrong.value.help
    with pytest.raises(DeployError, match="does not restart"):
        choose(PROCESSES, ["redis-queue"], "frappe-bench")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (-4, "0 s"),
     (442800, "5 d 3 h")],
)  # fmt: skip
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_who_is_waited_for() -> None:
    one = Busy(
        process="w-0", pid=1, job="j", site="one.test", description="f()", since=90, latest_end=460
    )
    assert busy_line(one, 100) == "w-0, f(), of one.test, for 10 s, ends within 6 min"
    assert "\x1b" not in busy_line(Busy(process="w", pid=1, description="\x1b[2J"), 0)


def test_an_http_answer() -> None:
    assert web_probe.status_of(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") == 503
    assert web_probe.status_of(b"SSH-2.0\r\n") == web_probe.status_of(b"") == 0
    assert web_probe.Answer(503).is_good
    assert not web_probe.Answer(500).is_good
    assert web_probe.head_of("/p", "one.test").count(b"one.test") == 2


def test_proc() -> None:
    line = "7 (a (b) c) S 3 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0"
    assert procfs.parse_stat(line) == (7, "a (b) c", "S", 3, 4242)
    text = "head\n 0: 0100007F:1F40 0100007F:C350 01 00:00 00:00 0 33 0 991 1\n"
    assert procfs.parse_tcp(text) == [(8000, 50000, 991)]


def test_the_journal() -> None:
    argv = journal_command(["a.service"], 5, follow=True, user=False)
    assert {"--lines=5", "--follow", "--unit=a.service"} <= set(argv)
    line = parse_entry(json.dumps({"_SYSTEMD_UNIT": "a@1.service", "MESSAGE": [104, 105]}))
    assert line is not None
    assert (line.process, line.text) == ("a@1", "hi")
    assert parse_entry("no json") is None


def test_orphans() -> None:
    words = ["python", "-m", "frappe.utils.bench_helper", "frappe", "worker", "--queue", "long"]
    assert is_worker(words)
    assert queues_of(words) == "long"
    assert not is_worker([*words[:4], "schedule"])
    assert is_leftover("prodgen@h:1:2")
    assert not is_leftover("1")


def test_bytecode() -> None:
    assert not is_needed(PLAN)
    argv = compile_command(Path("/home/frappe/frappe-bench"), ["frappe"])
    assert argv[0] == "/home/frappe/frappe-bench/env/bin/python"
    assert argv[-1] == "/home/frappe/frappe-bench/apps/frappe"


@pytest.mark.parametrize(
    ("mode", "owner", "may"),
    [(0o755, (0, 0), True), (0o750, (0, 0), False), (0o710, (0, 33), True), (0o100, (33, 0), True),
     (0o711, (33, 0), True), (0o655, (33, 33), False)],
)  # fmt: skip
def test_who_may_pass(mode: int, owner: tuple[int, int], *, may: bool) -> None:
    assert doctor_files.may_pass(mode, owner, (33, {33})) is may


def test_nginx_s_user() -> None:
    assert doctor_files.nginx_user("# user x;\nuser www-data;\n") == "www-data"
    assert doctor_files.nginx_user("events {}") == "nobody"


def test_names_of_a_certificate() -> None:
    assert doctor_files.covers(["*.one.test"], "a.one.test")
    assert not doctor_files.covers(["*.one.test"], "a.b.one.test")
    assert not doctor_files.covers([], "one.test")
    assert doctor_files.end_date("notAfter=Nov 20 20:44:35 2026 GMT\n") == 1795207475


@pytest.mark.parametrize(
    ("state", "grade"), [(0, Grade.GOOD), (5, Grade.WARNING), (-1, Grade.UNKNOWN)]
)
def test_clock(state: int, grade: Grade) -> None:
    [found] = doctor_host.check_clock(state)
    assert found.grade is grade
    assert found.fix == ("timedatectl set-ntp true" if grade is Grade.WARNING else "")


def test_node() -> None:
    assert doctor_host.node_needed((16, 1)) == 24
    assert doctor_host.node_needed((15, 72)) == 18
    assert doctor_host.node_needed(()) is None


def test_the_table() -> None:
    web = [one for one in PROCESSES if one.role is Role.WEB]
    row = Row("frappe-bench-frappe-web", Role.WEB, tuple(web), 940.0, 1024**2 * 70, "")
    found = Status(rows=(row,), queues={"short": 3}, notes=("suspended",))
    lines = list(table(found, "frappe-bench", 1000.0))
    assert lines[1].startswith("frappe-web")
    assert "1 min" in lines[1]
    assert "  70  " in lines[1]
    assert "short 3" in "\n".join(lines)
