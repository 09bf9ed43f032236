"""Clients that keep asking while something is restarted, and count what went wrong.

Also a program, of the standard library alone, that prints its result as JSON:
`python -m tests.support.rig.load --port 80 --host one.test --seconds 5`.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.rig.place import HOST, Address, Place, open_socket

if TYPE_CHECKING:
    from types import TracebackType

SMALLEST, LARGEST = 1_024, 65_536
GET_PATH = "/api/method/ping"
POST_PATH = "/api/method/echo"
MAX_REASONS = 20
PAUSE_AFTER_FAILURE = 0.02


@dataclass
class Result:
    """What became of the requests: how many were answered rightly, and why the others were not."""

    ok: int = 0
    failed: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)

    def add(self, other: Result) -> None:
        """Count another client's result in."""
        self.ok += other.ok
        self.failed += other.failed
        self.slowest = max(self.slowest, other.slowest)
        self.reasons.update(other.reasons)
        self.versions.update(other.versions)

    def as_json(self) -> str:
        """The result as one JSON object."""
        counters = {"reasons": dict(self.reasons), "versions": dict(self.versions)}
        return json.dumps({**vars(self), **counters})

    def __str__(self) -> str:
        why = "; ".join(f"{count} x {reason}" for reason, count in self.reasons.most_common(5))
        counts = f"{self.failed} of {self.ok + self.failed} requests failed"
        return f"{counts} in {self.seconds:.1f} s, slowest {self.slowest:.3f} s {why}".rstrip()


class Load:
    """Client threads against one address; GET and POST in turn, bodies of 1 to 64 kB.

    As a context manager it runs until the end of the block (or its own bounds) and `result`
    then holds the sum.
    """

    def __init__(
        self,
        address: Address,
        host: str,
        *,
        clients: int = 8,
        keep_alive: bool = False,
        place: Place = HOST,
        seconds: float = 120.0,
        requests: int = 1_000_000,
        timeout: float = 30.0,
        get_path: str = GET_PATH,
        post_path: str = POST_PATH,
        headers: dict[str, str] | None = None,
        pause: float = 0.0,
    ) -> None:
        self.address, self.host, self.place = address, host, place
        self.keep_alive, self.timeout = keep_alive, timeout
        self.seconds, self.share = seconds, max(1, requests // clients)
        self.get_path, self.post_path = get_path, post_path
        self.headers = headers or {}
        self.pause = pause
        """Seconds of each client between two requests, which leave the servers some time."""
        self.result = Result()
        self._stopped = threading.Event()
        self._sums = [Result() for _ in range(clients)]
        self._threads = [
            threading.Thread(target=self._client, args=(number,), daemon=True)
            for number in range(clients)
        ]
        self._began = 0.0

    def start(self) -> Load:
        """Start the clients."""
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def answered(self) -> int:
        """How many requests have been answered rightly so far."""
        return sum(each.ok for each in self._sums)

    def wait(self) -> Result:
        """The result once the clients have reached their bounds."""
        for thread in self._threads:
            thread.join()
        self.result = Result(seconds=time.monotonic() - self._began)
        for each in self._sums:
            self.result.add(each)
        return self.result

    def stop(self) -> Result:
        """Let each client finish its request; the result."""
        self._stopped.set()
        return self.wait()

    def __enter__(self) -> Load:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _client(self, number: int) -> None:
        own, luck = self._sums[number], random.Random(number)
        self.place.enter_network()
        connection: http.client.HTTPConnection | None = None
        for turn in range(self.share):
            if self._stopped.is_set() or time.monotonic() - self._began > self.seconds:
                break
            began = time.monotonic()
            try:
                connection = connection or self._connect()
                reason = self._request(connection, own, luck, post=(turn + number) % 2 == 1)
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"
            own.slowest = max(own.slowest, time.monotonic() - began)
            time.sleep(self.pause)
            if reason is None:
                own.ok += 1
            else:
                own.failed += 1
                if len(own.reasons) < MAX_REASONS or reason in own.reasons:
                    own.reasons[reason] += 1
                time.sleep(PAUSE_AFTER_FAILURE)
            if connection and (reason or not self.keep_alive or connection.sock is None):
                connection.close()
                connection = None
        if connection:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost", timeout=self.timeout)
        place = self.place if isinstance(self.address, str) else HOST
        connection.sock = open_socket(place, self.address, self.timeout)
        return connection

    def _request(
        self,
        connection: http.client.HTTPConnection,
        own: Result,
        luck: random.Random,
        *,
        post: bool,
    ) -> str | None:
        headers = {"Host": self.host, "Connection": "keep-alive" if self.keep_alive else "close"}
        headers.update(self.headers)
        body = luck.randbytes(luck.randint(SMALLEST, LARGEST)) if post else None
        method, path = ("POST", self.post_path) if post else ("GET", self.get_path)
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        own.versions[answer.headers.get("X-Rig-Version", "?")] += 1
        if answer.status != 200:
            return f"{method} {answer.status}"
        if body is not None and json.loads(data)["sha256"] != hashlib.sha256(body).hexdigest():
            return "the body arrived changed"
        return None


def main(argv: list[str]) -> int:
    """Run a load and print its result; 1 where a request failed."""
    parser = argparse.ArgumentParser(prog="load")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--socket")
    parser.add_argument("--host", required=True)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--keep-alive", action="store_true")
    asked = parser.parse_args(argv)
    load = Load(
        asked.socket or (asked.address, asked.port),
        asked.host,
        clients=asked.clients,
        keep_alive=asked.keep_alive,
        seconds=asked.seconds,
        requests=asked.requests,
    )
    result = load.start().wait()
    sys.stdout.write(result.as_json() + "\n")
    return 1 if result.failed or not result.ok else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
