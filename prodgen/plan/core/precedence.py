"""Choosing between sources: the strongest that says something decides (architecture.md)."""

from __future__ import annotations

from typing import Any, TypeVar

from prodgen.inputs.core.values import Values
from prodgen.plan.core.options import NginxOptions, Resources, SupervisorOptions, SystemdOptions
from prodgen.provenance import Sourced

T = TypeVar("T")
Options = TypeVar("Options", NginxOptions, SupervisorOptions, SystemdOptions)


def first_given(*candidates: Sourced[T] | None, fallback: Sourced[T]) -> Sourced[T]:
    """The first candidate that is not None (strongest source first), else the fallback."""
    return next((found for found in candidates if found is not None), fallback)


def options_from(settings: Values, section: str, options: type[Options]) -> Options:
    """The options of one target: each field that `section` of prodgen.yaml names, else its default.

    The schema has made sure that the values are of the fields' types.
    """
    given: dict[str, Any] = {}
    for name in options._fields:
        value = settings.table(section).get(name)
        if value is not None and not isinstance(value, dict):
            plain = tuple(value) if isinstance(value, list) else value
            given[name] = settings.sourced(plain, section, name)
    return options(**given)


def resources_from(settings: Values) -> dict[str, Resources]:
    """The limits by role; a role without any is left out."""
    found = {}
    for role, limits in settings.table("resources").items():
        given = {
            name: settings.integer("resources", role, name)
            for name in (limits if isinstance(limits, dict) else ())
        }
        if given:
            found[role] = Resources(**given)
    return found
