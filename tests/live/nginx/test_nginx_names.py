"""Names of every kind on a real nginx, several benches on one host, and clients that dawdle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.nginx_fixture import conf, site
from tests.support.nginx_stand import Stand, certificate, stand
from tests.support.rig.place import open_socket

pytestmark = pytest.mark.live

HEAD = b"POST /api/method/echo HTTP/1.1\r\nHost: one.test\r\nContent-Length: 9\r\n"


@pytest.fixture(scope="module")
def bench() -> Iterator[Stand]:
    """The servers behind nginx."""
    with stand() as made:
        yield made


@pytest.mark.pitfall("D-NG11")
@pytest.mark.parametrize("layout", ["servers", "map"])
def test_the_nearest_name_wins(bench: Stand, layout: str) -> None:
    """An exact name before any wildcard, and the longer wildcard before the shorter one."""
    pair = certificate(bench.folder, "*.shop.test", "*.b.shop.test")
    for path in pair:
        bench.folder.joinpath(path).chmod(0o644)
    one = site("one.test", "*.shop.test", "exact.b.shop.test", certificate=pair)
    two = site("two.test", "*.b.shop.test", "a.shop.test", certificate=pair)
    with bench.serve(bench.plan(one, two, certificates=layout)):
        for name, folder in {
            "x.shop.test": "one.test",
            "a.shop.test": "two.test",
            "x.b.shop.test": "two.test",
            "x.y.b.shop.test": "two.test",
            "exact.b.shop.test": "one.test",
        }.items():
            assert bench.whoami(name, port=443)["site"] == folder, name
        assert bench.is_refused("shop.test", port=443)


def test_names_of_other_scripts(bench: Stand) -> None:
    """Browsers send them in their xn-- form, in which they are written."""
    name = "bücher.example".encode("idna").decode()
    with bench.serve(bench.plan(site("one.test", name), site("two.test", f"*.{name}"))):
        assert bench.whoami(name)["site"] == "one.test"
        assert bench.whoami(name.upper())["site"] == "one.test"
        assert bench.whoami(f"shop.{name}")["site"] == "two.test"


@pytest.mark.pitfall("D-NG17")
def test_two_benches_of_one_folder_name(bench: Stand) -> None:
    """`bench_name` tells them apart; nothing that the one defines is the other's."""
    first = bench.plan(site("one.test"), login_rate=5)
    second = bench.plan(site("two.test"), login_rate=5, name="frappe-bench-2")
    with bench.serve(first) as nginx:
        nginx.add("frappe-bench-2.conf", conf(second))
        ok, said = nginx.reload()
        assert ok, said
        assert bench.whoami("one.test")["site"] == "one.test"
        assert bench.whoami("two.test")["site"] == "two.test"
        nginx.add("frappe-bench-2.conf", conf(bench.plan(site("two.test"))))
        ok, said = nginx.test()
        assert not ok
        assert 'duplicate upstream "frappe-bench-web"' in said


def test_slow_clients_are_let_go(bench: Stand) -> None:
    """The waits of the file, made shorter for the sake of the test's own time."""
    with bench.serve(bench.plan(site("one.test"))) as nginx:
        text = (nginx.conf_d / "frappe-bench.conf").read_text()
        for line in ("client_header_timeout 15s", "client_body_timeout 30s", "send_timeout 30s"):
            assert f" {line};" in text
        text = text.replace("header_timeout 15s", "header_timeout 1s")
        nginx.add("frappe-bench.conf", text.replace("body_timeout 30s", "body_timeout 2s"))
        ok, said = nginx.reload()
        assert ok, said
        for sent, seconds in ((HEAD, 1), (HEAD + b"\r\nx", 2)):
            assert seconds - 0.5 < _seconds_until_let_go(bench, sent) < seconds + 2
        assert bench.ask("/").status == 200


def _seconds_until_let_go(bench: Stand, sent: bytes) -> float:
    with open_socket(bench.net, ("127.0.0.1", 80), 10) as link:
        link.sendall(sent)
        began = time.monotonic()
        with suppress(ConnectionResetError):
            assert link.recv(4096).startswith((b"", b"HTTP/1.1 408"))
        return time.monotonic() - began
