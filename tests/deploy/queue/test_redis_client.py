"""What the bench's user puts in the place of Redis: no answer of it crashes or holds up prodgen."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.queue import redis_client, redis_limits, rq
from prodgen.deploy.queue.redis_client import (
    Access,
    RedisQueue,
    RedisUnavailable,
    blocked_clients,
    usable_url,
)

Serve = Callable[[socket.socket], None]
QUESTIONS: dict[str, Callable[[RedisQueue], object]] = {
    "workers": lambda queue: queue.workers(),
    "state": lambda queue: queue.state("w"),
    "jobs": lambda queue: queue.jobs(["j"]),
    "lengths": lambda queue: queue.lengths(["q"]),
    "queues": lambda queue: queue.queues(),
    "blocked": lambda queue: queue.blocked(),
    "unblock": lambda queue: queue.unblock(3),
    "suspension": lambda queue: queue.suspension(),
    "suspend": lambda queue: queue.suspend("m", 60),
    "lift": lambda queue: queue.lift("m"),
    "setting": lambda queue: queue.setting("maxmemory"),
}
ANSWERS = {
    "a number": b":5\r\n",
    "a text": b"$3\r\nabc\r\n",
    "a text without fields": b"$7\r\nid=\nx=y\r\n",
    "a list of numbers": b"*2\r\n:1\r\n:2\r\n",
    "a list of lists": b"*1\r\n*1\r\n$1\r\na\r\n",
    "nothing": b"$-1\r\n",
    "an error": b"-ERR no\r\n",
    "no Redis": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a map": b"%1\r\n$1\r\na\r\n:1\r\n",
    "a length that is none": b"$\xc2\xb2\r\n",
    "an endless length": b"$99999999999999999999\r\n",
    "bytes": b"\x00\xff\xfe\r\n" * 50,
    "depth": b"*1\r\n" * 5000,
}


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is taken for an answer early."""
    monkeypatch.setattr(redis_client, "TIMEOUT", 0.3)


@contextmanager
def served(serve: Serve) -> Iterator[str]:
    """The URL of a server that does this with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:
                    return
                with link:
                    try:
                        serve(link)
                    except OSError:
                        continue

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def saying(answer: bytes) -> Serve:
    """Gives one answer to every command."""

    def serve(link: socket.socket) -> None:
        link.settimeout(5)
        while said := link.recv(65536):
            for _ in range(said.count(b"*")):
                link.sendall(answer)

    return serve


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_nonsense_crashes_nothing(answer: bytes) -> None:
    with served(saying(answer)) as url:
        for ask in QUESTIONS.values():
            with contextlib.suppress(DeployError, RedisUnavailable):
                ask(RedisQueue(Access(url)))


def test_what_redis_itself_says_is_said() -> None:
    """As it does where it cannot save, and takes no writes any more."""
    with (
        served(saying(b"-MISCONF cannot persist\r\n")) as url,
        pytest.raises(DeployError, match="refuses: MISCONF cannot persist"),
    ):
        RedisQueue(Access(url)).suspend("m", 60)


def trickle(link: socket.socket) -> None:
    """One byte after the other, each before any time-out."""
    while True:
        link.sendall(b"+" if link.recv(1) else b"")
        for _ in range(2000):
            link.sendall(b"x")
            time.sleep(0.01)


def pour(link: socket.socket) -> None:
    """As much as goes through."""
    link.recv(1)
    link.sendall(b"$9999999999\r\n")
    while True:
        link.sendall(b"x" * 65536)


@pytest.mark.parametrize("serve", [trickle, pour])
def test_an_answer_without_end_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_limits, "MOST_SECONDS", 0.3)
    monkeypatch.setattr(redis_limits, "MOST_BYTES", 2_000_000)
    began = time.monotonic()
    with served(serve) as url, pytest.raises(RedisUnavailable, match="does not answer"):
        RedisQueue(Access(url)).suspension()
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "url",
    ["redis://[::1", "http://127.0.0.1:1", "redis://127.0.0.1:99999", "redis://h:x", "", "unix://"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises((DeployError, RedisUnavailable)):
        RedisQueue(Access(url)).suspension()


@pytest.mark.parametrize(
    ("url", "usable"),
    [
        ("redis://h:1/2?socket_timeout=1e9&retry_on_timeout=1", "redis://h:1/2"),
        ("redis://h:1?bogus=1&db=3", "redis://h:1?db=3"),
        ("redis://h:1?ssl_keyfile=/k", "redis://h:1"),
        ("rediss://h:1?ssl_ca_certs=/c&health_check_interval=x", "rediss://h:1?ssl_ca_certs=%2Fc"),
        ("unix:///run/r.sock?db=1&socket_read_size=0", "unix:///run/r.sock?db=1"),
    ],
)
def test_an_address_does_not_say_how_the_client_behaves(url: str, usable: str) -> None:
    assert usable_url(url) == usable
    RedisQueue(Access(url))


@pytest.mark.parametrize("number", ["²", "9" * 5000, "--5", "", "1e3", "-1"])
def test_a_record_with_a_number_that_is_none(number: str) -> None:
    row = ["", "busy", "j", number, "h", number, number, None]
    worker = rq.worker_of("rq:worker:w", row)
    assert worker
    assert worker.pid == 0
    job = rq.job_of("j", [number, "2026-01-01T00:00:00Z", "", "", ""])
    assert job.timeout in (None, -1)
    assert job.latest_end is None
    assert blocked_clients([{"flags": "b", "id": "1", "addr": f"a:{number}"}])[0].port == 0
