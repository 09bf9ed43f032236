"""Every setting that can name a path has a row that says who opens it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from prodgen.deploy.privilege.places import SETTINGS
from prodgen.inputs.schema.check import FOLDER

PATHS = ("/a/b", "unix:/a/b", "../a", "a/../b")
BRANCHES = ("anyOf", "oneOf", "allOf")
Schema = Mapping[str, Any]


class Walk:
    """A walk through one schema."""

    def __init__(self, root: Schema) -> None:
        self.root = root

    def takes_path(self, schema: object) -> bool:
        check = Draft202012Validator({"$defs": self.root.get("$defs", {}), "anyOf": [schema]})
        return any(check.is_valid(path) for path in PATHS)

    def ways(self, schema: Schema, way: str = "") -> Iterator[str]:
        """The way to each setting, or name of one, that takes something like a path."""
        if "$ref" in schema:
            target: Any = self.root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            yield from self.ways(target, way)
        elif "properties" in schema or isinstance(schema.get("additionalProperties"), Mapping):
            yield from self._of_object(schema, way)
        elif "items" in schema:
            yield from self.ways(schema["items"], f"{way}[]")
        elif branches := [one for key in BRANCHES for one in schema.get(key, ())]:
            for branch in branches:
                yield from self.ways(branch, way)
        elif way and self.takes_path(schema):
            yield way

    def _of_object(self, schema: Schema, way: str) -> Iterator[str]:
        dot = f"{way}." if way else ""
        for name, inner in schema.get("properties", {}).items():
            yield from self.ways(inner, f"{dot}{name}")
        inner = schema.get("additionalProperties")
        if isinstance(inner, Mapping):
            if self.takes_path(schema.get("propertyNames", {})):
                yield f"{way}{{}}"
            yield from self.ways(inner, f"{dot}*")


def named_paths(root: Schema) -> Iterator[str]:
    yield from Walk(root).ways(root)


def expected(name: str) -> set[str]:
    schema = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    # an environment holds the same settings again
    return {way for way in named_paths(schema) if not way.startswith("environments.")}


@pytest.mark.parametrize("name", ["prodgen", "common_site_config", "site_config"])
def test_each_path_setting_has_a_row(name: str) -> None:
    assert expected(name) == set(SETTINGS[name])


@pytest.mark.parametrize("name", SETTINGS)
def test_what_root_opens_has_a_rule(name: str) -> None:
    for way, place in SETTINGS[name].items():
        assert "root" not in place.opened_by or place.rule, way


def test_the_walk_sees_a_new_setting() -> None:
    """It must not pass by a setting that somebody adds."""
    schema = {
        "properties": {
            "a": {"properties": {"dump": {"type": "string"}, "count": {"type": "integer"}}},
            "list": {"type": "array", "items": {"$defs": {}, "type": "string", "pattern": "^/"}},
            "words": {"enum": ["on", "off"]},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        }
    }
    assert set(named_paths(schema)) == {"a.dump", "list[]", "map{}"}
