"""Faults of other generators in names, paths and quoting, which must not be ours."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import crossplane
import pytest

from prodgen.diagnostics import Severity
from prodgen.host.facts import HostFacts
from prodgen.inputs.core.source import Source
from prodgen.inputs.reader import BenchFiles
from prodgen.plan.core.model import Plan, Role
from prodgen.targets.nginx.render import render_nginx
from prodgen.targets.registry import MODULES, load_target
from prodgen.targets.systemd.render import render_systemd
from tests.support.plans import (
    FACTS,
    FIXTURES,
    ROOT,
    bench_files,
    codes,
    declared,
    fixture_plan,
    make_plan,
    try_plan,
)
from tests.support.supervisor_reader import groups_read, processes_read

PROCFILE = (
    "redis_cache: redis-server config/redis_cache.conf\n"
    "redis_queue: redis-server config/redis_queue.conf\n"
    "web: bench serve\nsocketio: bench socketio\nschedule: bench schedule\nworker: bench worker\n"
)
COMMON: dict[str, object] = {
    "redis_cache": "redis://127.0.0.1:13000",
    "redis_queue": "redis://127.0.0.1:11000",
}
PORTS = {"redis_cache": 13000, "redis_queue": 11000}
NAMES = [
    "a b", "50%", "%h", "$HOME", "it's", 'say "hi"', "a;b", "#a", "a#b", "größe",
    "日本", "back\\slash", "a,b=c", "(x)", "a&b|c", "~x", "-x", "{x}",
]  # fmt: skip
VALUES = ["50%", "a,b", "user@host", "it's", 'say "hi"', "a b", "$HOME", "C:\\x", "x;y", "#x", "="]


def files(common: dict[str, object] | None = None, **more: Any) -> BenchFiles:
    """The files of a whole bench."""
    return bench_files(PROCFILE, {**COMMON, **(common or {})}, redis=PORTS, **more)


def at(path: str) -> HostFacts:
    """A host on which the bench lies there."""
    return FACTS._replace(path=declared(PurePosixPath(path)))


def texts(plan: Plan) -> dict[str, str]:
    """The text of every artifact of every target, by its destination."""
    found: dict[str, str] = {}
    for name in MODULES:
        artifacts, faults = load_target(name).render(plan)
        assert not [one for one in faults if one.severity is Severity.ERROR], faults
        found |= {str(one.destination): one.text for one in artifacts}
    return found


@pytest.mark.pitfall("D-SV4")
@pytest.mark.parametrize("name", NAMES)
def test_supervisor_reads_a_bench_in_any_folder(name: str, tmp_path: Path) -> None:
    plan = make_plan(files(), at(f"/srv/{name}/frappe-bench"))
    found = processes_read(plan, tmp_path)
    for service in plan.services:
        own = [each for key, each in found.items() if key.startswith(service.name.value)]
        assert len(own) == service.instances.value
        for config in own:
            assert config.directory == str(service.directory.value)
            assert config.environment == dict(service.environment.value)
            words = shlex.split(config.command)
            if service.role.value is Role.SCHEDULER:
                assert words[0] == service.argv.value[0]
            else:
                assert [word for word in words if word not in ("--bind", "fd://0")] == [
                    *service.argv.value
                ]


@pytest.mark.pitfall("D-SV4")
@pytest.mark.parametrize("name", ["a ;b", "a #b", "a\t;b"])
def test_a_folder_that_supervisor_would_cut_is_refused(name: str) -> None:
    made, found = load_target("supervisor").render(make_plan(files(), at(f"/srv/{name}/bench")))
    assert made == []
    assert set(codes(found, Severity.ERROR)) == {"PG701"}


@pytest.mark.pitfall("D-SV4")
def test_a_path_with_a_line_break_is_refused_by_each_target() -> None:
    plan, found = try_plan(files(sites={"a.example.com": {}}), at("/srv/a\nuser=root/frappe-bench"))
    if plan is None:
        assert codes(found, Severity.ERROR)
        return
    for name in ("supervisor", "systemd"):
        made, found = load_target(name).render(plan)
        assert made == []
        assert set(codes(found, Severity.ERROR)) == {"PG701"}
    made, _ = render_nginx(plan)
    assert not any("\nuser=root" in artifact.text for artifact in made)


@pytest.mark.pitfall("2b")
@pytest.mark.pitfall("2c")
@pytest.mark.pitfall("2d")
@pytest.mark.parametrize("value", VALUES)
def test_a_variable_reaches_supervisor_s_process(value: str, tmp_path: Path) -> None:
    settings = Source("prodgen.yaml", json.dumps({"env": {"OWN": value}}))
    plan = make_plan(files()._replace(settings=settings))
    for config in processes_read(plan, tmp_path).values():
        words = shlex.split(config.command)
        by_env = dict(word.split("=", 1) for word in words if word.startswith("OWN="))
        assert {**config.environment, **by_env}["OWN"] == value


@pytest.mark.pitfall("2b")
@pytest.mark.pitfall("2c")
@pytest.mark.parametrize(
    ("line", "words", "variables"),
    [
        ("""python3 -c 'print("50%")'""", ["python3", "-c", 'print("50%")'], {}),
        ("""A=1 B='x y' tick --fast""", ["tick", "--fast"], {"A": "1", "B": "x y"}),
        ("""tick "it's" ';' '#' \\$HOME""", ["tick", "it's", ";", "#", "$HOME"], {}),
    ],
)
def test_a_process_keeps_its_words_and_its_variables(
    line: str, words: list[str], variables: dict[str, str], tmp_path: Path
) -> None:
    plan = make_plan(bench_files(f"clock: {line}\n"))
    [config] = processes_read(plan, tmp_path).values()
    assert [PurePosixPath(word).name for word in shlex.split(config.command)][-len(words) :] == [
        PurePosixPath(word).name for word in words
    ]
    assert dict(config.environment).items() >= variables.items()


@pytest.mark.pitfall("D-SV1")
@pytest.mark.pitfall("D-SV2")
@pytest.mark.pitfall("2d")
def test_custom_queues_of_any_kind_load_once(tmp_path: Path) -> None:
    queues: dict[str, object] = {
        "mail": {},
        "reports": {"timeout": 4000, "background_workers": 3},
        "long": {"timeout": 2000},
        "short": {"timeout": 100},
        "default": {},
    }
    plan = make_plan(files({"workers": queues}))
    names = [each.name for one in groups_read(plan, tmp_path) for each in one.process_configs]
    assert len(names) == len(set(names))
    stems = {name.removeprefix("frappe-bench-frappe-").rstrip("-012") for name in names}
    workers = {"short-worker", "long-worker", "mail-worker", "reports-worker"}
    assert {stem for stem in stems if stem.endswith("-worker")} == workers
    found = processes_read(plan, tmp_path)
    assert sum("reports" in name for name in found) == 3
    stops = {name: config.stopwaitsecs for name, config in found.items() if "-worker" in name}
    assert min(stops.values()) >= 100 + 60
    assert {name: stop for name, stop in stops.items() if "mail" in name} == {
        "frappe-bench-frappe-mail-worker": 390
    }
    assert [stop for name, stop in stops.items() if "reports" in name] == [4090] * 3


@pytest.mark.pitfall("D-SV3")
def test_nothing_is_called_none() -> None:
    facts = HostFacts(path=FACTS.path, owner=FACTS.owner, home=FACTS.home)
    plan = make_plan(files(sites={"a.example.com": {}}), facts)
    found = {name: text for name, text in texts(plan).items() if not name.endswith(".py")}
    runs = ", None, "  # of runpy.run_module in the scheduler's command
    assert [name for name, text in found.items() if "None" in text.replace(runs, "")] == []


@pytest.mark.pitfall("D-SD11")
def test_nothing_stands_for_what_the_bench_does_not_have(tmp_path: Path) -> None:
    remote: dict[str, object] = {
        "redis_cache": "redis://cache.example.com:6379",
        "redis_queue": "unix:///run/redis/queue.sock",
    }
    settings = Source("prodgen.yaml", "realtime: {enabled: false}\n")
    plan = make_plan(files(remote)._replace(settings=settings))
    units, _ = render_systemd(plan)
    assert units
    absent = ("redis-cache", "redis-queue", "socketio", "-redis.target")
    for artifact in units:
        # the names of all conf files that bench may write are closed to every service
        text = re.sub(r"(?m)^ReadOnlyPaths=.*$", "", artifact.text)
        assert not any(name in f"{artifact.path} {text}" for name in absent)
    found = processes_read(plan, tmp_path)
    assert not any(name in process for process in found for name in absent)


SCRIPT = "import os, sys; os.umask(int(sys.argv[1], 8)); os.execv(sys.executable, sys.argv[2:])"


@pytest.mark.process
@pytest.mark.pitfall("D-NG2")
@pytest.mark.pitfall("D-NG3")
def test_two_runs_give_the_same_bytes_wherever_they_start(tmp_path: Path) -> None:
    bench = FIXTURES / "frappe-15/frappe-bench"

    def run(folder: Path, **environment: str) -> bytes:
        words = [sys.executable, "-m", "prodgen", "render", "-t", "all", "-C", str(bench)]
        mask = environment.pop("mask")
        own = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        argv = [sys.executable, "-c", SCRIPT, mask, *words]
        return subprocess.run(argv, cwd=folder, env=own, capture_output=True, check=True).stdout

    one = run(bench, mask="022", PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C.UTF-8")
    two = run(tmp_path, mask="077", PYTHONHASHSEED="2", TZ="Asia/Tokyo", LC_ALL="C")
    assert one == two
    assert b"server_name" in one


@pytest.mark.pitfall("D-NG3")
def test_the_order_of_folders_does_not_matter() -> None:
    names = ["b.example.com", "a.example.com", "c.example.com"]
    sites: dict[str, dict[str, object]] = {name: {} for name in names}
    one = make_plan(files(sites=sites))
    two = make_plan(files(sites=dict(reversed(sites.items()))))
    assert texts(one) == texts(two)


@pytest.mark.pitfall("D-NG17")
@pytest.mark.pitfall("2b")
def test_two_benches_share_no_name(tmp_path: Path) -> None:
    """Their folders may have one name: `bench_name` tells them apart."""
    found = []
    for place, name in (("/srv/a", "one"), ("/srv/b", "two")):
        settings = Source("prodgen.yaml", f"bench_name: {name}\n")
        given = files(sites={f"{name}.example.com": {}})._replace(settings=settings)
        found.append(make_plan(given, at(f"{place}/frappe-bench")))
    one, two = (texts(plan) for plan in found)
    assert not one.keys() & two.keys()
    one_names, two_names = (names_in_nginx(plan, tmp_path) for plan in found)
    assert not one_names & two_names
    first, second = (set(processes_read(plan, tmp_path)) for plan in found)
    assert not first & second


def names_in_nginx(plan: Plan, folder: Path) -> set[str]:
    """Upstreams, maps' variables, zones and log formats, which are the whole host's."""
    found: set[str] = set()
    for directive in directives(plan, folder):
        kind, words = directive["directive"], directive["args"]
        if kind in ("upstream", "log_format"):
            found.add(words[0])
        if kind in ("map", "geo"):
            found.add(words[-1])
        if kind in ("limit_req_zone", "limit_conn_zone"):
            found.add(words[1])
    assert len(found) > 3
    return found


def directives(plan: Plan, folder: Path) -> list[dict[str, Any]]:
    """Every directive of the nginx file, as crossplane reads them."""
    [artifact, *_], _ = render_nginx(plan)
    path = folder / "nginx.conf"
    path.write_text(artifact.text, "utf-8")
    payload = crossplane.parse(str(path), check_ctx=False, check_args=False, single=True)

    def walk(block: list[dict[str, Any]]) -> list[dict[str, Any]]:
        inner = [found for each in block for found in walk(each.get("block") or [])]
        return [*block, *inner]

    return walk(payload["config"][0]["parsed"])


@pytest.mark.pitfall("2d")
def test_headers_have_whole_values_and_the_scheme_is_the_client_s(tmp_path: Path) -> None:
    found = directives(fixture_plan("frappe-15"), tmp_path)
    headers = [one["args"] for one in found if one["directive"] == "add_header"]
    sent = [one["args"] for one in found if one["directive"] == "proxy_set_header"]
    assert headers
    assert not [words for words in (*headers, *sent) if words[1][:1] in "'\"" and words[1]]
    assert not [words for words in sent if words == ["X-Forwarded-Proto", "https"]]
