"""prodgen.yaml: places, YAML's traps, environments, and every message."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from prodgen.diagnostics import Diagnostic
from prodgen.inputs.core.document import Path
from prodgen.inputs.core.source import Source
from prodgen.inputs.core.values import Values
from prodgen.inputs.settings import parse_settings, parse_yaml
from prodgen.provenance import Kind

LAYERED = """\
web:
  workers: 4
  threads: 2
nginx:
  trusted_proxies: [10.0.0.0/8]
workers:
  pools: {short: 1, long: 2}
environments:
  staging:
    web:
      workers: 2
    nginx:
      trusted_proxies: [192.168.0.0/16]
    workers:
      pools: {short: {count: 3}}
  production:
"""


def settings(text: str, environment: str | None = None) -> tuple[Values, list[Diagnostic]]:
    return parse_settings(Source("prodgen.yaml", text), environment)


def test_values_and_their_origin() -> None:
    values, found = settings("version: 1\nweb:\n  workers: 4\n  port: '8001'\nmanager: systemd\n")
    assert found == []
    workers = values.integer("web", "workers")
    assert workers is not None
    assert workers.value == 4
    assert workers.origin.kind is Kind.SETTINGS
    assert workers.origin.text == "web.workers in prodgen.yaml"
    assert str(workers.location) == "prodgen.yaml:3:12"
    assert [v and v.value for v in (values.integer("web", "port"), values.text("manager"))] == [
        8001,
        "systemd",
    ]


@pytest.mark.parametrize(
    "text", ["", "\n", "# a comment\n", "---\n", "web:\nworkers:\nenv:\n", "{}"]
)
def test_nothing_is_set(text: str) -> None:
    values, found = settings(text)
    assert found == []
    assert values.integer("web", "workers") is None
    assert values.table("env") == {}


@pytest.mark.parametrize(
    ("path", "value", "origin", "place"),
    [
        (("web", "workers"), 2, "environments.staging.web.workers", "11:16"),
        (("web", "threads"), 2, "web.threads", "3:12"),
        (("workers", "pools", "short", "count"), 3, None, "15:30"),
        (("workers", "pools", "long"), 2, "workers.pools.long", "7:27"),
    ],
)
def test_each_value_keeps_the_place_of_its_layer(
    path: Path, value: int, origin: str | None, place: str
) -> None:
    values, found = settings(LAYERED, "staging")
    assert found == []
    sourced = values.integer(*path)
    assert sourced is not None
    assert sourced.value == value
    assert str(sourced.location) == f"prodgen.yaml:{place}"
    assert origin is None or sourced.origin.text == f"{origin} in prodgen.yaml"


def test_lists_are_replaced_and_an_empty_environment_changes_nothing() -> None:
    staging, _ = settings(LAYERED, "staging")
    production, found = settings(LAYERED, "production")
    assert found == []
    assert staging.items("nginx", "trusted_proxies") == ["192.168.0.0/16"]
    assert production.items("nginx", "trusted_proxies") == ["10.0.0.0/8"]
    place = staging.sourced("", "nginx", "trusted_proxies", 0).location
    assert str(place) == "prodgen.yaml:13:25"


def test_null_in_an_environment_unsets() -> None:
    values, found = settings("web: {workers: 4}\nenvironments: {s: {web: {workers: }}}", "s")
    assert found == []
    assert values.integer("web", "workers") is None


@pytest.mark.parametrize(
    ("environment", "way_out"),
    [
        ("stagin", "did you mean `staging`? There are: staging, production"),
        ("x", "there are: staging, production"),
    ],
)
def test_unknown_environment(environment: str, way_out: str) -> None:
    values, found = settings(LAYERED, environment)
    assert [(one.code, str(one.location), one.help) for one in found] == [
        ("PG406", "prodgen.yaml:8:1", way_out)
    ]
    assert values == Values()
    assert settings("web:", "x")[1][0].help == "add it under `environments:`, or leave --env out"


def test_all_environments_are_checked_whichever_is_chosen() -> None:
    text = "environments:\n  a: {web: {workers: 0}}\n  b: {wbe: 1}\n"
    found = settings(text, "a")[1]
    assert {str(one.location) for one in found} == {"prodgen.yaml:2:22", "prodgen.yaml:3:7"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"), ("no", "no"), ("on", "on"), ("y", "y"), ("12:30", "12:30"),
        ("2001-01-01", "2001-01-01"), ("0777", 777), ("0o17", 15), ("0x1f", 31), ("1_000", "1_000"),
        ("true", True), ("FALSE", False), ("~", None), ("", None), ("null", None), ("1.5", 1.5),
        ("1e3", 1000.0), ("15.72.4", "15.72.4"), ("'8000'", "8000"), ("=", "="), ("+5", 5),
        ("!!str 8000", "8000"), ("!!int '8'", 8), ("[1, a]", [1, "a"]), ("{a: }", {"a": None}),
    ],
)  # fmt: skip
def test_scalars_of_yaml_1_2(text: str, value: object) -> None:
    document, found = parse_yaml(Source("prodgen.yaml", f"a: {text}\n"))
    assert found == []
    assert document is not None
    assert document.data == {"a": value}
    assert type(document.data["a"]) is type(value)


def test_anchors_and_merge_keys() -> None:
    text = (
        "x-a: &a {workers: 1, threads: 2}\nx-b: &b {threads: 3, port: 8001}\n"
        "web:\n  <<: [*a, *b]\n  workers: 5\nrealtime: {port: 9000}\n"
    )
    values, found = settings(text)
    assert found == []
    assert values.table("web") == {"workers": 5, "threads": 2, "port": 8001}
    threads, port = values.integer("web", "threads"), values.integer("web", "port")
    assert threads is not None
    assert port is not None
    assert [str(threads.location), str(port.location)] == ["prodgen.yaml:1:31", "prodgen.yaml:2:28"]


def test_merges_of_merges() -> None:
    text = "x-a: &a {workers: 1}\nx-b: &b\n  <<: *a\n  threads: 2\nweb:\n  <<: *b\n"
    assert settings(text)[0].table("web") == {"workers": 1, "threads": 2}


BILLION = "x-a: &a [l,l,l,l,l,l,l,l,l]\n" + "".join(
    f"x-{chr(98 + n)}: &{chr(98 + n)} [{','.join(9 * ['*' + chr(97 + n)])}]\n" for n in range(8)
)
MERGED = "x-a: &a {k: 1}\n" + "".join(
    f"x-{chr(98 + n)}: &{chr(98 + n)} {{<<: [{','.join(9 * ['*' + chr(97 + n)])}]}}\n"
    for n in range(8)
)


@pytest.mark.parametrize(
    ("text", "code", "place", "message"),
    [
        (BILLION, "PG407", None, "more than 20,000 values once every alias is followed"),
        (MERGED, "PG407", None, "more than 20,000 values once every alias is followed"),
        ("a: &a [*a]", "PG407", "1:4", "more than 32 levels inside each other"),
        ("a: &a {b: *a}", "PG407", None, "more than 32 levels inside each other"),
        ("a: &a {<<: *a}", "PG407", None, "more than 32 levels inside each other"),
        ("[" * 5000, "PG407", "1:1", "more than 32 levels inside each other"),
        ("a: " + "{a: " * 50 + "}" * 50, "PG407", None, "more than 32 levels inside each other"),
        ("web: [", "PG402", "1:6", "a bracket that nothing closes"),
        ("web:\n\tworkers: 4", "PG402", "2:1", "a tab where YAML wants blanks"),
        ("a: b: c", "PG402", "1:5", "a colon where none can stand"),
        ("a: 'x", "PG402", "1:4", "a quote that nothing closes"),
        ("a: {b: 1", "PG402", None, "a comma or a closing bracket is missing"),
        ("a: 1\nb\nc: 2", "PG402", None, "a key without its colon"),
        ("web:\nworkers: {}\n  stop_cap: 3", "PG402", "3:3", "this stands at another depth"),
        ("a: *b", "PG402", "1:4", "an alias for an anchor that is not there"),
        ("a: &x 1\nb: &x 2", "PG402", "2:4", "an anchor of this name stands above"),
        ("a: @x", "PG402", "1:4", "a character that cannot begin a value"),
        ('a: "\\q"', "PG402", "1:6", "a backslash that starts no escape"),
        ("a: 1\n---\nb: 2", "PG402", "2:1", "a second document"),
        ("a: \x00", "PG402", "1:4", "a control character (U+0000)"),
        ('a: "\\U00110000"', "PG402", "1:5", "an escape beyond Unicode"),
        ('a: "\\UFFFFFFFF"', "PG402", "1:5", "an escape beyond Unicode"),
        ('a: "\\ud800"', "PG407", "1:4", "half a character"),
        ("a: .inf", "PG407", "1:4", "`.inf` is no number that a setting can have"),
        ("a: 1.0e999", "PG407", "1:4", "is no number that a setting can have"),
        ("a: !!int x", "PG407", "1:4", "`x` is no whole number"),
        ("a: !!bool x", "PG407", "1:4", "`x` is neither true nor false"),
        ("a: !!python/object:os.system x", "PG407", "1:4", "the tag !!python/object:os.system"),
        ("a: !secret x", "PG407", "1:4", "the tag !secret"),
        ("a: !!map x", "PG407", "1:4", "the tag !!map"),
        ("a: !!str {b: c}", "PG407", "1:4", "the tag !!str"),
        ("a: !!set {b}", "PG407", "1:4", "the tag !!set"),
        ("1: 2", "PG407", "1:1", "a key that is no string"),
        ("? [a]\n: b", "PG407", "1:3", "a key that is no string"),
        ("a:\n  <<: 3", "PG407", "2:7", "`<<` takes an object"),
        ("a: 1\nb:\n  c: 1\n  c: 2", "PG403", "4:3", "the key `b.c` stands here a second time"),
        ("a: 1\n'a': 2", "PG403", "2:1", "the key `a` stands here a second time"),
    ],
)  # fmt: skip
def test_yaml(text: str, code: str, place: str | None, message: str) -> None:
    started = time.process_time()
    document, found = parse_yaml(Source("prodgen.yaml", text))
    assert time.process_time() - started < 30
    assert document is None
    assert found[0].code == code
    assert message in found[0].message
    assert place is None or str(found[0].location) == f"prodgen.yaml:{place}"


@pytest.mark.parametrize(
    ("text", "code", "place", "message", "way_out"),
    [
        ("wokers: 4", "PG405", "1:1", "unknown setting `wokers`", "did you mean `workers`?"),
        ("web: {wrkers: 2}", "PG405", "1:7", "unknown setting `web.wrkers`", "`workers`?"),
        ("gunicorn_workers: 3", "PG405", "1:1", "`gunicorn_workers`", "that is `web.workers`"),
        ("hardening: off", "PG405", "1:1", "`hardening`", "it is known as `systemd.hardening`"),
        ("web: {qqq: 2}", "PG405", "1:7", "`web.qqq`", "known here: bind, instances"),
        ("environments: {s: {version: 1}}", "PG405", "1:20", "`environments.s.version`", "known"),
        ("web: {x-a: 2}", "PG405", "1:7", "unknown setting `web.x-a`", ""),
        ("web: 3", "PG404", "1:6", "web is 3", "expected an object"),
        ("web: {workers: four}", "PG404", "1:16", 'web.workers is "four"', "1 or more"),
        ("version: 2", "PG404", "1:10", "version is 2", "expected 1"),
        ("manager: upstart", "PG404", "1:10", '"upstart"', '"supervisor" or "systemd"'),
        ("bench_name: -x", "PG404", "1:13", '"-x"', "a name of letters"),
        ("bench_name: 'x\n\n  '", "PG404", "1:13", "bench_name is", "a name of letters"),
        ("host: {path: rel}", "PG404", "1:14", '"rel"', "an absolute path"),
        ("host: {node: /usr/../node}", "PG404", "1:14", "/usr/../node", "without `..`"),
        (
            "logging: {folder: /var/log/../../etc/logrotate.d}",
            *("PG404", "1:19", "logging.folder is", "without `..`"),
        ),
        ("systemd: {read_only_paths: [/a/./b]}", "PG404", "1:29", "/a/./b", "without `..`"),
        ("host: {frappe: 15.10}", "PG404", "1:16", "host.frappe is 15.1", "in quotes"),
        ("host: {memory: 4 apples}", "PG404", "1:16", '"4 apples"', "with K, M, G or T"),
        ("env: {A: true}", "PG404", "1:10", "env.A is true", "put true, false"),
        ("env: {A: }", "PG404", "1:9", "env.A is null", "an empty one in quotes"),
        ("env: {A-B: x}", "PG404", "1:7", "`A-B` cannot be a key of env", "a variable's name"),
        ("sites: [a]", "PG404", "1:8", "sites is a list", "{SITE: {…}}"),
        ("sites: {a/b: }", "PG404", "1:9", "`a/b` cannot be a key of sites", "a site's name"),
        ("workers: {pools: {a b: 1}}", "PG404", "1:19", "`a b` cannot be a key", "a queue's name"),
        (
            "workers: {pools: {a: -1}}",
            "PG404",
            "1:22",
            "workers.pools.a is -1",
            "number of workers",
        ),
        ("workers: {pools: {a: {count: -1}}}", "PG404", "1:30", "a.count is -1", "0 or more"),
        ("workers: {pools: {a: {cnt: 1}}}", "PG405", "1:23", "`workers.pools.a.cnt`", "`count`?"),
        ("processes: {x: true}", "PG404", "1:16", "processes.x is true", "expected false, or"),
        ("processes: {x: {command: 3}}", "PG404", "1:26", "processes.x.command is 3", "a string"),
        ("[1]", "PG404", "1:1", "the file holds a list", "expected settings"),
        ("hello", "PG404", "1:1", 'the file holds "hello"', "expected settings"),
        ("env: {DB_PASSWORD: hunter2}", "PG408", "1:7", "env.DB_PASSWORD looks like", "env_file"),
        ("environments: {s: {env: {A_TOKEN: x}}}", "PG408", "1:26", "s.env.A_TOKEN", "env_file"),
    ],
)
def test_settings(text: str, code: str, place: str, message: str, way_out: str) -> None:
    _, found = settings(text)
    assert [(one.code, str(one.location)) for one in found] == [(code, f"prodgen.yaml:{place}")]
    assert message in found[0].message
    assert way_out in found[0].help
    assert "hunter2" not in repr(found)


def test_own_keys_at_the_top() -> None:
    assert settings("x-mine: {a: [1, {b: c}]}\nx-: 1")[1] == []


@pytest.mark.parametrize("word", ["false", "no", "off", "'no'"])
def test_a_process_is_left_out(word: str) -> None:
    values, found = settings(f"processes: {{watch: {word}}}\nsystemd: {{hardening: off}}")
    assert found == []
    assert values.table("processes")["watch"] is False
    hardening = values.text("systemd", "hardening")
    assert hardening is not None
    assert hardening.value == "off"


PRINTABLE = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(PRINTABLE, max_size=9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abc:-' #é", max_size=4), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.text("ab", min_size=1), DATA), st.booleans())
def test_what_yaml_writes_is_read_back(data: dict[str, object], flow: bool) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow)
    document, found = parse_yaml(Source("prodgen.yaml", text))
    assert found == []
    assert document is not None
    assert document.data == data
    for path, span in document.spans.items():
        assert 0 <= span.key_start <= span.key_end <= len(text)
        value: object = data
        for part in path:
            value = value[part]  # type: ignore[index]
        if isinstance(value, int) and not isinstance(value, bool):
            assert text[span.start : span.end] == str(value)


@pytest.mark.parametrize("value", ["1", "100", "10000", '"50"', "null"])
def test_a_cpu_weight(value: str) -> None:
    _, found = settings(f"resources: {{worker: {{cpu_weight: {value}}}}}")
    assert found == []


@pytest.mark.parametrize("value", ["0", "10001", '"0"', '"20000"', "1.5"])
def test_a_cpu_weight_that_systemd_refuses(value: str) -> None:
    """systemd.resource-control(5): 1 to 10000."""
    _, found = settings(f"resources: {{worker: {{cpu_weight: {value}}}}}")
    assert [(one.code, str(one.location)) for one in found] == [("PG404", "prodgen.yaml:1:34")]
    assert found[0].help == "expected a whole number from 1 to 10000"
