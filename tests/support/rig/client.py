"""Plain HTTP requests to a server in any `Place`: TCP, TLS or a unix socket, no redirects."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.rig.place import HOST, Address, Place, open_socket

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case, repeated ones joined by a comma) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body parsed as JSON."""
        return json.loads(self.body)


def fetch(
    address: Address,
    path: str = "/",
    *,
    method: str = "GET",
    host: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    place: Place = HOST,
    tls: ssl.SSLContext | None = None,
    timeout: float = 10.0,
) -> Answer:
    """The answer to one request; the `Host` header (and TLS server name) is `host`."""
    name = host or (address if isinstance(address, str) else address[0])
    connection = http.client.HTTPConnection(host or "localhost", timeout=timeout)
    try:
        link = open_socket(place, address, timeout)
        connection.sock = link if tls is None else tls.wrap_socket(link, server_hostname=name)
        fields = {"Connection": "close", **(headers or {})}
        if host is not None:
            fields = {"Host": host, **fields}
        connection.request(method, path, body=body, headers=fields)
        response = connection.getresponse()
        return Answer(response.status, _joined(response.getheaders()), response.read())
    finally:
        connection.close()


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    result: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        result[key] = f"{result[key]}, {value}" if key in result else value
    return result


def trusting_anyone() -> ssl.SSLContext:
    """A TLS client that accepts every certificate, for self-signed ones of a test."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
