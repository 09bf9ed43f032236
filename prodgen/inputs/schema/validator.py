"""A JSON Schema as a function that says yes or no.

It knows the keywords that prodgen's own schemas use and no other, so that a good file costs no
import of jsonschema; that one explains a bad file. The tests hold the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Schema = Mapping[str, Any]
Test = Callable[[Any], bool]

ANNOTATIONS = frozenset(
    ["$schema", "$id", "$defs", "title", "description", "default", "examples", "x-expected"]
)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES: Mapping[str, Test] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: _is_number(value) and value == value // 1,
    "number": _is_number,
}


def acceptor(schema: Schema | bool, root: Schema) -> Test:
    """Whether a value fits the schema, whose references point into `root`."""
    return _Compiler(root).compile(schema)


def resolve(reference: str, root: Schema) -> Schema:
    """The schema that a reference like `#/$defs/port` points at."""
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        found = found[part]
    return found  # type: ignore[no-any-return]


def is_equal(one: object, other: object) -> bool:
    """Equality as JSON has it: true is not 1, and 1.0 is."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _anything(_: object) -> bool:
    return True


def _nothing(_: object) -> bool:
    return False


class _Compiler:
    """Turns schemas into tests, a referenced one once. None of ours refers to itself."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.referenced: dict[str, Test] = {}

    def compile(self, schema: Schema | bool) -> Test:
        if isinstance(schema, bool):
            return _anything if schema else _nothing
        tests = [
            self._keyword(keyword, argument, schema)
            for keyword, argument in schema.items()
            if keyword not in ANNOTATIONS
        ]
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def _keyword(self, keyword: str, argument: Any, schema: Schema) -> Test:
        make = getattr(self, f"_{keyword.removeprefix('$')}", None)
        if make is None:
            raise NotImplementedError(f"the keyword {keyword}")
        return make(argument, schema)  # type: ignore[no-any-return]

    def _ref(self, reference: str, _: Schema) -> Test:
        if reference not in self.referenced:
            self.referenced[reference] = _nothing
            self.referenced[reference] = self.compile(resolve(reference, self.root))
        return self.referenced[reference]

    def _anyOf(self, schemas: list[Schema], _: Schema) -> Test:  # noqa: N802
        tests = [self.compile(schema) for schema in schemas]
        return lambda value: any(test(value) for test in tests)

    def _type(self, names: str | list[str], _: Schema) -> Test:
        if isinstance(names, str):
            return TYPES[names]
        tests = [TYPES[name] for name in names]
        return lambda value: any(test(value) for test in tests)

    def _enum(self, values: list[object], _: Schema) -> Test:
        return lambda value: any(is_equal(value, allowed) for allowed in values)

    def _const(self, wanted: object, _: Schema) -> Test:
        return lambda value: is_equal(value, wanted)

    def _pattern(self, pattern: str, _: Schema) -> Test:
        search: Callable[[str], object] | None = None

        def accepts(value: Any) -> bool:
            nonlocal search
            if not isinstance(value, str):
                return True
            search = search or re.compile(pattern).search  # few of them ever meet a string
            return search(value) is not None

        return accepts

    def _minLength(self, least: int, _: Schema) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, str) or len(value) >= least

    def _maxLength(self, most: int, _: Schema) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, str) or len(value) <= most

    def _minimum(self, least: int, _: Schema) -> Test:
        return lambda value: not _is_number(value) or value >= least

    def _maximum(self, most: int, _: Schema) -> Test:
        return lambda value: not _is_number(value) or value <= most

    def _minItems(self, least: int, _: Schema) -> Test:  # noqa: N802
        return lambda value: not isinstance(value, list) or len(value) >= least

    def _items(self, schema: Schema, _: Schema) -> Test:
        test = self.compile(schema)
        return lambda value: not isinstance(value, list) or all(map(test, value))

    def _required(self, names: list[str], _: Schema) -> Test:
        return lambda value: not isinstance(value, dict) or all(name in value for name in names)

    def _propertyNames(self, schema: Schema, _: Schema) -> Test:  # noqa: N802
        test = self.compile(schema)
        return lambda value: not isinstance(value, dict) or all(map(test, value))

    def _properties(self, schemas: Mapping[str, Schema], _: Schema) -> Test:
        @cache  # a file has few of the keys that it might have
        def test_of(name: str) -> Test:
            return self.compile(schemas[name])

        def accepts(value: Any) -> bool:
            if not isinstance(value, dict) or schemas.keys().isdisjoint(value):
                return True
            return all(test_of(name)(item) for name, item in value.items() if name in schemas)

        return accepts

    def _patternProperties(self, schemas: Mapping[str, Schema], _: Schema) -> Test:  # noqa: N802
        tests = [(re.compile(name).search, self.compile(item)) for name, item in schemas.items()]

        def accepts(value: Any) -> bool:
            return not isinstance(value, dict) or all(
                test(item)
                for name, item in value.items()
                for matches, test in tests
                if matches(name)
            )

        return accepts

    def _additionalProperties(self, schema: Schema | bool, beside: Schema) -> Test:  # noqa: N802
        test = self.compile(schema)
        known = beside.get("properties", {})
        patterns = [re.compile(pattern).search for pattern in beside.get("patternProperties", {})]

        def accepts(value: Any) -> bool:
            return not isinstance(value, dict) or all(
                test(item)
                for name, item in value.items()
                if name not in known and not any(matches(name) for matches in patterns)
            )

        return accepts
