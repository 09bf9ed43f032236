"""What the nginx target makes of a plan, read back by crossplane."""

from __future__ import annotations

from typing import Any

import crossplane
import pytest

from prodgen.diagnostics import Severity
from prodgen.plan.core.model import Address, Plan
from prodgen.targets.nginx.escape import identifier
from prodgen.targets.nginx.render import render_nginx
from tests.support.nginx_fixture import MEGABYTE, codes, conf, plan, site, texts
from tests.targets.nginx.test_escape import parsed

CERTIFICATE = ("/etc/ssl/one.pem", "/etc/ssl/one.key")
OTHER = ("/etc/ssl/two.pem", "/etc/ssl/two.key")
Block = dict[str, Any]


def servers(found: Plan) -> list[Block]:
    """The server blocks of a plan's file: each directive's arguments by its name."""
    return [_block(one) for one in parsed(conf(found)) if one["directive"] == "server"]


def _block(directive: Any) -> Block:
    block: Block = {}
    for one in directive["block"]:
        block.setdefault(one["directive"], []).append(" ".join(one["args"]))
    return block


def names(block: Block) -> list[str]:
    """The server names of a block."""
    found: list[str] = block["server_name"][0].split()
    return found


def test_one_file_for_one_bench() -> None:
    artifacts, findings = render_nginx(plan(site("one.test")))
    assert not findings
    (only,) = artifacts
    assert str(only.path) == "nginx/frappe-bench.conf"
    assert str(only.destination) == "/etc/nginx/conf.d/frappe-bench.conf"
    assert only.mode == 0o644
    assert only.target == "nginx"


def test_no_web_is_a_warning_and_no_site_a_note() -> None:
    assert codes(plan(site("one.test"), web=None)) == ["PG720"]
    empty = plan()
    assert codes(empty) == ["PG721"]
    assert "upstream frappe-bench-web" in conf(empty)
    assert not servers(empty)


def test_plain_sites_share_a_server_unless_their_limits_differ() -> None:
    found = servers(
        plan(
            site("one.test"),
            site("two.test", "two.test", "*.shop.test"),
            site("big.test", body=200 * MEGABYTE),
        )
    )
    assert [(names(one), one["client_max_body_size"]) for one in found] == [
        (["big.test"], ["200m"]),
        (["one.test", "two.test", "*.shop.test"], ["51m"]),
    ]


def test_each_certificate_has_a_server_and_all_share_one_redirect() -> None:
    found = servers(
        plan(
            site("one.test", certificate=CERTIFICATE),
            site("two.test", "other.test", certificates={"two.test": OTHER}),
        )
    )
    plain, redirect, *secured = found
    assert names(plain) == ["other.test"]
    assert names(redirect) == ["one.test", "two.test"]
    assert "root" not in redirect
    assert [names(one) for one in secured] == [["one.test"], ["two.test"]]
    assert [one["ssl_certificate"] for one in secured] == [[CERTIFICATE[0]], [OTHER[0]]]
    assert all(one["listen"] == ["443 ssl http2", "[::]:443 ssl http2"] for one in secured)
    assert redirect["listen"] == ["80", "[::]:80"]


@pytest.mark.pitfall("22")
@pytest.mark.pitfall("D-NG19")
@pytest.mark.parametrize(
    ("version", "listen", "http2", "tickets", "said"),
    [
        ("1.18.0", "443 ssl http2", False, True, []),
        ("1.22.1", "443 ssl http2", False, True, []),
        ("1.24.0", "443 ssl http2", False, False, []),
        ("1.26.3", "443 ssl", True, False, []),
        (None, "443 ssl http2", False, True, ["PG722"]),
    ],
)
def test_the_words_of_the_version(
    version: str | None, listen: str, http2: bool, tickets: bool, said: list[str]
) -> None:
    versions = {"nginx": version} if version else {}
    made = plan(site("one.test", certificate=CERTIFICATE), versions=versions)
    block = servers(made)[-1]
    assert block["listen"][0] == listen
    assert ("http2" in block) is http2
    assert ("ssl_session_tickets" in block) is tickets
    assert codes(made) == said


def test_a_port_of_its_own_keeps_its_certificate() -> None:
    made = plan(
        site("one.test"),
        site("two.test", port=8443, certificate=CERTIFICATE),
        site("three.test", port=8001),
    )
    by_listen = {one["listen"][0]: one for one in servers(made)}
    assert list(by_listen) == ["80", "8001", "8443 ssl http2"]
    assert by_listen["8443 ssl http2"]["error_page"][0] == "497 =301 https://$host:8443$request_uri"
    text = conf(made)
    assert "    8001 three.test;\n    8443 two.test;\n" in text
    assert "    one.test one.test;\n}" in text


def test_no_plain_name_on_a_port_with_tls() -> None:
    shared = plan(site("one.test", port=8443, certificate=CERTIFICATE), site("two.test", port=8443))
    assert codes(shared) == ["PG724"]
    assert codes(plan(site("one.test", port=443))) == ["PG724"]
    (listen, *_) = servers(plan(site("one.test", port=443, certificate=CERTIFICATE)))[-1]["listen"]
    assert listen == "443 ssl http2"


def test_a_long_name_below_a_wildcard_of_another_site_is_refused() -> None:
    long = "a" * 60 + ".shop.test"
    assert codes(plan(site("one.test", "*.shop.test"), site("two.test", long))) == ["PG726"]
    assert codes(plan(site("one.test", "*.shop.test", long))) == []
    assert codes(plan(site("one.test", "*.other.test"), site("two.test", long))) == []


def test_many_names_are_mentioned_unless_the_host_file_has_room() -> None:
    many = [site(f"site{number}.test") for number in range(81)]
    assert codes(plan(*many)) == ["PG723"]
    assert codes(plan(*many, default_server=True)) == []
    assert codes(plan(*many[:80])) == []


@pytest.mark.parametrize(
    "options",
    [
        {"tls": "old"},
        {"hsts": "yes"},
        {"certificates": "all"},
        {"hsts_max_age": -1},
        {"trusted_proxies": ("10.0.0.1/8",)},
        {"trusted_proxies": ("lb; server {}",)},
        {"login_rate": -1},
        {"api_rate": -5},
        {"acme_webroot": "www"},
        {"access_log": "bench.log"},
        {"access_log": "/var/log/nginx/../x.log"},
        {"acme_webroot": "/var/www/./x"},
    ],
)
def test_choices_that_mean_nothing_are_errors(options: dict[str, Any]) -> None:
    made = plan(site("one.test"), **options)
    assert codes(made) == ["PG727"]
    assert not texts(made)


@pytest.mark.parametrize(
    "made",
    [
        plan(site("one.test", certificate=("/etc/$x.pem", "/k"))),
        plan(site("one.test", certificate=("/c", "engine:x"))),
        plan(site("one.test"), bench="/home/" + "x" * 4000),
        plan(site("one.test"), web=Address(path="/" + "x" * 108)),
        plan(site("one.test"), access_log="/var/log/$x"),
    ],
)
def test_values_that_nginx_cannot_hold_are_errors(made: Plan) -> None:
    artifacts, findings = render_nginx(made)
    assert not artifacts
    assert {(one.code, one.severity) for one in findings} == {("PG701", Severity.ERROR)}


EFFECTS: list[tuple[dict[str, Any], str, str]] = [
    ({"tls": "modern"}, "ssl_protocols TLSv1.3;", "ssl_protocols TLSv1.2 TLSv1.3;"),
    ({"hsts": "off"}, "", "add_header Strict-Transport-Security"),
    ({"hsts": "subdomains"}, 'max-age=63072000; includeSubDomains"', ""),
    ({"hsts": "preload"}, 'max-age=63072000; includeSubDomains; preload"', ""),
    ({"hsts_max_age": 0}, "Security max-age=0 always", "63072000"),
    ({"http2": False}, "listen 443 ssl;", "http2"),
    ({"ipv6": False}, "listen 80;", "[::]"),
    ({"acme_webroot": "/srv/acme"}, "root /srv/acme;", "letsencrypt"),
    ({"acme_webroot": ""}, "", "acme-challenge"),
    ({"access_log": "/srv/a.log"}, "access_log /srv/a.log frappe_bench;", "/var/log"),
    ({"access_log": "off"}, "access_log off;", "/var/log"),
    ({"json_logs": True}, "escape=json", "$time_local"),
    ({"login_rate": 10}, "zone=frappe_bench_login:10m rate=10r/m;", "frappe_bench_api"),
    ({"api_rate": 9}, "limit_req zone=frappe_bench_api burst=36 nodelay;", "frappe_bench_login"),
    ({"gzip_static": True}, "gzip_static on;", ""),
    ({"trusted_proxies": ("10.0.0.0/8",)}, "set_real_ip_from 10.0.0.0/8;", "Proto $scheme;"),
]


@pytest.mark.parametrize(("options", "there", "gone"), EFFECTS, ids=lambda one: str(one)[:40])
def test_every_option_has_an_effect(options: dict[str, Any], there: str, gone: str) -> None:
    secured = site("one.test", certificate=CERTIFICATE)
    text, usual = conf(plan(secured, **options)), conf(plan(secured))
    assert there in text
    assert not there or there not in usual or there == "listen 80;"
    assert not gone or gone not in text
    if gone and gone not in ("frappe_bench_api", "frappe_bench_login"):
        assert gone in usual


def test_certificates_from_a_map_share_a_server() -> None:
    made = plan(
        site("one.test", certificate=CERTIFICATE),
        site("two.test", "two.test", "*.shop.test", certificate=OTHER),
        certificates="map",
    )
    assert codes(made) == ["PG728"]
    (secured,) = [one for one in servers(made) if "ssl_certificate" in one]
    assert names(secured) == ["one.test", "two.test", "*.shop.test"]
    assert secured["ssl_certificate"] == ["$frappe_bench_chain"]
    assert f"    *.shop.test {OTHER[1]};\n" in conf(made)


def test_http3_where_the_version_has_it() -> None:
    both = (
        site("one.test", certificate=CERTIFICATE),
        site("two.test", certificate=OTHER),
    )
    made = plan(*both, http3=True, versions={"nginx": "1.26.3"})
    first, second = servers(made)[-2:]
    assert first["listen"][2:] == ["443 quic reuseport", "[::]:443 quic reuseport"]
    assert second["listen"][2:] == ["443 quic", "[::]:443 quic"]
    assert "add_header Alt-Svc 'h3=\":443\"; ma=86400' always;" in conf(made)
    old = plan(*both, http3=True)
    assert codes(old) == ["PG725"]
    assert "quic" not in conf(old)


def test_the_hybrid_group_needs_its_openssl() -> None:
    secured = site("one.test", certificate=CERTIFICATE)
    new = conf(plan(secured, versions={"nginx": "1.26.3", "openssl": "3.5.1"}))
    old = conf(plan(secured, versions={"nginx": "1.26.3", "openssl": "3.0.19"}))
    assert "ssl_ecdh_curve ?X25519MLKEM768:X25519:" in new
    assert "MLKEM" not in old


def test_the_host_file_is_the_same_for_every_bench() -> None:
    first = texts(plan(site("one.test"), default_server=True))
    second = texts(plan(site("two.test", certificate=CERTIFICATE), name="b", default_server=True))
    assert first[1] == second[1]
    assert "ssl_reject_handshake on;" in first[1]
    old = texts(plan(site("one.test"), default_server=True, versions={"nginx": "1.18.0"}))
    assert "443" not in old[1]


def test_the_order_of_sites_does_not_matter() -> None:
    sites = [site("b.test", certificate=OTHER), site("a.test"), site("c.test", port=8001)]
    assert conf(plan(*sites)) == conf(plan(*reversed(sites)))


def test_all_names_are_the_bench_s_own() -> None:
    options: dict[str, Any] = {
        "trusted_proxies": ("10.0.0.1",),
        "login_rate": 1,
        "api_rate": 1,
    }
    directives = parsed(conf(plan(site("one.test", port=8001), name="my.bench", **options)))
    prefix = identifier("my.bench")
    allowed = {"map", "geo", "upstream", "server", "include", "limit_req_zone", "log_format"}
    assert {one["directive"] for one in directives} <= allowed
    for one in directives:
        if one["directive"] in ("map", "geo"):
            assert one["args"][-1].startswith(f"${prefix}_")
        if one["directive"] == "upstream":
            assert one["args"][0].startswith("my.bench-")
        if one["directive"] == "limit_req_zone":
            assert one["args"][1].startswith(f"zone={prefix}_")
        if one["directive"] == "log_format":
            assert one["args"][0] == prefix


def test_a_location_that_adds_headers_names_all_of_the_servers() -> None:
    """An add_header in a location drops all that it does not name."""
    found = 0
    for directive in parsed(conf(plan(site("one.test", certificate=CERTIFICATE), hsts="preload"))):
        outer = added(directive)
        for one in directive.get("block", []):
            inner = added(one)
            assert not inner or sorted(inner) == sorted(outer)
            found += bool(inner)
    assert found == 1


def added(directive: Any) -> list[str]:
    """The names of the headers that a block adds itself."""
    block = directive.get("block", [])
    return [one["args"][0] for one in block if one["directive"] == "add_header"]


def test_crossplane_builds_what_it_parsed() -> None:
    text = conf(plan(site("one.test", certificate=CERTIFICATE), login_rate=5, json_logs=True))
    once = parsed(text)
    again = parsed(crossplane.build(once))
    assert _bare(again) == _bare(once)


def _bare(directives: Any) -> Any:
    return [
        (one["directive"], one["args"], _bare(one.get("block", [])))
        for one in directives
        if one["directive"] != "#"
    ]
