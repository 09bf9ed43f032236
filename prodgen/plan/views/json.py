"""The plan as JSON data: every value beside its origin, in a form that other programs keep."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePosixPath

from prodgen.plan.core.model import Address, Plan
from prodgen.provenance import Origin, Sourced

FORMAT_VERSION = 1
Json = object


def plan_to_json(plan: Plan) -> dict[str, Json]:
    """The plan as objects, lists, strings and numbers (schema `plan`)."""
    data = to_json(plan)
    assert isinstance(data, dict)  # noqa: S101 - a named tuple gives an object
    return {"format_version": FORMAT_VERSION, **data}


def to_json(value: object) -> Json:
    """A value of the plan's model; a `Sourced` one is `{"value": …, "origin": …}`."""
    if isinstance(value, Sourced):
        return {"value": to_json(value.value), "origin": origin_to_json(value.origin)}
    if isinstance(value, (PurePosixPath, Address)):
        return str(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: to_json(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in sorted(value.items())}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return to_json(value.value) if isinstance(value, Enum) else value


def origin_to_json(origin: Origin) -> dict[str, Json]:
    """The reason for a value, with those behind it."""
    made: dict[str, Json] = {"kind": origin.kind.value, "text": origin.text}
    place = origin.location
    if place:
        made |= {"file": place.file, "line": place.line, "column": place.column}
    if origin.because:
        made["because"] = [origin_to_json(one) for one in origin.because]
    return made
