"""JSON that prodgen prints, held against the schema that it ships for it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema

from prodgen.inputs.schema.check import load_schema


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """What checks data by the shipped schema `name`."""
    return jsonschema.Draft202012Validator(load_schema(name))


def faults(name: str, data: object) -> list[str]:
    """What the schema has against the data: place and reason."""
    return [f"{one.json_path}: {one.message[:300]}" for one in validator(name).iter_errors(data)]


def parse(name: str, text: str) -> Any:
    """The output of a command as data, which must be what the schema says."""
    data = json.loads(text)
    wrong = faults(name, data)
    assert not wrong, "\n".join(wrong)
    return data
