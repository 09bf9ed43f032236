"""What this machine is asked, and which node the bench's user gets."""

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path, PurePosixPath

import pytest

from prodgen.host import detect as module
from prodgen.host.declared import complete, declared_facts
from prodgen.host.detect import detect, find_node
from prodgen.host.facts import HostFacts
from prodgen.inputs.core.values import Values
from prodgen.provenance import Kind
from tests.support.plans import FACTS, declared


def install(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("places", "wanted"),
    [
        ([".nvm/versions/node/v9.1.0/bin/node", ".nvm/versions/node/v18.20.4/bin/node"], 1),
        ([".nvm/versions/node/v18.20.4/bin/node", ".nvm/versions/node/v18.9.0/bin/node"], 0),
        ([".volta/bin/node", ".nvm/versions/node/v18.9.0/bin/node"], 0),
        ([".local/share/fnm/aliases/default/bin/node"], 0),
        ([".bun/bin/node"], 0),
    ],
)
def test_the_node_of_the_benchs_user(tmp_path: Path, places: list[str], wanted: int) -> None:
    """Row 4: nvm, volta and fnm are not on a service's PATH."""
    nodes = [install(tmp_path / place) for place in places]
    found = find_node(PurePosixPath(tmp_path))
    assert found
    assert found.value == PurePosixPath(nodes[wanted])
    assert found.origin.kind is Kind.HOST


def test_a_home_that_may_not_be_read_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for another user than the bench's, whose home is closed."""

    def refuse(path: Path) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    monkeypatch.setattr(module, "find_program", lambda name: f"/usr/bin/{name}")
    found = find_node(PurePosixPath(tmp_path))
    assert found
    assert found.value == PurePosixPath("/usr/bin/node")
    assert f"{tmp_path}/.nvm: permission denied" in found.origin.text


@pytest.mark.parametrize("name", ["redis-server", "valkey-server", "keydb-server"])
def test_the_redis_of_the_host(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian 13 has valkey alone, if that was chosen."""
    monkeypatch.setattr(
        module, "find_program", lambda wanted: f"/usr/bin/{name}" if wanted == name else None
    )
    found = detect(tmp_path, None, {}, ()).redis_server
    assert found
    assert found.value == PurePosixPath(f"/usr/bin/{name}")


def test_a_node_that_cannot_run_is_none(tmp_path: Path) -> None:
    install(tmp_path / ".volta/bin/node").chmod(0o644)
    found = find_node(PurePosixPath(tmp_path))
    assert found is None or not str(found.value).startswith(str(tmp_path))


def test_the_owner_of_the_bench_and_the_home_of_its_user(tmp_path: Path) -> None:
    facts = detect(tmp_path, None, {"gunicorn": "23.0.0"}, ())
    me = pwd.getpwuid(os.getuid())
    assert facts.owner
    assert facts.home
    assert facts.gunicorn
    assert facts.owner.value == me.pw_name
    assert facts.home.value == PurePosixPath(me.pw_dir)
    assert facts.gunicorn.value == "23.0.0"


def test_cpus_and_memory_are_those_of_this_machine(tmp_path: Path) -> None:
    facts = detect(tmp_path, None, {}, ())
    assert facts.cpus
    assert facts.memory
    assert 1 <= facts.cpus.value <= (os.cpu_count() or 1)
    assert 64 * 1024**2 < facts.memory.value < 64 * 1024**4


@pytest.mark.pitfall("15")
@pytest.mark.parametrize(
    ("quota", "cpus", "how"),
    [
        ("max 100000", 8, "CPUs of this machine"),
        ("200000 100000", 2, "cgroup CPU quota"),
        ("150000 100000", 1, "cgroup CPU quota"),
        ("50000 100000", 1, "cgroup CPU quota"),
        ("1600000 100000", 8, "CPUs of this machine"),
        ("", 8, "CPUs of this machine"),
    ],
)
def test_a_cgroup_quota_bounds_the_cpus(
    quota: str, cpus: int, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    found = detect(tmp_path, None, {}, ()).cpus
    assert found
    assert (found.value, found.origin.text) == (cpus, f"{cpus} ({how})")


@pytest.mark.pitfall("15")
@pytest.mark.parametrize(
    ("limit", "how"),
    [("max", "memory of this machine"), (str(1024**3), "cgroup memory limit")],
)
def test_a_cgroup_limit_bounds_the_memory(
    limit: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    found = detect(tmp_path, None, {}, ()).memory
    assert found
    assert how in found.origin.text
    assert (found.value == 1024**3) == (limit != "max")


@pytest.mark.process
def test_a_program_is_asked_for_its_version_only_where_it_matters(tmp_path: Path) -> None:
    assert detect(tmp_path, None, {}, ()).systemd is None
    found = detect(tmp_path, None, {}, ("systemd",)).systemd
    if found:
        assert found.value.isdigit()


def test_an_unknown_user_has_no_home(tmp_path: Path) -> None:
    assert detect(tmp_path, "nobody-of-that-name", {}, ()).home is None


def test_what_is_declared_is_not_looked_up() -> None:
    mixed = complete(HostFacts(cpus=declared(64)), FACTS)
    assert mixed.cpus
    assert mixed.cpus.value == 64
    assert mixed.memory == FACTS.memory


def test_no_settings_declare_nothing() -> None:
    assert declared_facts(Values()) == HostFacts()
