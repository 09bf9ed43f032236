"""A bench as a whole: broken sites are left out, and prodgen.yaml has the last word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prodgen.diagnostics import Diagnostic
from prodgen.inputs.bench import Bench, parse_bench
from prodgen.inputs.bench_files import BenchFiles, SiteFolder
from prodgen.inputs.core.document import Path as KeyPath
from prodgen.inputs.core.source import Source
from prodgen.inputs.reader import read_bench
from prodgen.inputs.schema import check as schema
from prodgen.plan.core.options import NginxOptions, Resources, SupervisorOptions, SystemdOptions
from prodgen.provenance import Kind
from tests.support.corpus import corpus, needs_corpus

PROCFILE = Source("Procfile", "web: bench serve\n")


def bench_of(
    *,
    procfile: Source | None = PROCFILE,
    common: str | None = None,
    settings: str | None = None,
    dotenv: str | None = None,
    sites: dict[str, str | None] | None = None,
    frappe: str | None = None,
    environment: str | None = None,
) -> tuple[Bench | None, list[Diagnostic]]:
    """The bench of these texts."""

    def source(name: str, text: str | None) -> Source | None:
        return None if text is None else Source(name, text)

    files = BenchFiles(
        root=Path("/b"),
        procfile=procfile,
        common=source("sites/common_site_config.json", common),
        settings=source("prodgen.yaml", settings),
        dotenv=source(".env", dotenv),
        sites=tuple(
            SiteFolder(name, source(f"sites/{name}/site_config.json", text))
            for name, text in (sites or {}).items()
        ),
        frappe_init=source("apps/frappe/frappe/__init__.py", frappe),
    )
    return parse_bench(files, environment)


def good(**texts: object) -> Bench:
    bench, found = bench_of(**texts)  # type: ignore[arg-type]
    assert found == []
    assert bench is not None
    return bench


def test_the_least() -> None:
    bench = good()
    assert [entry.name for entry in bench.procfile.entries] == ["web"]
    assert bench.sites == ()
    assert bench.common.integer("webserver_port") is None
    assert bench.frappe_version is None


def test_values_are_typed_and_placed() -> None:
    bench = good(common='{\n "webserver_port": "8001", "frappe_user": " ", "redis_cache": null\n}')
    port = bench.common.integer("webserver_port")
    assert port is not None
    assert (port.value, str(port.location)) == (8001, "sites/common_site_config.json:2:20")
    assert port.origin.text == "webserver_port in sites/common_site_config.json"
    assert port.origin.kind is Kind.FILE
    assert bench.common.text("frappe_user") is None
    assert bench.common.text("redis_cache") is None
    with pytest.raises(TypeError, match="is no str"):
        bench.common.text("webserver_port")


def test_no_procfile() -> None:
    bench, found = bench_of(procfile=None, common="{}")
    assert bench is None
    assert [(one.code, one.message, one.help) for one in found] == [
        ("PG100", "no Procfile in /b", "`bench setup procfile` writes one")
    ]
    assert "-C" in bench_of(procfile=None)[1][0].help


def test_everything_wrong_is_said_at_once() -> None:
    bench, found = bench_of(
        procfile=Source("Procfile", "web : x"),
        common='{"webserver_port": 0}',
        settings="wokers: 3",
        dotenv="A='",
        sites={"a.org": "{", "b.org": '{"nginx_port": "x"}'},
    )
    assert bench is None
    assert sorted((one.code, one.severity.value) for one in found) == [
        ("PG101", "error"),
        ("PG120", "error"),
        ("PG204", "error"),
        ("PG302", "warning"),
        ("PG304", "warning"),
        ("PG405", "error"),
    ]


def test_a_near_miss_is_said_beside_an_error() -> None:
    _, found = bench_of(common='{"developerr_mode": 1, "webserver_port": 0}')
    assert sorted(one.code for one in found) == ["PG204", "PG205"]


def test_a_broken_site_is_left_out_and_the_others_stay() -> None:
    bench, found = bench_of(sites={"a.org": "{}", "b.org": '{"a": 1,}', "c.org": None})
    assert bench is not None
    assert [site.name for site in bench.sites] == ["a.org"]
    assert [(one.code, one.help) for one in found] == [
        ("PG302", "remove the comma; until then the site b.org is left out")
    ]


@pytest.mark.parametrize(
    ("text", "version", "place"),
    [
        ('import x\n__version__ = "15.72.4"\n', "15.72.4", "2:16"),
        ("__version__ = '17.0.0-dev'", "17.0.0-dev", "1:16"),
        ("version = 1", None, None),
        ("", None, None),
    ],
)
def test_frappe_version(text: str, version: str | None, place: str | None) -> None:
    found = good(frappe=text).frappe_version
    assert (found and found.value) == version
    assert found is None or str(found.location) == f"apps/frappe/frappe/__init__.py:{place}"


def test_dotenv() -> None:
    variables = good(dotenv="A=hunter2\n").dotenv
    assert [(one.name, one.value.reveal()) for one in variables] == [("A", "hunter2")]
    assert "hunter2" not in repr(variables)


def test_an_environment_without_settings() -> None:
    bench, found = bench_of(environment="staging")
    assert bench is None
    assert [(one.code, one.help) for one in found] == [("PG406", "`prodgen init` writes one")]


MERGED = """\
sites:
  a.org:
    nginx_port: 8080
    domains: [c.org]
    max_file_size:
  new.org:
  other.org: {ssl_certificate: /c}
  broken.org: {nginx_port: 1}
environments:
  staging:
    sites:
      a.org: {nginx_port: 9090}
      staged.org:
"""
ON_DISK = {
    "a.org": '{"domains": ["b.org"], "max_file_size": 5, "host_name": "https://a.org"}',
    "b.org": "{}",
    "broken.org": "{",
}


@pytest.mark.parametrize(
    ("environment", "names", "port", "port_place"),
    [
        (None, ["a.org", "b.org", "new.org", "other.org"], 8080, "3:17"),
        ("staging", ["a.org", "b.org", "new.org", "other.org", "staged.org"], 9090, "12:27"),
    ],
)
def test_sites_of_both(
    environment: str | None, names: list[str], port: int, port_place: str
) -> None:
    bench, found = bench_of(settings=MERGED, sites=dict(ON_DISK), environment=environment)
    assert [one.code for one in found] == ["PG302"]
    assert bench is not None
    assert [site.name for site in bench.sites] == names
    config = bench.sites[0].config
    assert config.items("domains") == ["c.org"]
    expected: list[tuple[KeyPath, object, str]] = [
        (("nginx_port",), port, f"prodgen.yaml:{port_place}"),
        (("max_file_size",), 5, "sites/a.org/site_config.json:1:41"),
    ]
    for path, value, place in expected:
        sourced = config.integer(*path)
        assert sourced is not None
        assert (sourced.value, str(sourced.location)) == (value, place)
    domain = config.sourced("c.org", "domains", 0)
    assert str(domain.location) == "prodgen.yaml:4:15"
    assert domain.origin.kind is Kind.SETTINGS
    assert domain.origin.text == 'sites["a.org"].domains[0] in prodgen.yaml'
    host = config.text("host_name")
    assert host is not None
    assert host.origin.kind is Kind.FILE
    assert config.document is not None
    assert str(config.document.locate_key(("nginx_port",))).startswith("prodgen.yaml:")


def test_a_declared_site_stands_by_itself() -> None:
    bench = good(settings=MERGED)
    other = next(site for site in bench.sites if site.name == "other.org")
    certificate = other.config.text("ssl_certificate")
    assert certificate is not None
    assert certificate.value == "/c"
    assert str(certificate.location) == "prodgen.yaml:7:32"
    new = next(site for site in bench.sites if site.name == "new.org")
    assert new.config.items("domains") == []


@pytest.mark.parametrize(
    ("section", "options"),
    [("nginx", NginxOptions), ("systemd", SystemdOptions), ("supervisor", SupervisorOptions)],
)
def test_every_setting_of_a_target_is_one_of_its_options(section: str, options: Any) -> None:
    named = schema.load_schema("prodgen")["properties"][section]["properties"]
    assert set(named) <= set(options._fields)


def test_limits_are_those_of_the_options() -> None:
    limits = schema.load_schema("prodgen")["$defs"]["limits"]["properties"]
    assert set(limits) == set(Resources._fields)


@pytest.mark.parametrize(
    ("section", "options"),
    [("nginx", NginxOptions), ("systemd", SystemdOptions), ("supervisor", SupervisorOptions)],
)
def test_defaults_in_the_schema_are_those_of_the_options(section: str, options: type) -> None:
    properties = schema.load_schema("prodgen")["properties"][section]["properties"]
    made = options()
    for name, found in properties.items():
        if "default" in found:
            assert found["default"] == getattr(made, name).value, name


@needs_corpus
@pytest.mark.parametrize("root", corpus("benches"), ids=lambda root: root.name)
def test_corpus(root: Path) -> None:
    """Every bench of the field is understood, or every reason why not has a place."""
    files, unread = read_bench(root)
    assert unread == []
    bench, found = parse_bench(files)
    names = {source.name for source in files.sources()}
    for one in found:
        assert one.code == "PG100" or (one.location and one.location.file in names), one
    if bench is None:
        assert any(one.severity.value == "error" for one in found)
        return
    assert bench.procfile.entries
