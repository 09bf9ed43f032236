"""systemd: a target for the bench, one for each tier below it, and a unit for each service.

Only the bench's target is enabled. It wants the tiers, which want their services, and each is
PartOf= what wants it: so a stop or a restart of a target reaches all below it, and that of a tier
or a service nothing else. (Requires= would carry it upward, and from there to everything.)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from shlex import quote
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, note
from prodgen.plan.core.defaults import BY_SYSTEMD, LINKS_WITHOUT_PORT, version_of
from prodgen.plan.core.model import Address, Plan, Service
from prodgen.plan.core.options import Resources
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.base import Target, Unwritable, unwritable
from prodgen.targets.core.templating import render
from prodgen.targets.systemd.escape import listen, plain
from prodgen.targets.systemd.hardening import (
    OLDEST,
    Grounds,
    Level,
    Line,
    Profile,
    sandbox,
    unknown_to,
)
from prodgen.targets.systemd.paths import home_of
from prodgen.targets.systemd.service import control, limit_lines, service_unit
from prodgen.targets.systemd.units import (
    SYSTEM_FOLDER,
    TITLES,
    USER_FOLDER,
    Names,
    Tier,
    names_of,
    running_units,
    tier_of,
)

BACKLOG = 2048
"""Connections that wait in the kernel while every instance restarts."""


class BenchTarget(NamedTuple):
    """What the template of the bench's target sees."""

    bench: str
    file: str
    control: str
    tiers: list[str]
    wanted_by: str


class TierTarget(NamedTuple):
    """What the template of a tier's target sees."""

    bench: str
    title: str
    bench_target: str
    wants: list[str]


class Socket(NamedTuple):
    """What the template of the web's socket sees."""

    bench: str
    listen: str
    service: str
    path: str
    user: str
    group: str
    mode: str
    backlog: int


class Waiting(NamedTuple):
    """What the template of the service sees that the socket starts where no instance runs."""

    bench: str
    socket: str
    user: str
    hardening: str
    sandbox: list[Line]


class Slice(NamedTuple):
    """What the template of the slice sees."""

    bench: str
    limits: list[Line]


class _Folder:
    """Collects the unit files of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.artifacts: list[Artifact] = []
        self.place = SYSTEM_FOLDER
        if plan.systemd.scope.value != "system":
            self.place = PurePosixPath(home_of(plan) or _no_home()) / USER_FOLDER

    def add(self, file: str, template: str, context: object) -> None:
        self.artifacts.append(
            Artifact(
                path=PurePosixPath("systemd", file),
                text=render(f"systemd/{template}", context),
                destination=self.place / file,
                target="systemd",
            )
        )


def render_systemd(plan: Plan) -> tuple[list[Artifact], list[Diagnostic]]:
    """Every unit of the bench."""
    services = [service for service in plan.services if service.instances.value > 0]
    try:
        units = _Folder(plan)
        names = names_of(plan)
        _add_targets(plan, services, names, units)
    except Unwritable as reason:
        return [], [unwritable(plan.bench_name, reason, "systemd")]
    findings = [
        finding
        for service in services
        if (finding := _add_service(plan, service, names, units)) is not None
    ]
    if findings:
        return [], findings
    return units.artifacts, _left_out(plan)


def _add_service(plan: Plan, service: Service, names: Names, units: _Folder) -> Diagnostic | None:
    """Add the unit of one service, and its socket; the finding where a value stands in the way."""
    version = _version(plan)
    try:
        unit = service_unit(plan, service, names, version)
        units.add(unit.file, "unit.service", unit)
        if service.listen:
            socket = _socket(plan, service, service.listen.value, names)
            units.add(names.socket, "web.socket", socket)
            units.add(names.waiting, "web-wait.service", _waiting(plan, service, names, version))
    except Unwritable as reason:
        return unwritable(service.argv, reason, "systemd")
    return None


def _waiting(plan: Plan, service: Service, names: Names, version: int) -> Waiting:
    """The service that does nothing; it runs as the bench's user, since nobody else need."""
    by_root = plan.systemd.scope.value == "system"
    level = Level(plan.systemd.hardening.value)
    nowhere = Grounds(writable=())
    return Waiting(
        bench=plain(plan.bench_name.value),
        socket=names.socket,
        user=plain(service.user.value) if by_root else "",
        hardening=level.value,
        sandbox=sandbox(Profile.WAITING, level, nowhere, version=version, by_root=by_root),
    )


def _no_home() -> str:
    raise Unwritable("its units belong into the home of its user, which is unknown")


def _version(plan: Plan) -> int:
    """The version of systemd; the oldest supported one where nobody knows it."""
    known = plan.versions.get("systemd")
    figures = version_of(known.value) if known else ()
    return max(figures[0], OLDEST) if figures else OLDEST


def _left_out(plan: Plan) -> list[Diagnostic]:
    version = _version(plan)
    missing = unknown_to(version)
    if not missing:
        return []
    known = plan.versions.get("systemd")
    who = f"systemd {version} does" if known else "the version of systemd is unknown, and 245 does"
    return [
        note(
            "PG710",
            f"{who} not have {', '.join(missing)}: left out of the units",
            known.location if known else None,
            "" if known else "declare `host: {systemd: …}` in prodgen.yaml",
        )
    ]


def _add_targets(plan: Plan, services: list[Service], names: Names, units: _Folder) -> None:
    bench = plain(plan.bench_name.value)
    members: dict[Tier, list[str]] = {}
    for service in services:
        own = members.setdefault(tier_of(service), [])
        own += [*([names.socket] if service.listen else []), *running_units(service)]
    tiers = [tier for tier in Tier if tier in members]
    by_root = plan.systemd.scope.value == "system"
    units.add(
        names.target,
        "bench.target",
        BenchTarget(
            bench=bench,
            file=names.target,
            control=control(plan),
            tiers=[names.tier(tier) for tier in tiers],
            wanted_by="multi-user.target" if by_root else "default.target",
        ),
    )
    for tier in tiers:
        context = TierTarget(
            bench=bench, title=TITLES[tier], bench_target=names.target, wants=members[tier]
        )
        units.add(names.tier(tier), "tier.target", context)
    limits = limit_lines(plan.systemd.resources.get("bench", Resources()))
    units.add(names.slice, "bench.slice", Slice(bench=bench, limits=limits))


def _socket(plan: Plan, service: Service, address: Address, names: Names) -> Socket:
    """The socket that all instances of the web share."""
    by_root = plan.systemd.scope.value == "system"
    group = service.socket_group.value if service.socket_group else ""
    is_path = bool(address.path)
    return Socket(
        bench=plain(plan.bench_name.value),
        listen=listen(address),
        service=names.waiting,
        path=plain(address.path),
        user=plain(service.user.value) if is_path and by_root else "",
        group=plain(group) if is_path and by_root else "",
        mode="0660" if group else "0666",
        backlog=BACKLOG,
    )


def _install_steps(plan: Plan) -> Iterator[str]:
    asked, target = control(plan), quote(names_of(plan).target)
    yield f"    {asked} daemon-reload"
    yield f"    {asked} enable --now {target}"
    if _is_users(plan):
        yield f"    loginctl enable-linger {quote(plan.user.value)}"
    yield ""
    yield f"After a change, `{asked} restart {target}` has everything run with it."


def _is_users(plan: Plan) -> bool:
    return plan.systemd.scope.value == "user"


def _needs_log_folder(plan: Plan) -> bool:
    return plan.systemd.logs.value == "files" and not _is_users(plan)


def _keeps_apps_read_only(plan: Plan) -> bool:
    return Level(plan.systemd.hardening.value) is not Level.OFF


def _production_flags(plan: Plan) -> frozenset[str]:
    """From 16 on Frappe needs none, and with one `bench update` would restart units itself."""
    version = plan.versions.get("frappe")
    is_needed = version is None or version_of(version.value) < LINKS_WITHOUT_PORT
    return frozenset({BY_SYSTEMD} if is_needed else ())


TARGET = Target(
    "systemd",
    "units for systemd, with a target for the bench",
    render_systemd,
    _install_steps,
    is_users=_is_users,
    needs_log_folder=_needs_log_folder,
    production_flags=_production_flags,
    reread="systemctl daemon-reload",
    keeps_apps_read_only=_keeps_apps_read_only,
)
