"""`prodgen apply` on a real host: a bad config never goes live, and its place is named."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.live.applying import Host, host
from tests.support.live.restarting import Ended
from tests.support.live.systemd_bench import HOME, NAME, PATH, USER
from tests.support.rig.waiting import wait_for

COMMON = "sites/common_site_config.json"
SITE_CONFIG = "sites/one.test/site_config.json"
TAKEN = 8123
CHAIN, KEY = "/etc/ssl/one.pem", "/etc/ssl/one.key"
SELF_SIGNED = (
    f"openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=one.test -out {CHAIN} "
    f"-keyout {KEY} 2>/dev/null"
)
Change = Callable[[Host], None]


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    with host("systemd") as machine:
        machine.apply()
        yield machine


@pytest.fixture
def run(made: Host) -> Iterator[Host]:
    """Whatever a test does to the bench's files is undone after it."""
    names = (COMMON, SITE_CONFIG, "prodgen.yaml")
    before = {name: made.bench.read(name) for name in names}
    kept = dict(made.settings)
    yield made
    for name, text in before.items():
        made.bench.file(name).write_text(text)
    made.settings = kept


def refused(run: Host, *words: str) -> str:
    """What apply says where it has to refuse and to leave everything as it is."""
    before, pids = run.installed(), run.pids()
    ended = run.prodgen("apply", "--yes", *words)
    assert ended.code == 1, ended
    assert run.installed() == before
    assert run.pids() == pids
    assert run.shell("ls /etc/nginx/conf.d/.prodgen* /etc/systemd/system/.prod*", check=False) == ""
    return ended.err


@contextmanager
def somebody_on(run: Host, port: int) -> Iterator[None]:
    """Another process that listens on a port."""
    unit = f"taken-{port}"
    server = f"/usr/bin/python3 -m http.server {port} --bind 127.0.0.1"
    run.shell(f"systemd-run --quiet --unit {unit} {server}")
    wait_for(lambda: str(port) in run.shell(f"ss -ltnH 'sport = :{port}'"), 20, "the server")
    try:
        yield
    finally:
        run.shell(f"systemctl stop {unit}")


def take_redis(run: Host) -> None:
    """Redis on another port, in a conf file of prodgen's own."""
    run.configure(redis_queue=f"redis://127.0.0.1:{TAKEN}")
    run.set(redis={"managed": True})


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.configure(webserver_port=TAKEN),
        lambda run: run.configure(socketio_port=TAKEN),
        take_redis,
    ],
    ids=["web", "realtime", "redis"],
)
def test_a_port_of_somebody_else(run: Host, change: Change) -> None:
    change(run)
    with somebody_on(run, TAKEN):
        said = refused(run)
    assert f"cannot listen on 127.0.0.1:{TAKEN}: address already in use by process" in said
    assert f"http.server {TAKEN}" in said
    assert re.search(rf"{COMMON}:\d+:\d+", said)


def test_a_certificate_that_is_gone(run: Host) -> None:
    run.shell(SELF_SIGNED)
    config = f'{{\n "ssl_certificate": "{CHAIN}",\n "ssl_certificate_key": "{KEY}"\n}}\n'
    run.bench.file(SITE_CONFIG).write_text(config)
    run.apply()
    run.shell(f"mv {CHAIN} {CHAIN}.away")
    said = refused(run)
    assert "one.test is served now, and would no longer be" in said
    assert f"{SITE_CONFIG}:2:" in said
    run.shell(f"mv {CHAIN}.away {CHAIN}")
    run.bench.file(SITE_CONFIG).write_text("{}\n")
    run.apply()


def test_a_site_whose_file_breaks(run: Host) -> None:
    run.bench.file(SITE_CONFIG).write_text("{")
    said = refused(run)
    assert "the site one.test is served now, and would no longer be" in said


def test_what_nginx_says_is_shown_at_its_place(run: Host) -> None:
    path = "/var/log/frappe-bench/nowhere/access.log"
    run.set(nginx={"access_log": path})
    said = refused(run)
    assert f'open() "{path}" failed' in said
    assert re.search(r"prodgen.yaml:1:\d+: error PG846|--> prodgen.yaml:1:\d+", said), said


def test_a_unit_that_does_not_verify(run: Host) -> None:
    run.set(processes={"mail": {"command": "/nowhere/mailer --now"}})
    said = refused(run)
    assert "systemd does not take it" in said
    assert "/nowhere/mailer" in said
    assert "prodgen.yaml:1:" in said


def test_a_folder_that_cannot_be_written(run: Host) -> None:
    folder = "/etc/nginx/conf.d"
    run.shell(f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}")
    run.configure(gunicorn_workers=6, max_file_size=99_000_000)
    try:
        said = refused(run)
    finally:
        run.shell(f"umount {folder}")
    assert "read-only file system" in said


def test_an_archive_that_others_can_change(run: Host) -> None:
    archive = PATH / "made.tar"
    assert run.prodgen("render", "-o", str(archive)).code == 0
    assert f"{USER} can change {HOME}" in refused(run, str(archive))
    run.shell(f"install -m 600 {archive} /root/made.tar; rm {archive}")
    run.apply("/root/made.tar")


@pytest.mark.matrix
def test_an_application_that_does_not_start(run: Host) -> None:
    app = run.bench.file("apps/frappe/frappe/app.py")
    good = app.read_text()
    before = run.installed()
    app.write_text("raise RuntimeError('broken by a test')\n")
    run.configure(gunicorn_workers=6)
    ended = run.prodgen("apply", "--yes")
    app.write_text(good)
    assert ended.code == 4, ended
    assert "broken by a test" in ended.err + ended.out, ended
    command = ended.err.splitlines()[-1].strip()
    assert command.endswith(f"apply --rollback -C {PATH}")
    back = run.shell(f"cd / && env PYTHONPATH={shlex.quote(python_path())} {command} --yes 2>&1")
    assert "files in place: 1" in back
    assert run.installed() == before
    wait_for(lambda: run.prodgen("status").code == 0, 60, "everything to be up")


def python_path() -> str:
    """Where the checkout's own package is."""
    from tests.support.live.restarting import ENVIRONMENT

    return ENVIRONMENT["PYTHONPATH"]


def test_two_at_once_do_not_interleave(run: Host) -> None:
    run.configure(gunicorn_workers=6)
    begun = [run.begin("apply", "--yes") for _ in range(2)]
    ended = [Ended(*_end(one)) for one in begun]
    assert sorted(one.code for one in ended) == [0, 1], ended
    [late] = [one for one in ended if one.code == 1]
    assert "another prodgen is at work" in late.err
    assert run.prodgen("diff", "--detailed-exitcode").code == 0


@pytest.mark.matrix
def test_an_apply_while_a_restart_is_at_work(run: Host) -> None:
    run.bench.enqueue("long", 6, "slow")
    wait_for(lambda: run.bench.counts("start")["slow"] == 1, 20, "the job to begin")
    restart = run.begin("restart", "workers")
    time.sleep(2)  # it holds the bench by then, and the job takes longer
    assert restart.poll() is None
    run.configure(gunicorn_workers=8)
    said = run.prodgen("apply", "--yes").err
    assert "another prodgen is at work" in said
    code, out, err = _end(restart)
    assert code == 0, out + err
    assert run.bench.counts()["slow"] == 1
    run.apply()


def _end(process: object) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)  # type: ignore[attr-defined]
    return process.returncode, out, err  # type: ignore[attr-defined]


def test_names_of_the_bench_stay_its_own(run: Host) -> None:
    """What another bench and other people have beside it is as it was."""
    run.shell("echo '# theirs' > /etc/nginx/conf.d/frappe-bench2.conf")
    run.configure(gunicorn_workers=6)
    run.apply()
    assert run.shell("cat /etc/nginx/conf.d/frappe-bench2.conf") == "# theirs\n"
    assert NAME in run.shell("ls /etc/nginx/conf.d")
