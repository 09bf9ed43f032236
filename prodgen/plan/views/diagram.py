"""The stack at a glance: boxes in columns, and who asks whom. No format yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prodgen.plan.core.model import Plan, Role, Service
from prodgen.plan.views.labels import stem, what_runs

NGINX = "nginx"
SITES = "sites"
MOST_SITES = 8
"""Sites that are named; the others are counted."""
WIDEST = 34
"""Characters of a line."""
COLUMNS = {
    Role.WEB: 2,
    Role.REALTIME: 2,
    Role.CACHE: 3,
    Role.QUEUE: 3,
    Role.SCHEDULER: 4,
    Role.WORKER: 4,
    Role.OTHER: 4,
}
ASKS = {
    Role.WEB: (Role.CACHE, Role.QUEUE),
    Role.REALTIME: (Role.QUEUE,),
    Role.SCHEDULER: (Role.QUEUE,),
    Role.WORKER: (Role.QUEUE,),
}
"""Whom a service talks to all the time; the cache is used by all of Frappe, shown for the web."""


class Box(NamedTuple):
    """One thing that is there: a heading and a few lines."""

    key: str
    kind: str
    column: int
    head: str
    lines: tuple[str, ...]
    mark: str = ""
    """What a change does to it; empty where nothing."""


class Picture(NamedTuple):
    """Boxes in the order of their columns, and pairs of keys: who asks whom."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[tuple[str, str], ...]


def picture(plan: Plan, marks: Mapping[str, str] | None = None) -> Picture:
    """The picture of a plan; `marks` are words for services by name, and for `nginx`."""
    marks = marks or {}
    boxes = [*_front(plan, marks), *(_box(plan, one, marks) for one in plan.services)]
    title = f"{plan.bench_name.value}, under {plan.manager.value.title}"
    return Picture(title, tuple(sorted(boxes, key=_column)), tuple(_arrows(plan)))


def _column(box: Box) -> int:
    return box.column


def _front(plan: Plan, marks: Mapping[str, str]) -> Iterator[Box]:
    """The sites and the proxy before them, where there is a web tier."""
    if plan.proxy is None:
        return
    names = [site.folder.value for site in plan.sites]
    more = len(names) - MOST_SITES
    shown = [*names[:MOST_SITES], *([f"and {more} more"] if more > 0 else [])]
    yield Box(SITES, SITES, 0, "Sites", tuple(_cut(one) for one in shown or ["none yet"]))
    secure = any(name.certificate for site in plan.sites for name in site.names)
    ports = sorted({site.port.value for site in plan.sites} | ({443} if secure else set()))
    listens = f"port{'s'[: len(ports) > 1]} {', '.join(map(str, ports))}" if ports else "no site"
    yield Box(NGINX, NGINX, 1, "nginx", (listens,), marks.get(NGINX, ""))


def _box(plan: Plan, service: Service, marks: Mapping[str, str]) -> Box:
    count = service.instances.value
    head = f"{stem(plan, service)}{f' × {count}' if count != 1 else ''}"
    lines = [what_runs(plan, service)]
    if service.address:
        lines.append(str(service.address.value))
    lines.append(f"ends within {service.stop.value.seconds} s")
    role = service.role.value
    return Box(
        service.name.value,
        role.value,
        COLUMNS[role],
        _cut(head),
        tuple(map(_cut, lines)),
        marks.get(service.name.value, ""),
    )


def _cut(text: str) -> str:
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain if len(plain) <= WIDEST else f"{plain[: WIDEST - 1]}…"


def _arrows(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.proxy:
        yield SITES, NGINX
        yield from ((NGINX, one.name.value) for one in plan.with_role(Role.WEB, Role.REALTIME))
    for service in plan.services:
        for other in plan.with_role(*ASKS.get(service.role.value, ())):
            yield service.name.value, other.name.value
