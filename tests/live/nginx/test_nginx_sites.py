"""The nginx target on a real nginx, with the stand-in bench behind it: request by request."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from tests.support.nginx_fixture import site
from tests.support.nginx_stand import FORGED, Stand, certificate, has_security_headers, stand
from tests.support.rig.place import open_socket

pytestmark = pytest.mark.live

SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=3600, must-revalidate"


@pytest.fixture(scope="module")
def front() -> Iterator[Stand]:
    """nginx before two sites: one plain, one with a certificate and a wildcard."""
    with stand() as bench:
        pair = certificate(bench.folder, "two.test", "*.shop.test")
        secured = site("two.test", "two.test", "*.shop.test", certificate=pair)
        with bench.serve(bench.plan(site("one.test"), secured)):
            yield bench


ROUTES: list[tuple[str, int, str]] = [
    ("/", 200, "one.test 1"),
    ("/app/item", 200, "one.test 1"),
    ("/app/item/.5", 200, "one.test 1"),
    ("/assets/frappe/dist/js/plain.js", 200, "plain.js"),
    ("/assets/none.js", 404, ""),
    ("/assets/frappe", 404, ""),
    ("/assets/.git/config", 404, ""),
    ("/assets/../one.test/site_config.json", 200, "<title>one.test"),
    ("/files/hello.txt", 200, "<p>one.test</p>"),
    ("/files/with%20space.txt", 200, "<p>one.test</p>"),
    ("/files/none.txt", 200, "one.test 1"),
    ("/files/.hidden", 404, ""),
    ("/files/../../site_config.json", 400, ""),
    ("/files/..%2f..%2fsite_config.json", 400, ""),
    ("/files/%2e%2e/%2e%2e/two.test/site_config.json", 400, ""),
    ("/files/x/..%2f../site_config.json", 200, "<title>one.test"),
    ("/private/files/secret.txt", 200, "private <p>one.test</p>"),
    ("/private/files/secret%20page.html", 200, "private <p>one.test</p>"),
    ("/private/files/gr%C3%B6%C3%9Fe.txt", 200, "private <p>one.test</p>"),
    ("/protected/private/files/secret.txt", 404, ""),
    ("/protected/site_config.json", 404, ""),
    ("/%70rotected/private/files/secret.txt", 404, ""),
    ("//protected/private/files/secret.txt", 404, ""),
    ("/api/method/accel?path=/protected/private/files/secret.txt", 200, "private <p>one.test"),
    ("/api/method/accel?path=/protected/site_config.json", 404, ""),
    ("/api/method/accel?path=/protected/public/../site_config.json", 404, ""),
    ("/api/method/accel?path=/protected/private/../site_config.json", 404, ""),
    ("/api/method/ping", 200, "pong"),
    ("/api/method/ping/", 404, "no /api/method/ping/"),
    ("/.well-known/acme-challenge/token", 200, "answer"),
    ("/.well-known/acme-challenge/none", 404, ""),
    ("/.well-known/openid-configuration", 200, "one.test 1"),
    ("/.git/config", 404, ""),
    ("/.env", 404, ""),
    ("/socket.io/?EIO=4&transport=polling", 200, '"sid"'),
    ("/socket.iox", 200, "one.test 1"),
]


@pytest.mark.parametrize(("path", "status", "text"), ROUTES)
def test_routes(front: Stand, path: str, status: int, text: str) -> None:
    answer = front.ask(path)
    assert answer.status == status, answer
    assert text in answer.text
    for word in ("db_name", "[core]"):
        assert word not in answer.text
    if status != 400:  # nginx answers these before it knows the server
        has_security_headers(answer)


REDIRECTS = [
    ("/x/", "/x"),
    ("/x//", "/x"),
    ("/a/b.html", "/a/b"),
    ("/a/index.html", "/a"),
    ("/a/?q=1&r=%2F", "/a?q=1&r=%2F"),
    ("/a%20b/", "/a%20b"),
    ("/filesystem/", "/filesystem"),
]
NO_REDIRECTS = [
    "/", "/x", "/files/page.html", "/private/files/secret%20page.html", "/api/method/ping/",
    "/assets/x/", "//evil.test/", "/%2F", "/\\evil.test/", "/?x=/", "/socket.io/",
]  # fmt: skip


@pytest.mark.pitfall("D-NG14")
@pytest.mark.pitfall("13")
@pytest.mark.parametrize(("path", "target"), REDIRECTS)
def test_moved_pages(front: Stand, path: str, target: str) -> None:
    for method in ("GET", "HEAD"):
        answer = front.ask(path, method=method)
        assert (answer.status, answer.headers["location"]) == (301, target)
        has_security_headers(answer)
    assert front.ask(path, method="POST", body=b"x").status == 200


@pytest.mark.pitfall("13")
@pytest.mark.parametrize("path", NO_REDIRECTS)
def test_pages_that_stay(front: Stand, path: str) -> None:
    answer = front.ask(path)
    assert answer.status != 301
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/assets/frappe/dist/js/desk.bundle.AB12CD34.js", IMMUTABLE),
        ("/assets/crm/frontend/assets/index-AbC12_xY.js", IMMUTABLE),
        ("/assets/frappe/dist/js/plain.js", SHORT),
        ("/assets/frappe/dist/js/none.bundle.AB12CD34.js", None),
        ("/files/hello.txt", None),
        ("/private/files/secret.txt", "private,max-age=3600,stale-while-revalidate=86400"),
        ("/", None),
    ],
)
def test_caching(front: Stand, path: str, cache: str | None) -> None:
    answer = front.ask(path)
    assert answer.headers.get("cache-control") == cache
    tag = answer.headers.get("etag")
    if tag:
        again = front.ask(path, headers={"If-None-Match": tag})
        assert (again.status, again.headers.get("cache-control")) == (304, cache)
        has_security_headers(again)


@pytest.mark.pitfall("D-NG10")
@pytest.mark.parametrize(
    ("path", "is_active"),
    [
        ("/files/page.html", True),
        ("/files/image.svg", True),
        ("/files/data.XML", True),
        ("/files/feed.rss", True),
        ("/files/line%0Abreak.html", True),
        ("/private/files/evil.svg", True),
        ("/private/files/secret%20page.html", True),
        ("/files/my-xml-export.csv", False),
        ("/files/plain.txt", False),
        ("/assets/frappe/images/frappe-logo.svg", False),
        ("/page", False),
    ],
)
def test_uploads_never_run_as_pages(front: Stand, path: str, is_active: bool) -> None:
    answer = front.ask(path)
    headers = answer.headers
    assert headers.get("content-disposition") == ("attachment" if is_active else None)
    assert headers.get("content-security-policy") == (SANDBOX if is_active else None)
    has_security_headers(answer)


def test_modules_have_their_type(front: Stand) -> None:
    kind = front.ask("/assets/frappe/module.mjs").headers["content-type"]
    assert kind == "application/javascript"


def test_a_client_chooses_nothing(front: Stand) -> None:
    seen = front.whoami(headers=FORGED)
    assert (seen["site"], seen["request_ip"], seen["scheme"]) == ("one.test", "127.0.0.1", "http")
    headers = seen["headers"]
    assert headers["x-forwarded-proto"] == "http"
    assert headers["host"] == "one.test"
    assert headers["x-forwarded-host"] == "one.test"
    assert headers["x-real-ip"] == "127.0.0.1"
    assert headers["x-use-x-accel-redirect"] == "True"
    assert len(headers["x-request-id"]) == 32
    text = json.dumps(headers)
    for word in ("evil", "6.6.6.6", "chosen", '"proxy"', '"forwarded"', "x-forwarded-ssl"):
        assert word not in text, word
    assert seen["path"] == "/api/method/whoami"


@pytest.mark.pitfall("D-NG12")
@pytest.mark.pitfall("26")
def test_the_host_of_a_request_is_one_of_ours(front: Stand) -> None:
    for host in ("evil.test", "one.test.evil.test", "127.0.0.1", "_", "xone.test"):
        assert front.is_refused(host), host
        assert front.is_refused(host, port=443), host
    assert front.is_refused("shop.test", port=443)
    assert front.ask(host="ONE.test:80").status == 200
    assert front.ask(host="one.test.").status == 200


WHOAMI = "/api/method/whoami"
CONFUSING: list[tuple[list[str], str, bytes, str | None]] = [
    ([f"GET {WHOAMI} HTTP/1.0"], "", b"", None),
    ([f"GET {WHOAMI} HTTP/1.1", "Connection: close"], "", b"HTTP/1.1 400", None),
    (["GET http://evil.test/ HTTP/1.1", "Host: one.test"], "", b"", None),
    (
        [f"GET http://one.test{WHOAMI} HTTP/1.1", "Host: two.test", "Connection: close"],
        "",
        b"HTTP/1.1 200",
        "one.test",
    ),
    (["GET / HTTP/1.1", "Host: one.test", "Host: two.test"], "", b"HTTP/1.1 400", None),
    (["GET / HTTP/1.1", "Host: one.test/../x"], "", b"HTTP/1.1 400", None),
    (
        ["POST / HTTP/1.1", "Host: one.test", "Content-Length: 5", "Transfer-Encoding: chunked"],
        "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 ",
        None,
    ),
    (
        ["POST / HTTP/1.1", "Host: one.test", "Content-Length: 5", "Content-Length: 6"],
        "",
        b"HTTP/1.1 400",
        None,
    ),
    (
        ["POST / HTTP/1.1", "Host: one.test", "Transfer-Encoding: xchunked"],
        "",
        b"HTTP/1.1 501",
        None,
    ),
]


@pytest.mark.parametrize(("head", "body", "start", "site_name"), CONFUSING)
def test_requests_that_want_to_confuse(
    front: Stand, head: list[str], body: str, start: bytes, site_name: str | None
) -> None:
    answer = front.raw(("\r\n".join(head) + "\r\n\r\n" + body).encode())
    assert answer.startswith(start)
    assert start or not answer
    assert answer.count(b"HTTP/1.1 200") <= 1
    if site_name:
        assert f'"site": "{site_name}"'.encode() in answer


@pytest.mark.pitfall("D-NG8")
@pytest.mark.pitfall("D-NG11")
@pytest.mark.pitfall("21")
def test_a_certificate_means_https_only(front: Stand) -> None:
    for address in ("127.0.0.1", "::1"):
        answer = front.ask("/x?y=1", "two.test", address=address)
        assert (answer.status, answer.headers["location"]) == (301, "https://two.test/x?y=1")
        assert "strict-transport-security" not in answer.headers
        has_security_headers(answer)
    assert front.ask("/.well-known/acme-challenge/token", "two.test").text == "answer\n"
    for name in ("two.test", "a.shop.test"):
        answer = front.ask("/api/method/whoami", name, port=443)
        seen = answer.json()
        assert (seen["site"], seen["scheme"]) == ("two.test", "https")
        assert answer.headers["strict-transport-security"] == "max-age=63072000"
        has_security_headers(answer)
    assert "strict-transport-security" not in front.ask("/").headers
    assert front.ask("/files/hello.txt", "a.shop.test", port=443).text == "<p>two.test</p>\n"


def test_the_application_s_own_headers_and_503_stand(front: Stand) -> None:
    assert front.ask("/api/method/status?code=503").json() == {"message": 503}
    assert front.ask("/api/method/status?code=403").status == 403
    front.bench.set_config(maintenance_mode=1)
    try:
        assert front.ask("/").json() == {"message": "Session Stopped"}
    finally:
        front.bench.set_config(maintenance_mode=None)


@pytest.mark.pitfall("D-NG15")
@pytest.mark.pitfall("24")
def test_websockets_polling_and_origins(front: Stand) -> None:
    assert _upgrade(front, "https://two.test", "a.shop.test").startswith(b"HTTP/1.1 ")
    head = _upgrade(front, "http://one.test", "one.test")
    assert head.startswith(b"HTTP/1.1 101")
    assert b"x-frame-options" in head.lower()
    assert not _upgrade(front, "https://attacker.test", "one.test").startswith(b"HTTP/1.1 101")
    path = "/socket.io/?EIO=4&transport=polling"
    assert front.ask(path).status == 200
    foreign = {"Origin": "https://attacker.test", "X-Frappe-Site-Name": "two.test"}
    assert front.ask(path, headers=foreign).status in (400, 403)
    assert (
        json.loads(front.ask(path, headers={"X-Frappe-Site-Name": "two.test"}).text[1:])["site"]
        == "one.test"
    )


def _upgrade(front: Stand, origin: str, host: str) -> bytes:
    key = base64.b64encode(b"0123456789abcdef").decode()
    head = (
        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\n"
        f"Origin: {origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    with open_socket(front.net, ("127.0.0.1", 80)) as link:
        link.sendall(head.encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := link.recv(1)):
            answer += piece
    return answer


def test_compression(front: Stand) -> None:
    headers = {"Accept-Encoding": "gzip"}
    answer = front.ask("/assets/frappe/dist/js/plain.js", headers=headers)
    assert answer.headers["content-encoding"] == "gzip"
    assert "vary" in answer.headers
