"""Asking a Redis server in any `Place`, without a client library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from tests.support.rig.place import HOST, Address, Place, open_socket

if TYPE_CHECKING:
    from collections.abc import Sequence


class RedisError(RuntimeError):
    """The server's own error."""


def ask(address: Address, *words: str | int, place: Place = HOST) -> Any:
    """The answer to one command: text, a number, None, or a list of these."""
    return ask_all(address, [words], place=place)[0]


def ask_all(
    address: Address, commands: Sequence[Sequence[str | int]], *, place: Place = HOST
) -> list[Any]:
    """The answers to several commands over one connection."""
    with open_socket(place, address, 5.0) as link, link.makefile("rb") as stream:
        link.sendall(b"".join(_command(words) for words in commands))
        return [_read(stream) for _ in commands]


def _command(words: Sequence[str | int]) -> bytes:
    parts = [str(word).encode() for word in words]
    body = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"*%d\r\n%b" % (len(parts), body)


def _read(stream: BinaryIO) -> Any:
    line = stream.readline().rstrip(b"\r\n")
    if not line:
        msg = "Redis closed the connection"
        raise ConnectionError(msg)
    kind, rest = line[:1], line[1:]
    if kind == b"-":
        raise RedisError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"+":
        return rest.decode()
    if int(rest) < 0:
        return None
    if kind == b"$":
        return stream.read(int(rest) + 2)[:-2].decode(errors="replace")
    return [_read(stream) for _ in range(int(rest))]
