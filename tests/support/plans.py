"""Plans for tests: of the benches in fixtures/, for a host that is always the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

from prodgen.diagnostics import Diagnostic, Severity
from prodgen.host.facts import HostFacts
from prodgen.inputs.bench import Bench, parse_bench
from prodgen.inputs.core.source import Source
from prodgen.inputs.reader import BenchFiles, SiteFolder, read_bench
from prodgen.plan.core.model import Plan, Service
from prodgen.plan.planner import build_plan
from prodgen.provenance import Kind, Origin, Sourced

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"


def declared(value: T) -> Sourced[T]:
    """A fact as a user declares it."""
    return Sourced(value, Origin(Kind.SETTINGS, "host"))


FACTS = HostFacts(
    path=declared(PurePosixPath("/home/frappe/frappe-bench")),
    owner=declared("frappe"),
    home=declared(PurePosixPath("/home/frappe")),
    cpus=declared(4),
    memory=declared(8 * 1024**3),
    node=declared(PurePosixPath("/usr/bin/node")),
    redis_server=declared(PurePosixPath("/usr/bin/redis-server")),
    gunicorn=declared("23.0.0"),
    nginx=declared("1.22.1"),
    systemd=declared("252"),
)


def plan_of(folder: Path, facts: HostFacts = FACTS) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan of the bench in `folder`, and everything that was found on the way."""
    files, found = read_bench(folder)
    bench, more = parse_bench(files)
    found += more
    if bench is None:
        return None, found
    return plan_of_bench(bench, facts, found)


def plan_of_bench(
    bench: Bench, facts: HostFacts = FACTS, found: list[Diagnostic] | None = None
) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan of a parsed bench; its Gunicorn is the one installed in its env."""
    installed = bench.packages.get("gunicorn")
    if installed:
        facts = facts._replace(gunicorn=declared(installed))
    planned, more = build_plan(bench, facts)
    return planned.plan, [*(found or []), *more]


def fixture_plan(case: str, facts: HostFacts = FACTS) -> Plan:
    """The plan of `fixtures/CASE/frappe-bench`, which must have one."""
    plan, found = plan_of(FIXTURES / case / "frappe-bench", facts)
    assert plan is not None, found
    return plan


def bench_files(
    procfile: str,
    common: Mapping[str, object] | None = None,
    *,
    frappe: str | None = "15.72.4",
    sites: Mapping[str, Mapping[str, object]] | None = None,
    redis: Mapping[str, int] | None = None,
    gunicorn: str | None = None,
) -> BenchFiles:
    """The files of a bench that was never on a disk; `redis` has the ports of its conf files."""
    return BenchFiles(
        root=Path("/home/frappe/frappe-bench"),
        procfile=Source("Procfile", procfile),
        common=Source("sites/common_site_config.json", json.dumps(common or {}, indent=1)),
        sites=tuple(
            SiteFolder(name, Source(f"sites/{name}/site_config.json", json.dumps(config, indent=1)))
            for name, config in (sites or {}).items()
        ),
        redis_confs={
            name: Source(f"config/{name}.conf", f"port {port}\n")
            for name, port in (redis or {}).items()
        },
        frappe_init=Source("apps/frappe/frappe/__init__.py", f'__version__ = "{frappe}"')
        if frappe
        else None,
        packages={"gunicorn": gunicorn} if gunicorn else {},
    )


def try_plan(files: BenchFiles, facts: HostFacts = FACTS) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan of these files, and everything that was found."""
    bench, found = parse_bench(files)
    return (None, found) if bench is None else plan_of_bench(bench, facts, found)


def make_plan(files: BenchFiles, facts: HostFacts = FACTS) -> Plan:
    """The plan of these files, which must have one."""
    plan, found = try_plan(files, facts)
    assert plan is not None, found
    return plan


ABSENT = frozenset({"PG658", "PG659"})
"""Warnings about a Procfile without workers or a scheduler: those of most tests have few lines."""


def codes(
    found: list[Diagnostic], severity: Severity | None = None, *, absent: bool = False
) -> list[str]:
    """Codes of the findings of one severity or of all; about absent lines only if asked."""
    wanted = (one for one in found if severity in (None, one.severity))
    return sorted(one.code for one in wanted if absent or one.code not in ABSENT)


def service(plan: Plan, name: str) -> Service:
    """The service called `frappe-bench-NAME`."""
    return next(one for one in plan.services if one.name.value == f"frappe-bench-{name}")
