"""Every value of a plan by the topic and the field that `prodgen explain` takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prodgen.plan.core.model import Plan, Service
from prodgen.provenance import Sourced

SECTIONS = ("proxy", "versions", "nginx", "systemd", "supervisor")
"""Parts of the plan that are no service and no site."""

Fields = dict[str, Sourced[object]]


def topics(plan: Plan) -> dict[str, Fields]:
    """The fields of each service, site (by its folder) and section; `plan` has the rest."""
    found = {one.name.value: _of_service(one) for one in plan.services}
    for section in SECTIONS:
        found.setdefault(section, dict(_below(getattr(plan, section))))
    own = {name: value for name, value in plan._asdict().items() if isinstance(value, Sourced)}
    found.setdefault("plan", own)
    for line in plan.lines:
        fields = dict(_below(line))
        found[f"Procfile.{line.name}"] = fields
        service = f"{plan.bench_name.value}-{line.name}"
        if service in found:
            found[service] |= fields
        else:
            found.setdefault(line.name, fields)
    for site in plan.sites:
        found.setdefault(site.folder.value, dict(_below(site)))
    return {name: fields for name, fields in found.items() if fields}


def _of_service(service: Service) -> Fields:
    """Its own fields, and those of its Gunicorn or Redis as if they were its own."""
    return {
        path.removeprefix("gunicorn.").removeprefix("redis."): value
        for path, value in _below(service)
    }


def _below(value: object, path: str = "") -> Iterator[tuple[str, Sourced[object]]]:
    """The sourced values inside `value`: `certificate`, `names[0].name`."""
    if isinstance(value, Sourced):
        yield path, value
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        yield from _below(value._asdict(), path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _below(item, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _below(item, f"{path}[{index}]")
