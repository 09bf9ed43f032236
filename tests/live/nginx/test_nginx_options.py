"""What the choices of a plan do on a real nginx."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodgen.host.certificates import faults_of
from prodgen.plan.checks.certificates import leave_out, pairs_of
from prodgen.plan.core.model import Address
from tests.support.nginx_fixture import conf, site
from tests.support.nginx_stand import FORGED, Stand, certificate, has_security_headers, stand

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def bench() -> Iterator[Stand]:
    """The servers behind nginx."""
    with stand() as made:
        yield made


@pytest.mark.pitfall("10")
def test_uploads_up_to_the_limit(bench: Stand) -> None:
    with bench.serve(bench.plan(site("one.test", body=10_000))):
        echo = bench.ask("/api/method/echo", method="POST", body=b"x" * 10_000)
        assert echo.json()["length"] == 10_000
        refused = bench.ask("/api/method/echo", method="POST", body=b"x" * 10_001)
        assert refused.status == 413
        has_security_headers(refused)


@pytest.mark.pitfall("D-NG15")
@pytest.mark.pitfall("7")
def test_the_load_balancer_s_word_counts_and_no_one_else_s(bench: Stand) -> None:
    pair = certificate(bench.folder, "two.test")
    sites = (site("one.test"), site("two.test", certificate=pair))
    claim = {"X-Forwarded-For": "6.6.6.6, 7.7.7.7", "X-Forwarded-Proto": "https"}
    with bench.serve(bench.plan(*sites, trusted_proxies=("127.0.0.0/8",))):
        seen = bench.whoami(headers=claim)
        assert (seen["request_ip"], seen["scheme"]) == ("7.7.7.7", "https")
        assert seen["headers"]["x-forwarded-for"] == "7.7.7.7"
        chain = {"X-Forwarded-For": "6.6.6.6, 7.7.7.7, 127.0.0.9"}
        assert bench.whoami(headers=chain)["request_ip"] == "7.7.7.7"
        assert bench.whoami()["scheme"] == "http"
        assert bench.whoami(headers={"X-Forwarded-Proto": "wss"})["scheme"] == "http"
        assert bench.whoami("two.test", headers=claim)["scheme"] == "https"
        told = bench.ask("/x", "two.test", headers=claim)
        assert told.headers["strict-transport-security"] == "max-age=63072000"
        plain = bench.ask("/x", "two.test")
        assert (plain.status, plain.headers["location"]) == (301, "https://two.test/x")
        assert "strict-transport-security" not in plain.headers
        assert bench.ask("/.well-known/acme-challenge/token", "two.test").status == 200
        origin = {**claim, "Origin": "https://one.test"}
        assert bench.ask("/socket.io/?EIO=4&transport=polling", headers=origin).status == 200
    with bench.serve(bench.plan(*sites, trusted_proxies=("10.0.0.0/8", "fd00::/8"))):
        seen = bench.whoami(headers=claim)
        assert (seen["request_ip"], seen["scheme"]) == ("127.0.0.1", "http")
        assert bench.ask("/x", "two.test", headers=claim).status == 301


@pytest.mark.pitfall("D-NG6")
def test_ports_choose_sites(bench: Stand) -> None:
    pair = certificate(bench.folder, "two.test")
    made = bench.plan(
        site("one.test", port=8001),
        site("two.test", port=8443, certificate=pair),
    )
    with bench.serve(made):
        assert bench.whoami("10.1.1.1", port=8001)["site"] == "one.test"
        seen = bench.whoami("two.test", port=8443, headers=FORGED)
        assert (seen["site"], seen["scheme"]) == ("two.test", "https")
        mistaken = bench.raw(
            b"GET /x HTTP/1.1\r\nHost: two.test:8443\r\nConnection: close\r\n\r\n", 8443
        )
        assert mistaken.startswith(b"HTTP/1.1 301")
        assert b"https://two.test:8443/x" in mistaken
    shared = bench.plan(site("one.test", port=8001), site("two.test", port=8001), site("x.test"))
    with bench.serve(shared):
        assert bench.whoami("two.test", port=8001)["site"] == "two.test"
        assert bench.is_refused("x.test", port=8001)
        assert bench.is_refused("two.test")


@pytest.mark.pitfall("D-NG5")
@pytest.mark.pitfall("25")
@pytest.mark.pitfall("D-NG5")
def test_long_names_need_nothing_of_the_host(bench: Stand) -> None:
    long = ".".join(["a" * 63, "b" * 63, "c" * 60, "test"])
    wild = "*." + "d" * 60 + ".test"
    with bench.serve(bench.plan(site("one.test", long), site("two.test", wild))):
        assert bench.whoami(long)["site"] == "one.test"
        assert bench.whoami(long.upper())["site"] == "one.test"
        assert bench.whoami("x" + wild[1:])["site"] == "two.test"
        assert bench.is_refused("x" + long)
        assert bench.is_refused(long.replace(".", "x", 1))


def test_names_that_are_words_of_nginx_and_addresses(bench: Stand) -> None:
    names = ("default", "hostnames", "include", "volatile", "127.0.0.1", "::1", "_")
    with bench.serve(bench.plan(site("one.test", *names), site("two.test", "x.test"))):
        for name in names:
            host = "[::1]" if name == "::1" else name
            assert bench.whoami(host)["site"] == "one.test", name
        assert bench.whoami("x.test")["site"] == "two.test"
        assert bench.is_refused("y.test")


def test_while_the_application_is_away(bench: Stand) -> None:
    other = {"web": Address("127.0.0.1", 9), "realtime": Address("127.0.0.1", 9)}
    with bench.serve(bench.plan(site("one.test"), **other)):
        page = bench.ask("/app/x.png")
        assert page.status == 502
        assert "Back soon" in page.text
        assert page.headers["content-type"] == "text/html"
        assert (page.headers["retry-after"], page.headers["cache-control"]) == ("30", "no-store")
        has_security_headers(page)
        accepts = {"Accept": "application/json"}
        for answer in (bench.ask("/api/method/x"), bench.ask("/", headers=accepts)):
            assert answer.status == 502
            assert answer.headers["content-type"] == "application/json"
            assert answer.json()["exc_type"] == "ServiceUnavailable"
        assert bench.ask("/", method="POST", body=b"x").status == 502
        assert bench.ask("/assets/frappe/dist/js/plain.js").status == 200
        assert bench.ask("/files/none.txt").status == 502
        assert bench.ask("/socket.io/?x").json()["exc_type"] == "ServiceUnavailable"


@pytest.mark.pitfall("16")
def test_slow_answers_end_by_the_time_out(bench: Stand) -> None:
    with bench.serve(bench.plan(site("one.test"), timeout=1)):
        answer = bench.ask("/api/method/sleep?seconds=3")
        assert answer.status == 504
        assert answer.headers["retry-after"] == "30"


@pytest.mark.pitfall("D-NG1")
def test_rates_are_per_client_and_only_where_asked(bench: Stand) -> None:
    with bench.serve(bench.plan(site("one.test"), login_rate=2, trusted_proxies=("127.0.0.1",))):
        path = "/api/method/login"
        statuses = [bench.ask(path, method="POST", body=b"").status for _ in range(5)]
        assert statuses == [404, 404, 404, 429, 429]
        limited = bench.ask("/?cmd=login", method="POST", body=b"")
        assert (limited.status, limited.headers["retry-after"]) == (429, "30")
        has_security_headers(limited)
        other = {"X-Forwarded-For": "9.9.9.9"}
        assert bench.ask(path, method="POST", body=b"", headers=other).status == 404
        assert bench.ask("/api/method/ping").status == 200
    with bench.serve(bench.plan(site("one.test"), api_rate=1)):
        statuses = [bench.ask("/api/method/ping").status for _ in range(8)]
        assert statuses[:5] == [200] * 5
        assert 429 in statuses
        assert bench.ask("/login").status == 200


@pytest.mark.pitfall("D-NG4")
@pytest.mark.pitfall("6")
@pytest.mark.parametrize("json_logs", [False, True])
def test_logs_name_the_site_and_the_request(bench: Stand, json_logs: bool) -> None:
    log = bench.folder / f"log{json_logs}"
    with bench.serve(bench.plan(site("one.test"), access_log=str(log), json_logs=json_logs)):
        answer = bench.ask('/a"b', headers={"User-Agent": 'x"\\y'})
        assert bench.whoami()["headers"]["x-request-id"]
    first, second = log.read_text().splitlines()
    assert answer.headers["x-request-id"] in first
    if json_logs:
        line = json.loads(first)
        assert (line["site"], line["status"], line["user_agent"]) == ("one.test", 200, 'x"\\y')
    else:
        assert "site=one.test request_id=" in second
        assert "upstream=0." in second


LOGGED = {
    "/app/item?name=A&page=2": "/app/item?name=A&page=2",
    "/update-password?key=SECRET": "/update-password",
    "/Reset-Password?KEY=SECRET": "/Reset-Password",
    "/login?redirect-to=%2FSECRET": "/login",
    "/api/method/frappe.www.login.login_via_key?key=SECRET": None,
    "/api/method/frappe.integrations.oauth2_logins.login_via_google?code=SECRET&state=x": None,
    "/?cmd=login&usr=a&pwd=SECRET": "/",
    "/x?a=1&api_secret=SECRET": "/x",
    "/x?reset_token=SECRET": "/x",
}
"""What is asked for, and what of it is logged; None for all before the `?`."""


@pytest.mark.parametrize("json_logs", [False, True])
def test_no_key_or_password_is_logged(bench: Stand, json_logs: bool) -> None:
    log = bench.folder / f"queries{json_logs}"
    with bench.serve(bench.plan(site("one.test"), access_log=str(log), json_logs=json_logs)):
        for path in LOGGED:
            bench.ask(path)
            bench.ask("/assets/a.css", headers={"Referer": f"https://one.test{path}"})
    text = log.read_text()
    assert "SECRET" not in text
    for path, shown in LOGGED.items():
        kept = shown or path.partition("?")[0]
        asked = f'"uri":"{kept}"' if json_logs else f'"GET {kept} HTTP/1.1"'
        assert asked in text
        assert f'"https://one.test{kept}"' in text


@pytest.mark.pitfall("8")
@pytest.mark.pitfall("D-NG4")
def test_a_stock_host_with_its_default_site(bench: Stand) -> None:
    """Also several benches beside each other, without a word from nginx."""
    pair = certificate(bench.folder, "two.test")
    with bench.serve(bench.plan(site("one.test")), default_site=True) as nginx:
        for name in ("erp",):
            more = site(f"{name}.test", certificate=pair)
            nginx.add(f"{name}.conf", conf(bench.plan(more, name=name)))
        nginx.add(
            "b.conf", conf(bench.plan(site("two.test", certificate=pair), name="other_bench"))
        )
        ok, said = nginx.reload()
        assert ok, said
        assert bench.whoami()["site"] == "one.test"
        assert bench.whoami("two.test", port=443)["site"] == "two.test"


@pytest.mark.pitfall("26")
def test_the_host_file_refuses_unknown_names(bench: Stand) -> None:
    pair = certificate(bench.folder, "two.test")
    many = [site(f"site{number}.test") for number in range(2000)]
    made = bench.plan(*many, site("two.test", certificate=pair), default_server=True)
    with bench.serve(made):
        assert bench.is_refused("evil.test")
        assert bench.is_refused("evil.test", port=443)
        assert bench.whoami("two.test", port=443)["site"] == "two.test"


def test_certificates_from_a_map(bench: Stand) -> None:
    """The workers, who are not root, read the keys."""
    pairs = {name: certificate(bench.folder, name) for name in ("one.test", "two.test", "*.x.test")}
    sites = (
        site("one.test", certificate=pairs["one.test"]),
        site("two.test", certificates={name: pairs[name] for name in ("two.test", "*.x.test")}),
    )
    with bench.serve(bench.plan(*sites, certificates="map")):
        assert bench.is_refused("one.test", port=443)
        for _, key in pairs.values():
            Path(key).chmod(0o644)
        for host, name in (("one.test", "one"), ("two.test", "two"), ("a.x.test", "two")):
            context = ssl.create_default_context(cafile=pairs[_shown(host)][0])
            assert bench.whoami(host, port=443, tls=context)["site"] == f"{name}.test"
        assert bench.is_refused("evil.test", port=443)


def _shown(host: str) -> str:
    return "*.x.test" if host == "a.x.test" else host


@pytest.mark.parametrize(
    "name",
    ["a b", "q\"'q", "a;b", "#x", "{x}", "d$ollar${x}", "back\\slash\\n", "ü", "l\ni\tn", "%x"],
)
def test_folders_of_any_name(bench: Stand, name: str) -> None:
    folder = bench.folder / name
    if not folder.exists():
        folder.symlink_to(bench.bench.path.parent, target_is_directory=True)
    made = bench.plan(
        site("one.test"),
        bench=str(folder / bench.bench.path.name),
        acme_webroot=str(folder / "acme"),
    )
    with bench.serve(made):
        assert bench.ask("/files/hello.txt").text == "<p>one.test</p>\n"
        assert "plain.js" in bench.ask("/assets/frappe/dist/js/plain.js").text
        assert bench.ask("/private/files/secret.txt").text == "private <p>one.test</p>\n"
        assert bench.ask("/.well-known/acme-challenge/token").text == "answer\n"


@pytest.mark.pitfall("14")
@pytest.mark.pitfall("D-NG7")
def test_a_bad_certificate_takes_its_own_names_down_and_nothing_else(bench: Stand) -> None:
    good, bad = certificate(bench.folder, "one.test"), certificate(bench.folder, "two.test")
    mixed = (bad[0], good[1])
    made = bench.plan(
        site("one.test", certificate=good),
        site("two.test", certificates={"two.test": mixed, "gone.test": ("/none.pem", "/none.key")}),
    )
    plan, findings = leave_out(made, faults_of(pairs_of(made)))
    assert [one.code for one in findings] == ["PG644", "PG644"]
    with bench.serve(plan):
        assert bench.whoami("one.test", port=443)["site"] == "one.test"
        for name in ("two.test", "gone.test"):
            assert bench.is_refused(name)
            assert bench.is_refused(name, "/.well-known/acme-challenge/token")
