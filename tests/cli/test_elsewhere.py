"""A bare checkout and a prodgen.yaml: `--locked` makes what is right for a host that is elsewhere.

There is no env/, no apps/, no sites/ and no config/, and nothing of this machine may show.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
import yaml

from prodgen.host import detect
from tests.support.command import COMMAND, prodgen, tree
from tests.support.plans import ROOT

PROCFILE = """\
redis_cache: redis-server config/redis_cache.conf
redis_queue: redis-server config/redis_queue.conf
web: bench serve --port 8003
socketio: /home/dev/.nvm/versions/node/v18.20.4/bin/node apps/frappe/socketio.js
watch: bench watch
schedule: bench schedule
worker: bench worker 1>> logs/worker.log 2>> logs/worker.error.log
"""
SETTINGS = """\
version: 1
manager: MANAGER
user: erp
host:
  path: /srv/erp/bench-one
  home: /srv/erp
  cpus: 16
  memory: 64G
  node: /opt/node/bin/node
  redis_server: /opt/redis/bin/redis-server
  frappe: "13.58.21"
  gunicorn: "25.1.0"
  nginx: "1.27.4"
  systemd: "257"
sites:
  shop.example.com:
    domains: [www.example.com]
    ssl_certificate: /etc/ssl/shop.pem
    ssl_certificate_key: /etc/ssl/shop.key
  second.example.com:
"""
NEEDED = ("path", "home", "cpus", "memory", "node", "redis_server", "frappe", "gunicorn")
CHANGED = {"HOME": "/var/empty", "USER": "somebody", "LOGNAME": "somebody", "TZ": "Asia/Tokyo"}
Files = dict[str, str]


def checkout(folder: Path, manager: str, settings: str = SETTINGS) -> Path:
    folder.mkdir(parents=True)
    (folder / "Procfile").write_text(PROCFILE)
    (folder / "prodgen.yaml").write_text(settings.replace("MANAGER", manager))
    return folder


def made(bench: Path, out: Path, **how: object) -> Files:
    done = prodgen("render", "--locked", "-C", bench, "-o", out, **how)  # type: ignore[arg-type]
    assert done.code == 0, done.err
    return {name: content.decode() for name, (content, _, _) in tree(out).items()}


@pytest.mark.parametrize("manager", ["supervisor", "systemd"])
def test_the_same_bytes_from_any_place(manager: str, tmp_path: Path, ground: Path) -> None:
    first = checkout(tmp_path / "one/frappe-bench", manager)
    second = checkout(ground / "two/clone of it", manager)
    if os.getuid() == 0:
        os.chown(second, 65534, 65534)
    here = made(first, tmp_path / "here", cwd=first)
    one_cpu = ("taskset", "-c", str(min(os.sched_getaffinity(0))), *COMMAND)
    there = made(second, tmp_path / "there", cwd=Path("/"), env=CHANGED, command=one_cpu)
    assert here == there
    assert len(here) > 3


@pytest.mark.parametrize("manager", ["supervisor", "systemd"])
def test_nothing_of_this_machine_shows(manager: str, tmp_path: Path) -> None:
    bench = checkout(tmp_path / "frappe-bench", manager)
    text = "\n".join(made(bench, tmp_path / "out", cwd=tmp_path).values())
    local = (str(tmp_path), str(ROOT), sys.prefix, socket.gethostname(), "/home/", "frappe-bench")
    for one in local:
        assert one not in text, one


@pytest.mark.parametrize("manager", ["supervisor", "systemd"])
def test_it_is_right_for_that_host(manager: str, tmp_path: Path) -> None:
    bench = checkout(tmp_path / "frappe-bench", manager)
    files = made(bench, tmp_path / "out", cwd=tmp_path)
    programs = "\n".join(text for name, text in files.items() if name.startswith(manager))
    for word in (
        "/srv/erp/bench-one/env/bin/gunicorn",
        "/srv/erp/bench-one/sites",
        "/opt/node/bin/node",
        "/opt/redis/bin/redis-server",
        "/srv/erp/bench-one/config/redis_queue.conf",
        "/etc/prodgen/bench-one/gunicorn.conf.py",
    ):
        assert word in programs, word
    own = "HOME='/srv/erp'" if manager == "supervisor" else "User=erp"
    assert own in programs
    assert "short,default" not in programs, "Frappe 13 takes one queue a worker"
    gunicorn = files["gunicorn/gunicorn.conf.py"]
    assert "workers = 17" in gunicorn, "2 x 16 + 1 over two instances"
    nginx = files["nginx/bench-one.conf"]
    assert "http2 on;" in nginx, "nginx 1.27"
    for word in ("127.0.0.1:8003", "127.0.0.1:3000", "/etc/ssl/shop.pem", "second.example.com"):
        assert word in nginx, word


def test_no_fact_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from prodgen.app import pipeline
    from prodgen.cli.group import prodgen as command

    def look(*_: object) -> None:
        raise AssertionError("asked this machine")

    for name in ("detect", "find_node", "find_program", "_ask"):
        monkeypatch.setattr(detect, name, look)
    monkeypatch.setattr(pipeline, "detect", look)
    bench = checkout(tmp_path / "frappe-bench", "systemd")
    for words in (["render"], ["plan"], ["validate"]):
        arguments = [*words, "--locked", "-C", str(bench)]
        done = CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=False)
        assert not done.return_value, done.stderr


@pytest.mark.parametrize("name", NEEDED)
def test_a_needed_fact_that_is_missing_is_named_as_its_key(name: str, tmp_path: Path) -> None:
    settings = yaml.safe_load(SETTINGS)
    example = settings["host"].pop(name)
    bench = checkout(tmp_path / "frappe-bench", "systemd", yaml.safe_dump(settings))
    done = prodgen("render", "--locked", "-C", bench)
    assert (done.code, done.out) == (1, "")
    assert f"`host.{name}` is needed and not declared" in done.err
    assert done.err.count("error[") == 1
    line = next(one for one in done.err.splitlines() if f"like `{name}: " in one)
    written = yaml.safe_load(line.partition("like `")[2].rstrip("`"))
    assert type(written[name]) is type(example), "the example can be copied"


def test_a_user_whom_nobody_declares(tmp_path: Path) -> None:
    bench = checkout(tmp_path / "frappe-bench", "systemd", SETTINGS.replace("user: erp\n", ""))
    done = prodgen("render", "--locked", "-C", bench)
    assert done.code == 1
    assert "`user` is needed and not declared" in done.err
    assert "set `user:` in prodgen.yaml" in done.err


@pytest.mark.parametrize("name", ["nginx", "systemd"])
def test_without_a_version_of_these_the_output_suits_the_oldest(name: str, tmp_path: Path) -> None:
    settings = yaml.safe_load(SETTINGS)
    del settings["host"][name]
    bench = checkout(tmp_path / "frappe-bench", "systemd", yaml.safe_dump(settings))
    assert prodgen("render", "--locked", "-C", bench).code == 0
    done = prodgen("validate", "--locked", "-C", bench)
    assert done.code == 0
    assert f"declare `host: {{{name}: …}}` in prodgen.yaml" in done.err
