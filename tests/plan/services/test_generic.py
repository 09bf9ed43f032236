"""Processes that prodgen does not know: kept, with a shell only where one is needed."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path

import pytest

from prodgen.diagnostics import Severity
from prodgen.plan.core.model import Plan, Role
from prodgen.plan.core.python_module import frappe_command
from prodgen.plan.services.generic import with_exec
from tests.support.plans import bench_files, codes, make_plan, service, try_plan

BENCH = "/home/frappe/frappe-bench"
ENV = "/usr/bin/env"
COMMAND = frappe_command(f"{BENCH}/env/bin/python", {})


def argv(line: str) -> tuple[str, ...]:
    return service(make_plan(bench_files(f"custom: {line}\n")), "custom").argv.value


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("npm start", ("/usr/bin/env", "npm", "start")),
        ("./bin/run --x", (f"{BENCH}/bin/run", "--x")),
        ("env/bin/python app.py", (f"{BENCH}/env/bin/python", "app.py")),
        ("/opt/x 'a b' \"c;d\"", ("/opt/x", "a b", "c;d")),
        ("npm start $PORT", ("/bin/sh", "-c", "exec npm start $PORT")),
        ("A=$B npm start", ("/bin/sh", "-c", "exec env A=$B npm start")),
        ("ls *.log", ("/bin/sh", "-c", "exec ls *.log")),
        ("a && b", ("/bin/sh", "-c", "a && exec b")),
        ("a; A=1 b > x", ("/bin/sh", "-c", "a; exec env A=1 b > x")),
        ("a || b", ("/bin/sh", "-c", "a || b")),
        ("trap x EXIT; b", ("/bin/sh", "-c", "trap x EXIT; b")),
        ("for i in 1; do a; done", ("/bin/sh", "-c", "for i in 1; do a; done")),
        ("a && (b; c)", ("/bin/sh", "-c", "a && (b; c)")),
        ("bash -c '[[ -d x ]] && npm start'", (ENV, "bash", "-c", "[[ -d x ]] && exec npm start")),
        ("/bin/zsh -c 'a | b'", ("/bin/zsh", "-c", "a | b")),
        ("bash -lc 'npm start'", (ENV, "bash", "-lc", "exec npm start")),
        ("bash -c 'npm start'", (ENV, "npm", "start")),
        ("bench --site x execute y", (*COMMAND, "--site", "x", "execute", "y")),
        ("cd sites && bench execute y", (*COMMAND, "execute", "y")),
        (
            "bench --site $S x",
            ("/bin/sh", "-c", f"exec {shlex.join(COMMAND)} --site $S x"),
        ),
        ("a | b", ("/bin/sh", "-c", "a | b")),
        ("cd x && exec ../y", ("/bin/sh", "-c", "cd x && exec ../y")),
        (
            "sh -c 'cd sites && exec ../env/bin/x'",
            ("/bin/sh", "-c", "cd sites && exec ../env/bin/x"),
        ),
        ("run < in.txt", ("/bin/sh", "-c", "exec run < in.txt")),
        ("run > out.txt 2>&1", ("/bin/sh", "-c", "exec run > out.txt 2>&1")),
    ],
)
def test_the_command_of_an_unknown_process(line: str, expected: tuple[str, ...]) -> None:
    assert argv(line) == expected


def test_an_environment_prefix_becomes_the_environment() -> None:
    plan = make_plan(bench_files("custom: OBJC_X=YES NO_PROXY=* /bin/run\n"))
    custom = service(plan, "custom")
    assert custom.argv.value == ("/bin/run",)
    assert dict(custom.environment.value)["NO_PROXY"] == "*"


def test_a_shell_is_mentioned_with_its_reason() -> None:
    _, found = try_plan(bench_files("custom: run $PORT\n"))
    [note] = [one for one in found if one.code == "PG650"]
    assert "`$PORT` is for a shell to expand" in note.message
    assert str(note.location) == "Procfile:1:9"


@pytest.mark.process
@pytest.mark.pitfall("38")
@pytest.mark.parametrize(
    "script", ["sleep 60", "A=1 sleep 60", "sleep $N", "sleep 60 >/dev/null 2>&1", "A=$N sleep $N"]
)
def test_no_shell_stays_between_the_manager_and_the_process(script: str, tmp_path: Path) -> None:
    """Row 38: the process is the one that gets the signal."""
    child = subprocess.Popen(["/bin/sh", "-c", with_exec(script)], cwd=tmp_path, env={"N": "60"})
    try:
        name = Path(f"/proc/{child.pid}/comm")
        deadline = time.monotonic() + 5
        while name.read_text().strip() != "sleep" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert name.read_text().strip() == "sleep"
    finally:
        child.kill()
        child.wait()


def roles(plan: Plan) -> dict[str, Role]:
    return {one.name.value.removeprefix("frappe-bench-"): one.role.value for one in plan.services}


def test_development_is_left_out_and_said_so() -> None:
    procfile = "watch: bench watch\nw2: bash -c 'bench watch'\nflush: bench redis-flush-on-reload\n"
    plan, found = try_plan(bench_files(procfile + "web: bench serve\n"))
    assert plan
    assert roles(plan) == {"frappe-web": Role.WEB}
    assert [one.name for one in plan.left_out] == ["watch", "w2", "flush"]
    assert codes(found) == ["PG607", "PG655", "PG655"]


@pytest.mark.parametrize(
    ("procfile", "left_out"),
    [
        ("web: bench serve\nweb2: bench serve --port 9\n", ["web2"]),
        ("a: bench socketio\nb: node apps/frappe/socketio.js\n", ["b"]),
        (
            "web: bench serve\nredis_socketio: redis-server config/redis_socketio.conf\n",
            ["redis_socketio"],
        ),
        ("web: bench serve\nbig: redis-server config/redis_big_cache.conf\n", []),
        ("w: bench worker\nw2: bench worker\n", []),
    ],
)
def test_no_line_goes_in_silence(procfile: str, left_out: list[str]) -> None:
    plan, found = try_plan(bench_files(procfile))
    assert plan
    assert [one.name for one in plan.left_out] == left_out
    assert len([code for code in codes(found) if code in ("PG607", "PG664")]) == len(left_out)


def test_a_worker_pool_is_one_service_that_waits_for_its_jobs() -> None:
    line = "pool: bench worker-pool --num-workers 4 --queue long,default\n"
    pool = service(make_plan(bench_files(line)), "frappe-pool")
    assert pool.argv.value[-5:] == ("worker-pool", "--num-workers", "4", "--queue", "long,default")
    assert pool.stop.value.seconds == 1590


@pytest.mark.parametrize(
    ("line", "frappe", "code"),
    [("bench worker-pool", "14.93.2", "PG615"), ("bench worker-pool --queue x", "15.0.0", "PG610")],
)
def test_a_worker_pool_that_would_not_start_is_refused(line: str, frappe: str, code: str) -> None:
    _, found = try_plan(bench_files(f"pool: {line}\n", frappe=frappe))
    assert code in codes(found)


def test_a_procfile_without_frappe_is_served_too() -> None:
    plan, found = try_plan(bench_files("web: npm start\nclock: python clock.py\n", frappe=None))
    assert plan
    assert roles(plan) == {"web": Role.OTHER, "clock": Role.OTHER}
    assert codes(found) == ["PG510"]


def test_two_processes_of_one_name_are_refused() -> None:
    _, found = try_plan(bench_files("a-b: one\na_b: two\n"))
    assert codes(found, Severity.ERROR) == ["PG651"]
