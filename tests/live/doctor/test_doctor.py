"""`prodgen doctor`: each fault is really made, and named with the way out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from prodgen.deploy.doctor.host import soft_limit
from tests.support.live.doctoring import Check, by_check, only
from tests.support.live.restarting import bench_up, prodgen
from tests.support.live.supervised import USER, Supervised
from tests.support.outputs import parse
from tests.support.plans import ROOT
from tests.support.rig.bench import make_bench
from tests.support.rig.place import HOST
from tests.support.rig.tools import need


@pytest.fixture(scope="module")
def run() -> Iterator[Supervised]:
    with tempfile.TemporaryDirectory(prefix="prodgen-rig-") as folder:
        Path(folder).chmod(0o755)
        with bench_up("supervisor", Path(folder)) as made:
            assert isinstance(made, Supervised)
            made.wait_running()
            yield made


def examine(run: Supervised) -> dict[str, list[Check]]:
    """The findings by check."""
    done = prodgen(run, "doctor", "--format", "json")
    assert done.code in (0, 1), done
    return by_check(done.out)


@contextmanager
def config(run: Supervised, **values: Any) -> Iterator[None]:
    """Other values in common_site_config.json for a while."""
    before = {key: run.bench.config().get(key) for key in values}
    run.bench.set_config(**values)
    try:
        yield
    finally:
        run.bench.set_config(**before)


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Somebody takes connections on a port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield


def test_a_sound_bench_is_called_so(run: Supervised) -> None:
    with config(run, db_host="10.0.0.1"):
        found = examine(run)
    for check in ("manager", "flags", "redis", "node", "assets", "disk"):
        assert {one["grade"] for one in found[check]} == {"good"}, found[check]
    assert "ports" not in found


@pytest.mark.pitfall("1")
@pytest.mark.pitfall("D-SV8")
def test_supervisor_s_socket(run: Supervised) -> None:
    assert only(examine(run), "socket", "good")
    run.supervisor.socket.chmod(0o777)
    try:
        assert "everyone" in only(examine(run), "socket", "bad")["text"]
        os.chown(run.supervisor.socket, 0, HOST.owner(USER)[1])
        run.supervisor.socket.chmod(0o770)
        one = only(examine(run), "socket", "warning")
        assert f"{USER} may stop and start every program of supervisord" in one["text"]
        assert "0770" not in one["fix"]
    finally:
        run.supervisor.socket.chmod(0o700)


def test_flags(run: Supervised) -> None:
    off = {"restart_supervisor_on_update": False, "restart_systemd_on_update": False}
    with config(run, developer_mode=1, maintenance_mode=1, **off):
        found = examine(run)["flags"]
    text = " ".join(one["text"] for one in found)
    assert "developer_mode is on" in text
    assert "links in mails name the port" in text
    assert "maintenance_mode is on" in text
    assert any("restart_supervisor_on_update true" in one["fix"] for one in found)


def test_a_redis_that_drops_jobs(run: Supervised) -> None:
    run.bench.redis("CONFIG", "SET", "maxmemory", "50mb")
    run.bench.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        one = only(examine(run), "redis", "bad")
    finally:
        run.bench.redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
        run.bench.redis("CONFIG", "SET", "maxmemory", "0")
    assert "forgets jobs when 50 MB are full" in one["text"]
    assert "noeviction" in one["fix"]


def test_a_suspension_without_end(run: Supervised) -> None:
    run.bench.redis("SET", "rq:suspended", 1)
    try:
        assert "with no end" in only(examine(run), "redis", "bad")["text"]
    finally:
        run.bench.redis("DEL", "rq:suspended")


def test_a_redis_that_is_away(run: Supervised) -> None:
    with config(run, redis_queue="redis://127.0.0.1:9"):
        assert "does not answer" in only(examine(run), "redis", "bad")["text"]


def test_a_database_that_is_away(run: Supervised) -> None:
    with config(run, db_host="127.0.0.1", db_port=9):
        assert "does not answer on port 9" in only(examine(run), "database", "bad")["text"]
    port = run.bench.cache_port
    with config(run, db_host="127.0.0.1", db_port=port):
        assert only(examine(run), "database", "good")


@pytest.mark.pitfall("9")
def test_assets_that_nginx_cannot_reach(run: Supervised) -> None:
    assets = run.bench.file("sites/assets")
    owner = assets.stat()
    os.chown(assets, 0, 0)
    assets.chmod(0o750)
    try:
        one = only(examine(run), "assets", "bad")
    finally:
        os.chown(assets, owner.st_uid, owner.st_gid)
        assets.chmod(owner.st_mode)
    assert str(assets) in one["text"]
    assert "setfacl -m u:www-data:x" in one["fix"]


def test_a_port_that_is_taken(run: Supervised) -> None:
    name = f"{run.group('workers')}:{run.group('node-socketio')}"
    run.supervisor.call("stopProcess", name)
    try:
        with listening(run.bench.socketio_port):
            found = examine(run)
        one = only(found, "ports", "bad")
        assert f"port {run.bench.socketio_port}" in one["text"]
        assert str(os.getpid()) in one["text"]
        assert "not up" in only(found, "manager", "bad")["text"]
    finally:
        run.supervisor.call("startProcess", name, False)


def test_another_bench_on_the_same_port(run: Supervised) -> None:
    other = make_bench(run.bench.path.with_name("other"), ports=[9, 9, 9, 9])
    name = f"{run.group('workers')}:{run.group('node-socketio')}"
    run.supervisor.call("stopProcess", name)
    script = (
        "import socket, time; s = socket.socket(); s.setsockopt(1, 2, 1); "
        f"s.bind(('127.0.0.1', {run.bench.socketio_port})); s.listen(); time.sleep(60)"
    )
    stranger = subprocess.Popen(["/usr/bin/python3", "-c", script], cwd=other.sites_path)
    try:
        time.sleep(0.7)
        one = only(examine(run), "benches", "bad")
        assert str(other.path) in one["text"]
    finally:
        stranger.kill()
        stranger.wait()
        run.supervisor.call("startProcess", name, False)


def test_a_node_that_the_user_cannot_run_or_that_is_too_old(run: Supervised) -> None:
    folder = run.bench.path.parent / "nodes"
    folder.mkdir()
    for name, text, mode in (
        ("node-private", "#!/bin/sh\necho v24.0.0\n", 0o700),
        ("node", "#!/bin/sh\necho v12.1.0\n", 0o755),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(mode)
    settings = run.bench.file("prodgen.yaml")
    try:
        settings.write_text(f"version: 1\nhost:\n  node: {folder}/node\n")
        assert "too old" in only(examine(run), "node", "bad")["text"]
        settings.write_text(f"version: 1\nhost:\n  node: {folder}/node-private\n")
        assert "cannot run" in only(examine(run), "node", "bad")["text"]
    finally:
        settings.unlink()


@pytest.mark.parametrize(
    ("days", "names", "grade", "text"),
    [
        (5, "one.test", "warning", "ends in"),
        (100, "two.test", "bad", "does not cover one.test"),
        (100, "*.test", "good", "is good for"),
        (None, "", "bad", "cannot be read"),
    ],
)
def test_certificates(
    run: Supervised, days: int | None, names: str, grade: str, text: str, ground: Path
) -> None:
    chain, key = ground / "chain.pem", ground / "key.pem"
    key.write_text("")
    if days is not None:
        certify(chain, key, days, names)
    site = run.bench.file("sites/one.test/site_config.json")
    before = site.read_text()
    extra = {"ssl_certificate": str(chain), "ssl_certificate_key": str(key)}
    site.write_text(json.dumps({**json.loads(before), **extra}))
    try:
        one = only(examine(run), "certificate", grade)
    finally:
        site.write_text(before)
    assert text in one["text"]


def certify(chain: Path, key: Path, days: int, name: str) -> None:
    """A self-signed certificate."""
    out = ["-keyout", str(key), "-out", str(chain), "-days", str(days)]
    who = ["-subj", "/CN=rig", "-addext", f"subjectAltName=DNS:{name}"]
    argv = [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", *out, *who]
    subprocess.run(argv, check=True, capture_output=True)


def test_too_few_open_files(run: Supervised) -> None:
    redis = next(pid for name, pid in run.pids().items() if "redis-queue" in name)
    before = soft_limit(redis)
    set_soft_limit(run, redis, 1024)
    try:
        texts = [one["text"] for one in examine(run)["open files"] if one["grade"] == "warning"]
    finally:
        set_soft_limit(run, redis, before)
    assert any("redis-queue may open 1024 files" in text for text in texts)


def set_soft_limit(run: Supervised, pid: int, files: int | None) -> None:
    """Let a process open so many files."""
    argv = ["prlimit", f"--pid={pid}", f"--nofile={files}:"]
    subprocess.run(run.bench.place.argv(argv, "www-data"), check=True)


def test_a_full_disk(run: Supervised, ground: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from prodgen.deploy.doctor.files import check_room; "
        "[one] = check_room([Path(sys.argv[1])]); print(one.grade.value, one.text)"
    )
    mount = 'mount -t tmpfs -o size=1m tmpfs "$1" && head -c 1040000 /dev/zero >"$1/log"; '
    inner = [sys.executable, "-c", script, str(ground)]
    argv = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'{mount} shift; exec "$@"',
        "sh",
        str(ground),
        *inner,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
    assert done.stdout.startswith("bad 0.0 GB"), done


def test_a_manager_that_is_away(run: Supervised, ground: Path) -> None:
    away = ground / "supervisord.conf"
    away.write_text("[unix_http_server]\nfile=/nowhere/supervisor.sock ; none\n")
    done = prodgen(run, "doctor", "--format", "json", "--supervisor-config", str(away))
    found = parse("doctor", done.out)["findings"]
    assert done.code == 1
    assert found[0]["check"] == "manager"
    assert "nobody listens on /nowhere/supervisor.sock" in found[0]["text"]
