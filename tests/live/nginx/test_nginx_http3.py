"""HTTP/3 by a real client, where nginx has it: not in Debian 12, but see `make nginx-versions`."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.nginx_fixture import site
from tests.support.nginx_stand import certificate, has_security_headers, stand
from tests.support.rig.netns import Network
from tests.support.rig.tools import cannot, missing, need

pytestmark = pytest.mark.live


def _h3_client() -> None:
    """Ends the test where there is no HTTP/3 to try, or nothing to try it with."""
    said = subprocess.run([need("nginx"), "-V"], capture_output=True, text=True, check=True).stderr
    if "--with-http_v3_module" not in said:
        cannot("this nginx is built without http_v3_module")
    try:
        import aioquic  # noqa: F401 - only whether it is there
    except ImportError:
        missing("not installed: aioquic")


class Answer:
    """Status, headers and body, as far as they have come."""

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}
        self.body = b""

    @property
    def status(self) -> int:
        return int(self.headers.get(":status", "0"))


async def _get(host: str, path: str, authority: str) -> Answer:
    """The answer of the server on port 443 of this network to one GET over QUIC."""
    import ssl

    from aioquic.asyncio import QuicConnectionProtocol, connect
    from aioquic.h3.connection import H3_ALPN, H3Connection
    from aioquic.h3.events import DataReceived, HeadersReceived
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.events import ProtocolNegotiated

    answer, ended = Answer(), asyncio.Event()
    layers: list[H3Connection] = []

    def received(event: object) -> None:
        if isinstance(event, ProtocolNegotiated):
            layers.append(H3Connection(links[0]._quic))
        for one in layers[0].handle_event(event) if layers else ():
            if isinstance(one, HeadersReceived):
                answer.headers = _joined(one.headers)
            elif isinstance(one, DataReceived):
                answer.body += one.data
            if getattr(one, "stream_ended", False):
                ended.set()

    def protocol(*args: Any, **more: Any) -> QuicConnectionProtocol:
        links.append(QuicConnectionProtocol(*args, **more))
        links[0].quic_event_received = received
        return links[0]

    links: list[QuicConnectionProtocol] = []
    settings = QuicConfiguration(alpn_protocols=H3_ALPN, server_name=host)
    settings.verify_mode = ssl.CERT_NONE
    server = ("127.0.0.1", 443)
    async with connect(*server, configuration=settings, create_protocol=protocol) as link:
        h3 = layers[0]
        stream = link._quic.get_next_available_stream_id()
        fields = {":method": "GET", ":scheme": "https", ":authority": authority, ":path": path}
        pairs = [(key.encode(), value.encode()) for key, value in fields.items()]
        h3.send_headers(stream, pairs, end_stream=True)
        link.transmit()
        await asyncio.wait_for(ended.wait(), 3)
    return answer


def _joined(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in pairs:
        name, text = key.decode(), value.decode()
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _ask(net: Network, path: str, host: str, authority: str = "") -> Answer | Exception:
    """The answer from inside that network, or why there is none."""
    outcome: list[Answer | Exception] = []

    def run() -> None:
        net.enter_network()
        try:
            outcome.append(asyncio.run(_get(host, path, authority or host)))
        except (OSError, asyncio.TimeoutError) as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return outcome[0]


def test_a_real_client_speaks_http3() -> None:
    _h3_client()
    with stand() as bench:
        pairs = [certificate(bench.folder, name) for name in ("one.test", "two.test")]
        sites = (site("one.test", certificate=pairs[0]), site("two.test", certificate=pairs[1]))
        with bench.serve(bench.plan(*sites, http3=True)):
            offer = bench.ask("/", "one.test", port=443)
            assert offer.headers["alt-svc"] == 'h3=":443"; ma=86400'
            for name in ("one.test", "two.test"):
                answer = _ask(bench.net, "/api/method/whoami", name)
                assert isinstance(answer, Answer), answer
                assert answer.status == 200
                assert f'"site": "{name}"'.encode() in answer.body
                assert b'"scheme": "https"' in answer.body
                has_security_headers(answer)
            crossed = _ask(bench.net, "/api/method/whoami", "one.test", "evil.test")
            assert not (isinstance(crossed, Answer) and crossed.status == 200)
