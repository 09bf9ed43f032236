"""The private nginx inside the stock configuration, in a network of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.rig.client import fetch
from tests.support.rig.load import Load
from tests.support.rig.nginx import Nginx

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.rig.netns import Network

HELLO = 'server { listen 80; server_name one.test; location / { return 200 "one\\n"; } }\n'


def test_the_stock_configuration_is_accepted(ground: Path, net: Network) -> None:
    nginx = Nginx(ground / "nginx", place=net, default_site=True)
    ok, said = nginx.test()
    assert ok
    assert "test is successful" in said
    nginx.add("bench.conf", HELLO)
    with nginx:
        assert fetch(("127.0.0.1", 80), host="one.test", place=net).text == "one\n"
        assert fetch(("::1", 80), host="other.test", place=net).status in (200, 403, 404)
    assert nginx.complaints() == []


def test_warnings_and_errors_are_noticed(ground: Path, net: Network) -> None:
    nginx = Nginx(ground / "nginx", place=net)
    nginx.add("bench.conf", HELLO + HELLO)
    ok, said = nginx.test()
    assert not ok
    assert 'conflicting server name "one.test"' in said
    nginx.add("bench.conf", HELLO)
    with nginx:
        nginx.add("bench.conf", HELLO.replace("one\\n", "two\\n"))
        assert nginx.reload()[0]
        assert fetch(("127.0.0.1", 80), host="one.test", place=net).text == "two\n"
        nginx.add("bench.conf", "nonsense;\n")
        ok, said = nginx.reload()
        assert not ok
        assert "unknown directive" in said


def test_load_reaches_into_a_network(ground: Path, net: Network) -> None:
    nginx = Nginx(ground / "nginx", place=net)
    nginx.add("bench.conf", HELLO)
    with nginx:
        address = ("127.0.0.1", 80)
        load = Load(address, "one.test", place=net, clients=2, requests=10, get_path="/")
        result = load.start().wait()
        assert result.ok == 5
        assert result.failed == 5
    assert net.run(["ip", "-br", "address"]).stdout.split()[:2] == ["lo", "UNKNOWN"]
