"""Every header on every route, status and scheme, asked of a real nginx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

import pytest

from prodgen.plan.core.model import Address
from tests.support.nginx_fixture import site
from tests.support.nginx_stand import Stand, certificate, has_security_headers, stand
from tests.support.rig.client import Answer

pytestmark = [pytest.mark.live, pytest.mark.pitfall("D-NG9")]

HSTS = "max-age=63072000"
AWAY = {"web": Address("127.0.0.1", 9), "realtime": Address("127.0.0.1", 9)}
STATUS = "/api/method/status?code="
POLLING = "/socket.io/?EIO=4&transport=polling"
SCHEMES = (("one.test", 80), ("two.test", 443))


class Case(NamedTuple):
    """A request, and the status it must have."""

    path: str
    status: int
    method: str = "GET"
    body: bytes | None = None
    conditional: bool = False


USUAL = [
    *(
        Case(path, 200)
        for path in (
            "/",
            "/assets/frappe/dist/js/plain.js",
            "/files/hello.txt",
            "/files/page.html",
            "/private/files/secret.txt",
            "/api/method/ping",
            "/.well-known/openid-configuration",
            "/.well-known/acme-challenge/token",
            POLLING,
        )
    ),
    Case("/", 200, "POST", b"x"),
    Case("/x/", 301),
    Case("/x.html", 301),
    Case(f"{STATUS}301", 301),
    Case("/assets/frappe/dist/js/plain.js", 304, conditional=True),
    Case("/files/hello.txt", 304, conditional=True),
    Case("/private/files/secret.txt", 304, conditional=True),
    Case(f"{STATUS}304", 304),
    Case(f"{STATUS}403", 403),
    Case("/assets/none.js", 404),
    Case("/.git/config", 404),
    Case("/protected/private/files/secret.txt", 404),
    Case("/private/files/none.txt", 404),
    Case("/.well-known/acme-challenge/none", 404),
    Case(f"{STATUS}404", 404),
    Case("/assets/frappe/dist/js/plain.js", 405, "POST", b""),
    Case(f"{STATUS}413", 413),
    Case(f"{STATUS}429", 429),
    Case(f"{STATUS}502", 502),
    Case(f"{STATUS}503", 503),
]
LIMITED = [
    *(
        Case(path, 413, "POST", b"x" * 2000)
        for path in ("/", "/api/method/echo", "/files/x", "/assets/x.js", "/socket.io/")
    ),
    Case("/api/method/ping", 429),
    Case("/login", 429, "POST", b""),
]
DOWN = [
    *(
        Case(path, 502)
        for path in ("/", "/api/method/ping", "/files/none.txt", "/private/files/x", POLLING)
    ),
    Case("/", 502, "POST", b"x"),
    Case("/assets/frappe/dist/js/plain.js", 200),
    Case("/files/hello.txt", 200),
]


@pytest.fixture(scope="module")
def bench() -> Iterator[Stand]:
    """The servers behind nginx."""
    with stand() as made:
        yield made


def _check(bench: Stand, cases: list[Case]) -> None:
    for host, port in SCHEMES:
        for case in cases:
            answer = _ask(bench, case, host, port)
            where = f"{case} {host}"
            assert answer.status == case.status, where
            has_security_headers(answer)
            wanted = HSTS if port == 443 else None
            assert answer.headers.get("strict-transport-security") == wanted, where
            assert len(answer.headers["x-request-id"]) == 32, where
            for name in ("cache-control", "content-security-policy", "retry-after"):
                words = answer.headers.get(name, "").split(", ")
                assert len(words) == len(set(words)), where
            assert answer.headers.get("server") == "nginx", where


def _ask(bench: Stand, case: Case, host: str, port: int) -> Answer:
    headers: dict[str, str] = {}
    if case.conditional:
        headers["If-None-Match"] = bench.ask(case.path, host, port=port).headers["etag"]
    answer = bench.ask(
        case.path, host, port=port, method=case.method, body=case.body, headers=headers
    )
    for _ in range(10 if case.status == 429 and "code=" not in case.path else 0):
        if answer.status == 429:
            break
        answer = bench.ask(case.path, host, port=port, method=case.method, body=case.body)
    return answer


def test_while_all_is_well(bench: Stand) -> None:
    pair = certificate(bench.folder, "two.test")
    with bench.serve(bench.plan(site("one.test"), site("two.test", certificate=pair))):
        _check(bench, USUAL)


@pytest.mark.pitfall("D-NG18")
def test_while_the_application_is_away(bench: Stand) -> None:
    pair = certificate(bench.folder, "two.test")
    sites = (site("one.test"), site("two.test", certificate=pair))
    with bench.serve(bench.plan(*sites, **AWAY)):
        _check(bench, DOWN)


def test_beyond_the_limits(bench: Stand) -> None:
    pair = certificate(bench.folder, "two.test")
    sites = (site("one.test", body=1000), site("two.test", body=1000, certificate=pair))
    with bench.serve(bench.plan(*sites, login_rate=1, api_rate=1)):
        _check(bench, LIMITED)


@pytest.mark.parametrize(
    ("status", "path", "kind", "word"),
    [
        (413, "/api/method/echo", "application/json", "MaxFileSizeReached"),
        (413, "/upload", "text/html", "<h1>Too large"),
        (429, "/api/method/login", "application/json", "TooManyRequests"),
        (429, "/login", "text/html", "<h1>Too many"),
    ],
)
def test_limits_answer_in_the_client_s_language(
    bench: Stand, status: int, path: str, kind: str, word: str
) -> None:
    with bench.serve(bench.plan(site("one.test", body=1000), login_rate=1)):
        body = b"x" * (2000 if status == 413 else 0)
        answer = _ask(bench, Case(path, status, "POST", body), "one.test", 80)
        assert answer.status == status
        assert answer.headers["content-type"] == kind
        assert word in answer.text
        assert answer.headers.get("retry-after") == ("30" if status == 429 else None)
        if kind == "application/json":
            assert set(answer.json()) == {"exc_type", "message"}


@pytest.mark.parametrize(
    ("name", "sent", "arrives"),
    [
        ("X-Frame-Options", "DENY", "DENY"),
        ("X-Content-Type-Options", "sniff", "nosniff"),
        ("Referrer-Policy", "unsafe-url", "same-origin, strict-origin-when-cross-origin"),
        ("Strict-Transport-Security", "max-age=1; preload", None),
        ("Cache-Control", "private", "private"),
        ("Retry-After", "7", "7"),
    ],
)
def test_headers_of_the_application(
    bench: Stand, name: str, sent: str, arrives: str | None
) -> None:
    """What it says about framing, caching and waiting stands; the rest is nginx's alone."""
    with bench.serve(bench.plan(site("one.test"))):
        answer = bench.ask(f"{STATUS}503&name={name}&header={quote(sent)}")
        assert answer.headers.get(name.lower()) == arrives


@pytest.mark.pitfall("11")
@pytest.mark.parametrize(
    ("hsts", "value"),
    [
        ("off", None),
        ("max-age", HSTS),
        ("subdomains", f"{HSTS}; includeSubDomains"),
        ("preload", f"{HSTS}; includeSubDomains; preload"),
    ],
)
def test_hsts_is_for_tls_alone(bench: Stand, hsts: str, value: str | None) -> None:
    pair = certificate(bench.folder, "two.test")
    sites = (site("one.test"), site("two.test", certificate=pair))
    with bench.serve(bench.plan(*sites, hsts=hsts)):
        for path in ("/", "/assets/none.js"):
            answer = bench.ask(path, "two.test", port=443)
            assert answer.headers.get("strict-transport-security") == value
            for host in ("one.test", "two.test"):
                assert "strict-transport-security" not in bench.ask(path, host).headers
