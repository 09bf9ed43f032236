"""The schemas: as loose as Frappe, the same in every file, and exact about what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodgen.diagnostics import Diagnostic
from prodgen.inputs.core.document import Document
from prodgen.inputs.core.source import Source
from prodgen.inputs.json.parser import parse_json
from prodgen.inputs.schema import check as schema
from prodgen.inputs.schema.validator import acceptor
from tests.support.plans import FIXTURES

FILES = ["common_site_config", "prodgen", "site_config"]
"""Of what prodgen reads."""
OUTPUTS = [
    "adopt",
    "diagnostics",
    "diff",
    "doctor",
    "events",
    "manifest",
    "plan",
    "review",
    "status",
    "verify",
]
"""Of the JSON that prodgen prints."""


def document(data: object) -> Document:
    found, faults = parse_json(Source("f.json", json.dumps(data)))
    assert found is not None, faults
    return found


def check(data: object, name: str = "common_site_config") -> list[Diagnostic]:
    return schema.check(document(data), name)


def normal(data: object, name: str = "common_site_config") -> dict[str, Any]:
    return schema.normalise(document(data), name)


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a schema."""
    if isinstance(node, dict):
        yield node
        for below in node.values():
            yield from walk(below)
    elif isinstance(node, list):
        for below in node:
            yield from walk(below)


def properties(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in walk(schema.load_schema(name)):
        if node.get("type") in ("object", ["object", "null"]):
            yield from node.get("properties", {}).items()


def test_names() -> None:
    assert schema.schema_names() == sorted(FILES + OUTPUTS)


@pytest.mark.parametrize("name", FILES + OUTPUTS)
class TestEverySchema:
    def test_is_a_schema_of_2020_12(self, name: str) -> None:
        found = schema.load_schema(name)
        assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert found["$id"] == f"urn:prodgen:{name}"
        jsonschema.Draft202012Validator.check_schema(found)

    def test_every_property_has_a_title_and_a_description(self, name: str) -> None:
        for key, found in properties(name):
            if found.get("$ref", "").startswith("#/properties/"):
                continue
            assert found.get("title"), key
            assert found.get("description", "").endswith("."), key

    def test_examples_and_defaults_are_valid(self, name: str) -> None:
        root = schema.load_schema(name)
        whole = jsonschema.Draft202012Validator(root)
        for key, found in properties(name):
            accepts = whole.evolve(schema=found).is_valid
            assert all(map(accepts, found.get("examples", []))), key
            assert "default" not in found or accepts(found["default"]), key


@pytest.mark.parametrize("name", FILES)
def test_every_choice_says_what_it_expects(name: str) -> None:
    """Which a message about a wrong value quotes; outputs draw none."""
    for node in walk(schema.load_schema(name)):
        if "anyOf" in node or "enum" in node:
            assert node.get("x-expected"), node


@pytest.mark.parametrize("name", OUTPUTS)
class TestEveryOutput:
    def test_every_value_has_an_example(self, name: str) -> None:
        for key, found in properties(name):
            has_parts = "$ref" in found or found.get("type") == "array"
            assert found.get("examples") or has_parts, key

    def test_every_object_is_closed(self, name: str) -> None:
        for node in walk(schema.load_schema(name)):
            if node.get("type") == "object" and "properties" in node:
                assert node["additionalProperties"] is False, node


def test_definitions_are_equal_across_files() -> None:
    seen: dict[str, object] = {}
    for name in FILES:
        for key, found in schema.load_schema(name)["$defs"].items():
            assert seen.setdefault(key, found) == found, key


def test_an_environment_may_set_everything_but_version_and_environments() -> None:
    found = schema.load_schema("prodgen")
    environment = found["$defs"]["environment"]["properties"]
    assert set(found["properties"]) - set(environment) == {"version", "environments"}


def test_a_site_in_settings_has_the_keys_of_its_own_file() -> None:
    own = schema.load_schema("site_config")["properties"]
    declared = schema.load_schema("prodgen")["properties"]["sites"]["additionalProperties"]
    for key, found in declared["properties"].items():
        assert found["$ref"] == own[key]["$ref"]


INTEGERS = [(8000, 8000), ("8000", 8000), (" 8000 ", 8000), (8000.0, 8000), (8e3, 8000)]
FLAGS = [
    (True, True), (1, True), ("1", True), ("true", True), ("on", True), ("Yes", True), (2, True),
    (False, False), (0, False), ("0", False), ("false", False), ("OFF", False), ("", False),
]  # fmt: skip


@pytest.mark.parametrize(("given", "meant"), INTEGERS)
def test_loose_integers(given: object, meant: int) -> None:
    for key in ("webserver_port", "gunicorn_workers", "http_timeout", "background_workers"):
        assert check({key: given}) == []
        assert normal({key: given}) == {key: meant}
        assert type(normal({key: given})[key]) is int


@pytest.mark.parametrize(("given", "meant"), FLAGS)
def test_loose_flags(given: object, meant: bool) -> None:
    for key in ("restart_supervisor_on_update", "dns_multitenant", "developer_mode"):
        assert check({key: given}) == []
        assert normal({key: given})[key] is meant


def test_null_is_absent() -> None:
    for name in ("common_site_config", "site_config"):
        for key in schema.load_schema(name)["properties"]:
            assert check({key: None}, name) == []
            assert normal({key: None}, name) == {key: None}


def test_normalised_to_the_depth() -> None:
    data = {"workers": {"email": {"timeout": "600", "background_workers": 2.0}, "x": None}}
    workers = normal(data)["workers"]
    assert workers == {"email": {"timeout": 600, "background_workers": 2}, "x": None}
    assert normal({"queues": ["a"]}) == {"queues": ["a"]}
    assert normal({"queues": {"a": {"background_workers": "2"}}})["queues"]["a"] == {
        "background_workers": 2
    }
    assert normal({"other": {"timeout": "600"}}) == {"other": {"timeout": "600"}}


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("4G", 4 * 1024**3),
        ("512M", 512 * 1024**2),
        ("1.5 g", 1610612736),
        ("2048", 2048),
        ("1KiB", 1024),
        ("3kb", 3072),
        (8589934592, 8589934592),
    ],
)
def test_memory(size: object, count: int) -> None:
    assert check({"host": {"memory": size}}, "prodgen") == []
    assert normal({"host": {"memory": size}}, "prodgen") == {"host": {"memory": count}}


@pytest.mark.parametrize(
    ("data", "name", "place", "message", "expected"),
    [
        ({"gunicorn_workers": 0}, 0, "1:22", "gunicorn_workers is 0", "1 or more"),
        ({"gunicorn_workers": -1}, 0, "1:22", "gunicorn_workers is -1", "1 or more"),
        ({"gunicorn_workers": "four"}, 0, "1:22", 'gunicorn_workers is "four"', "1 or more"),
        ({"gunicorn_workers": 1.5}, 0, "1:22", "gunicorn_workers is 1.5", "whole number"),
        ({"gunicorn_workers": True}, 0, "1:22", "gunicorn_workers is true", "whole number"),
        ({"webserver_port": 65536}, 0, "1:20", "webserver_port is 65536", "from 1 to 65535"),
        ({"webserver_port": "0"}, 0, "1:20", 'webserver_port is "0"', "from 1 to 65535"),
        ({"webserver_port": [80]}, 0, "1:20", "webserver_port is a list", "a port"),
        ({"http_timeout": 10**16}, 0, "1:18", f"http_timeout is {10**16}", "whole number"),
        ({"socketio_backend": "bun"}, 0, "1:22", 'is "bun"', '"node" or "python"'),
        ({"frappe_user": "a\n"}, 0, "1:17", 'frappe_user is "a\\n"', "without control characters"),
        ({"workers": {"e": {"timeout": "x"}}}, 0, "1:31", 'workers.e.timeout is "x"', "1 or more"),
        ({"workers": {"short": 1}}, 0, "1:23", "workers.short is 1", '{"timeout": SECONDS'),
        ({"workers": [1]}, 0, "1:13", "workers is a list", "an object"),
        ({"queues": {"e": {"background_workers": -1}}}, 0, "1:41", "is -1", "0 or more"),
        ({"queues": [1]}, 0, "1:13", "queues[0] is 1", "a string"),
        ({"queues": "email"}, 0, "1:12", 'queues is "email"', "a list of names, or an object"),
        ({"wildcard": {"ssl_certificate": "x"}}, 0, "1:14", "wildcard lacks `domain`", "an object"),
        ({"wildcard": "*.x"}, 0, "1:14", 'wildcard is "*.x"', "an object"),
        ([], 0, "1:1", "the file holds []", "an object: {…}"),
        (3, 0, "1:1", "the file holds 3", "an object: {…}"),
        ({"domains": "x.org"}, 1, "1:13", 'domains is "x.org"', "a list of domains"),
        ({"domains": [{"domain": 1}]}, 1, "1:25", "domains[0].domain is 1", "a domain, like"),
        ({"domains": [3]}, 1, "1:14", "domains[0] is 3", "a domain, or"),
        ({"nginx_port": "x" * 99}, 1, "1:16", f'nginx_port is "{"x" * 56}…', "a port"),
    ],
)
def test_wrong_values(data: object, name: int, place: str, message: str, expected: str) -> None:
    found = check(data, ["common_site_config", "site_config"][name])
    assert [one.code for one in found] == [["PG204", "PG304"][name]]
    assert str(found[0].location) == f"f.json:{place}"
    assert message in found[0].message
    assert expected in found[0].help


def test_all_wrong_values_at_once() -> None:
    found = check({"webserver_port": 0, "workers": {"a": {"timeout": 0}, "b": 1}, "redis_cache": 3})
    assert len(found) == 4


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("developerr_mode", "developer_mode"),
        ("pause_sheduler", "pause_scheduler"),
        ("webserver-port", "webserver_port"),
        ("gunicorn_worker", "gunicorn_workers"),
        ("http_port", None),
        ("db_name", None),
        ("my_own_key", None),
        ("", None),
        ("w" * 10_000, None),
    ],
)
def test_near_misses(key: str, near: str | None) -> None:
    found = schema.near_misses(document({key: 1}), "common_site_config")
    assert [(one.code, one.message, one.help) for one in found] == (
        [("PG205", f"unknown key `{key}`", f"did you mean `{near}`?")] if near else []
    )


@pytest.mark.parametrize("name", ["common_site_config", "site_config"])
def test_what_bench_writes_is_compared_with_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which would load difflib at each start."""
    pattern = "sites/*/site_config.json" if name == "site_config" else f"sites/{name}.json"
    (path, *_) = (FIXTURES / "frappe-16/frappe-bench").glob(pattern)
    monkeypatch.setattr(schema, "nearest", pytest.fail)
    schema._near_miss.cache_clear()
    data = json.loads(path.read_text())
    assert data
    assert schema.near_misses(document(data), name) == []


def test_no_near_miss_of_a_key_that_is_there() -> None:
    both = {"developer_mode": 1, "developerr_mode": 1}
    assert schema.near_misses(document(both), "common_site_config") == []
    assert schema.near_misses(document([]), "common_site_config") == []


INNER_KEYS = st.sampled_from(["timeout", "domain", "a", "", "a b", "count", "queues"])
VALUES = st.recursive(
    st.sampled_from(
        [
            None,
            True,
            False,
            0,
            1,
            -1,
            80,
            8000.0,
            1.5,
            1e300,
            65536,
            10**15,
            10**400,
            "",
            "80",
            " 7 ",
            "on",
            "x",
            "4G",
            "/a",
            "a b",
            "a\n",
            "1\n",
            "node",
            "off",
            "1.2",
            "\x00",
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER_KEYS, inner),
    max_leaves=5,
)


def objects(name: str) -> st.SearchStrategy[Any]:
    """Objects with the keys of a schema, at every depth, and values of any kind."""
    keys = sorted({key for key, _ in properties(name)} | {"x-a", "wokers", "staging", "a.org", ""})
    inner = st.dictionaries(st.sampled_from(keys), VALUES, max_size=3)
    outer = st.dictionaries(st.sampled_from(keys), VALUES | inner, max_size=4)
    return st.one_of(VALUES, outer, outer.map(lambda data: {"environments": {"staging": data}}))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_the_quick_answer_is_that_of_jsonschema(name: str) -> None:
    root = schema.load_schema(name)
    slow, quick = jsonschema.Draft202012Validator(root), acceptor(root, root)

    @settings(max_examples=400)
    @given(objects(name))
    def agree(data: Any) -> None:
        assert quick(data) == slow.is_valid(data)
        found = schema.check(Document(Source("f", ""), data, lambda _: {}), name)
        assert bool(found) != quick(data)
        if not found and isinstance(data, dict):
            schema.normalise(Document(Source("f", ""), data, lambda _: {}), name)

    agree()


EVERY_KIND = [None, True, 0, 1, -1, 80.0, 1.5, "", "8", "x y", "a\n", [], [1], {}, {"a": 1}]


@pytest.mark.parametrize("name", FILES)
def test_the_quick_answer_per_property(name: str) -> None:
    """Each property alone with every kind of value, which random objects rarely reach."""
    root = schema.load_schema(name)
    for key, found in properties(name):
        alone = {**root, "properties": {**root["properties"], "alone": found}}
        slow = jsonschema.Draft202012Validator(alone)
        quick = acceptor(found, root)
        for value in EVERY_KIND:
            assert quick(value) == slow.is_valid({"alone": value}), (key, value)


def test_an_unknown_keyword_is_a_bug() -> None:
    with pytest.raises(NotImplementedError, match="multipleOf"):
        acceptor({"multipleOf": 2}, {})
