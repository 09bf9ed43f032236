"""Whatever a value is, it stays a value: no key, section, directive or block comes or goes."""

from __future__ import annotations

import configparser
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import crossplane
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prodgen.diagnostics import Diagnostic, has_errors
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from prodgen.targets.registry import load_target
from tests.support.plans import FACTS, bench_files, declared, try_plan

pytestmark = [pytest.mark.pitfall("2b"), pytest.mark.pitfall("2c"), pytest.mark.pitfall("2d")]

PROCFILE = (
    "redis_queue: redis-server config/redis_queue.conf\n"
    "web: bench serve\nsocketio: bench socketio\nschedule: bench schedule\nworker: bench worker\n"
    "clock: tick x\n"
)
NASTY = [
    "a b", "50%", "%(here)s", "%h", "$HOME", "${x}", "it's", 'say "hi"', "a;b", "a ;b", "#a",
    "a #b", "größe", "日本", "a\\", "\\", "a\nuser=root", "a\r\nx: y", "a;}\nserver {", "{}",
    "a\tb", " a", "a ", "'", '"', "'; return 200; #", "]\n[program:x]", "\n[Service]\nUser=root",
    "a\x85b", "a\0b", "~^.*$", "*", "default", "-", "..", "a,b", "a=b", "`id`", "$(id)",
    "\u2028x", "\x1b[0m", "",
]  # fmt: skip
SETTINGS: dict[str, tuple[str, str, str]] = {
    "bench_name": ("", "bench_name", "{}"),
    "variable": ("env", "OWN", "{}"),
    "log_folder": ("logging", "folder", "/var/log/{}"),
    "acme_webroot": ("nginx", "acme_webroot", "/srv/{}"),
    "access_log": ("nginx", "access_log", "{}"),
    "disk": ("systemd", "read_write_paths", "/mnt/{}"),
    "proxy": ("nginx", "trusted_proxies", "{}"),
    "socket": ("web", "bind", "unix:/run/{}"),
    "group": ("web", "socket_group", "{}"),
}
"""Section, key and form of a value in prodgen.yaml."""
LISTS = ("disk", "proxy")
FACTS_OF = ("path", "home", "node")
OF_SITES = ("folder", "domain", "certificate")
SLOTS = (*SETTINGS, *FACTS_OF, *OF_SITES, "user", "argument", "queue", "realtime_socket")
PLAIN = {"domain": "b.example.com", "folder": "b.example.com", "proxy": "10.0.0.1",
         "access_log": "/x"}  # fmt: skip
FOR_DOLLARS = {" geo", " geo default"}
"""What nginx needs for a `$` that is no variable."""


def settings_of(slot: str, value: str) -> Source:
    """prodgen.yaml with the value."""
    data: dict[str, Any] = {"logging": {"mode": "files"}, "env": {"OWN": "x"}}
    if slot == "group":
        data["web"] = {"bind": "unix:/run/x"}
    if slot in SETTINGS:
        section, key, form = SETTINGS[slot]
        given = form.replace("{}", value)
        place = data.setdefault(section, {}) if section else data
        place[key] = [given] if slot in LISTS else given
    if slot == "argument":
        quoted = value.replace("'", "'\\''")
        data["processes"] = {"clock": {"command": f"tick '{quoted}'"}}
    return Source("prodgen.yaml", json.dumps(data))


def common_of(slot: str, value: str) -> dict[str, object]:
    """common_site_config.json with the value."""
    queue = value if slot == "queue" else "email"
    found: dict[str, object] = {
        "redis_queue": "redis://127.0.0.1:11000",
        "workers": {queue: {"timeout": 60}},
    }
    if slot == "user":
        found["frappe_user"] = value
    if slot == "realtime_socket":
        found["socketio_uds"] = f"config/{value}"
    return found


def planned(slot: str, value: str) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan of a bench that has the value in this place."""
    site: dict[str, object] = {"domains": [value if slot == "domain" else "www.example.com"]}
    if slot == "certificate":
        site |= {"ssl_certificate": f"/c/{value}", "ssl_certificate_key": f"/k/{value}"}
    name = value if slot == "folder" else "a.example.com"
    files = bench_files(
        PROCFILE, common_of(slot, value), sites={name: site}, redis={"redis_queue": 11000}
    )
    given: dict[str, Any] = {}
    if slot in FACTS_OF:
        given[slot] = declared(PurePosixPath("/srv", value, "x"))
    return try_plan(files._replace(settings=settings_of(slot, value)), FACTS._replace(**given))


def in_supervisor(text: str) -> Counter[str]:
    """The keys of each section as ConfigParser, which Supervisor reads with, sees them."""
    parser = configparser.RawConfigParser(strict=True, inline_comment_prefixes=(";", "#"))
    parser.read_string(text)
    kinds = Counter(section.partition(":")[0] for section in parser.sections())
    keys = Counter(f"{one.partition(':')[0]}.{key}" for one in parser for key in parser[one])
    return kinds + keys


def in_systemd(text: str) -> Counter[str]:
    """The sections and keys of a unit (systemd.syntax(7))."""
    lines = re.sub(r"\\\n", " ", text).split("\n")
    kept = [line for line in lines if line.strip() and line.lstrip()[0] not in "#;"]
    return Counter(line.partition("=")[0].strip() for line in kept)


def in_nginx(text: str) -> Counter[str]:
    """The directives with the blocks they stand in, by crossplane."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "x.conf")
        file.write_text(text, "utf-8", newline="")
        payload = crossplane.parse(str(file), check_ctx=False, check_args=False, single=True)
    assert not payload["errors"], payload["errors"]

    def walk(block: list[dict[str, Any]], where: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for one in block:
            name = "" if where.endswith("map") else one["directive"]
            found[f"{where} {name}"] += 1
            found += walk(one.get("block") or [], f"{where} {name}")
        return found

    return walk(payload["config"][0]["parsed"], "")


READERS = {"supervisor": in_supervisor, "systemd": in_systemd, "nginx": in_nginx}


def shape(plan: Plan, target: str) -> Counter[str] | None:
    """What stands in the artifacts but for values; None where the value is refused."""
    artifacts, found = load_target(target).render(plan)
    if has_errors(found):
        assert not artifacts
        return None
    return sum((READERS[target](one.text) for one in artifacts), Counter())


@cache
def usual(slot: str, target: str) -> Counter[str]:
    """The shape with an ordinary value."""
    plan, found = planned(slot, PLAIN.get(slot, "plain"))
    assert plan, found
    made = shape(plan, target)
    assert made or (slot, target) == ("realtime_socket", "supervisor")
    return made or Counter()


def check(slot: str, value: str) -> None:
    """The artifacts with this value are as those with an ordinary one, or there are none."""
    plan, found = planned(slot, value)
    if plan is None:
        assert has_errors(found)
        return
    for target in READERS:
        made, expected = shape(plan, target), usual(slot, target)
        if made is not None:
            assert set(made) - set(expected) <= FOR_DOLLARS, target
            assert slot in (*OF_SITES, "access_log") or set(expected) <= set(made), target


@pytest.mark.slow
@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("value", NASTY)
def test_a_nasty_value(slot: str, value: str) -> None:
    check(slot, value)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(st.sampled_from(SLOTS), st.text(max_size=40))
@example("path", "\ud800")
def test_any_value(slot: str, value: str) -> None:
    check(slot, value)
