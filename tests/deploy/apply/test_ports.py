"""Ports that somebody else has are found before anything changes; real sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.apply import ports
from prodgen.deploy.apply.ports import clashes
from prodgen.deploy.system import procfs
from prodgen.diagnostics import Diagnostic
from prodgen.plan.core.model import Address, Plan, Role
from prodgen.targets.core.file_set import FileSet, Placed
from tests.support.fakes.recorder import PLAN
from tests.support.systemd_plans import sourced


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of 127.0.0.1 on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def plan_on(port: int, *, path: str = "", instances: int = 2, bench: Path | None = None) -> Plan:
    """A plan of the web alone, which listens there."""
    place = Address(path=path) if path else Address("127.0.0.1", port)
    [web] = PLAN.with_role(Role.WEB)
    service = web._replace(
        listen=sourced(place), address=sourced(place), instances=sourced(instances)
    )
    folder = bench or Path("/nowhere/bench")
    return PLAN._replace(services=(service,), bench=sourced(folder))


def side(target: str, text: str) -> FileSet:
    return {PurePosixPath("/etc/x"): Placed(text, target)}


def found(plan: Plan, old: FileSet | None = None, new: FileSet | None = None) -> list[Diagnostic]:
    return list(clashes(plan, old or {}, new or {}))


def known_as(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Has this process another name, and systemd as the one that has started it."""
    stat, first = procfs.stat(os.getpid()), procfs.stat(1)
    assert stat
    assert first
    rows = {
        stat.pid: stat._replace(name=name, parent=1),
        1: first._replace(name="systemd"),
    }
    monkeypatch.setattr(procfs, "stat", rows.get)
    monkeypatch.setattr(procfs, "everyone", lambda: list(rows.values()))


@pytest.fixture(autouse=True)
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only root sees all who listen."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_a_port_of_somebody_else_s(port: int) -> None:
    [one] = found(plan_on(port))
    assert f"cannot listen on 127.0.0.1:{port}: address already in use" in one.message
    assert f"by process {os.getpid()}, " in one.message
    assert f"ss -ltnp 'sport = :{port}'" in one.help


def test_a_port_that_nobody_has(listener: socket.socket, port: int) -> None:
    listener.close()
    assert found(plan_on(port)) == []


def test_what_listens_nowhere_clashes_with_nothing(port: int) -> None:
    assert found(plan_on(port, instances=0)) == []
    assert found(plan_on(port, path="/run/x.sock")) == []


def test_a_process_in_the_bench_s_folder_is_its_own(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_as(monkeypatch, "gunicorn")
    here = Path(procfs.folder(os.getpid()))
    assert found(plan_on(port, bench=here)) == []
    assert found(plan_on(port, bench=here.parent)) == []
    assert found(plan_on(port, bench=here / "other"))


def test_a_manager_that_holds_it_for_us_says_so_in_our_files(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd and supervisord open sockets for whom they start later."""
    known_as(monkeypatch, "supervisord")
    assert found(plan_on(port), side("supervisor", f"socket=tcp://127.0.0.1:{port}")) == []
    assert found(plan_on(port), side("supervisor", "socket=tcp://127.0.0.1:1"))
    assert found(plan_on(port), side("nginx", f"proxy_pass http://127.0.0.1:{port}"))


def test_the_child_of_a_manager_counts_and_not_the_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {30: ("gunicorn", 20), 20: ("sh", 10), 10: ("supervisord", 1), 1: ("systemd", 0)}
    rows = {pid: procfs.Stat(pid, name, "S", parent, 0) for pid, (name, parent) in tree.items()}
    monkeypatch.setattr(procfs, "stat", rows.get)
    assert ports._first(30) == 20
    assert ports._first(20) == 20


def test_whoever_is_not_root_cannot_tell(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(procfs, "sockets", lambda _: set())
    assert found(plan_on(port)) == []


def server(*listens: str) -> FileSet:
    text = "".join(f"  listen {one};\n" for one in listens)
    return side("nginx", f"server {{\n{text}  server_name a.test;\n}}\n")


def test_a_new_port_of_nginx_s(port: int) -> None:
    plan = plan_on(1, instances=0)
    [one] = found(plan, new=server(f"127.0.0.1:{port} ssl"))
    assert one.message.startswith(f"nginx cannot listen on port {port}: it is in use by process")
    old = server(f"127.0.0.1:{port}")
    assert found(plan, old, server(f"127.0.0.1:{port} ssl")) == [], "it has it itself"
    assert found(plan, new=server(f"{port} quic reuseport")) == [], "that is UDP"


def test_a_port_that_nginx_has_is_nginx_s(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    known_as(monkeypatch, "nginx")
    assert found(plan_on(1, instances=0), new=server(str(port))) == []
