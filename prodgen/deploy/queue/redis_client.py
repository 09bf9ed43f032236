"""The bench's redis_queue, asked in plain commands. Only here is the `redis` client known."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.queue import redis_limits, rq
from prodgen.host.run_as import Identity, acting_as

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT = 5.0
OPTIONS = ("db", "username", "password", "protocol")
"""What a URL may say behind its question mark, and with rediss:// what begins with `ssl_`.

The others are about the client's own behaviour, such as how long it waits."""
NO_REDIS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What Redis' client or we may stumble over if something else than Redis answers."""
LIFT = """\
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisUnavailable(Exception):
    """Redis does not answer now; it may come back."""


@dataclass(frozen=True, slots=True)
class Access:
    """How redis_queue is reached. The password is secret."""

    url: str
    username: str | None = None
    password: str | None = None
    reader: Identity | None = None
    """Whose rights it is reached with: the address is whatever the bench's user has written."""

    @property
    def place(self) -> str:
        """Host and port, without what is secret."""
        parts = urlsplit(self.url)
        return parts.path if parts.scheme == "unix" else parts.netloc.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Client:
    """A connection that waits in a blocking pop."""

    id: int
    port: int
    """Of the client's end; 0 over a unix socket."""


def blocked_clients(rows: Iterable[Mapping[str, str]]) -> list[Client]:
    """Those of `CLIENT LIST` that are blocked."""
    found = []
    for row in rows:
        if "b" in row.get("flags", ""):
            port = row.get("addr", "").rpartition(":")[2]
            found.append(Client(int(row["id"]), int(port) if re.fullmatch(rq.NUMBER, port) else 0))
    return found


class RedisQueue:
    """One connection. Raises RedisUnavailable while Redis does not answer, and DeployError if
    Redis refuses."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._budget = redis_limits.Budget()
        self._client = _connect(access, self._budget)

    def another(self) -> RedisQueue:
        """A connection of its own to the same Redis, for who may ask in the middle of an answer."""
        return RedisQueue(self.access)

    @contextlib.contextmanager
    def _asking(self) -> Iterator[Redis]:
        from redis import exceptions

        self._budget.begin()
        try:
            with acting_as(self.access.reader):
                yield self._client
        except (exceptions.AuthenticationError, exceptions.NoPermissionError) as failure:
            raise DeployError(
                "PG917",
                f"redis_queue at {self.access.place} refuses: {failure}",
                "check rq_username and rq_password in sites/common_site_config.json",
            ) from failure
        except (exceptions.ConnectionError, exceptions.TimeoutError) as failure:
            raise RedisUnavailable(
                f"redis_queue at {self.access.place} does not answer"
            ) from failure
        except exceptions.ResponseError as failure:  # such as MISCONF, where it cannot save
            raise DeployError(
                "PG918",
                f"redis_queue at {self.access.place} refuses: {failure}",
                "see its log, and redis_queue in sites/common_site_config.json",
            ) from failure
        except (exceptions.RedisError, *NO_REDIS, OSError) as failure:
            raise DeployError(
                "PG919",
                f"redis_queue at {self.access.place} does not answer as Redis does",
                "see what listens there, and correct redis_queue in sites/common_site_config.json",
            ) from failure

    def workers(self) -> list[rq.Worker]:
        """Every worker that has a record, of whatever bench."""
        with self._asking() as client:
            keys = sorted(_texts(client.smembers(rq.WORKERS)))
            pipe = client.pipeline(transaction=False)
            for key in keys:
                pipe.hmget(key, rq.WORKER_FIELDS)
            rows = pipe.execute()
            found = [rq.worker_of(key, row) for key, row in zip(keys, rows, strict=True)]
        return [worker for worker in found if worker]

    def state(self, worker: str) -> str:
        """What a worker is at; empty where Redis does not know it."""
        with self._asking() as client:
            return _text(client.hget(f"rq:worker:{worker}", "state"))

    def jobs(self, ids: Iterable[str]) -> dict[str, rq.Job]:
        """The jobs by id."""
        wanted = list(dict.fromkeys(ids))
        with self._asking() as client:
            pipe = client.pipeline(transaction=False)
            for job_id in wanted:
                pipe.hmget(f"rq:job:{job_id}", rq.JOB_FIELDS)
            rows = pipe.execute()
            return {key: rq.job_of(key, row) for key, row in zip(wanted, rows, strict=True)}

    def lengths(self, queues: Sequence[str]) -> dict[str, int]:
        """How many jobs wait in each queue (names as Redis has them)."""
        with self._asking() as client:
            pipe = client.pipeline(transaction=False)
            for name in queues:
                pipe.llen(f"rq:queue:{name}")
            return {name: int(count) for name, count in zip(queues, pipe.execute(), strict=True)}

    def queues(self) -> list[str]:
        """Every queue that RQ has ever used here."""
        with self._asking() as client:
            keys = _texts(client.smembers(rq.QUEUES))
        return sorted(key.removeprefix("rq:queue:") for key in keys)

    def blocked(self) -> list[Client]:
        """The connections that wait for a job; empty where we may not ask."""
        from redis import exceptions

        with self._asking() as client, contextlib.suppress(exceptions.ResponseError):
            return blocked_clients(client.client_list())
        return []

    def unblock(self, client_id: int) -> bool:
        """Ends a blocking pop as if its time were over; False where it was in none."""
        from redis import exceptions

        with self._asking() as client, contextlib.suppress(exceptions.ResponseError):
            return bool(client.client_unblock(client_id))
        return False

    def suspension(self) -> tuple[str, int]:
        """Who has suspended all workers (empty: nobody), and the seconds left (-1: no end)."""
        with self._asking() as client:
            value = _text(client.get(rq.SUSPENDED))
            return value, int(client.ttl(rq.SUSPENDED)) if value else 0

    def suspend(self, mark: str, seconds: int) -> None:
        """No worker begins another job, for so many seconds at most."""
        with self._asking() as client:
            client.set(rq.SUSPENDED, mark, ex=seconds)

    def lift(self, mark: str) -> bool:
        """Ends the suspension that bears this mark; whether there was one."""
        with self._asking() as client:
            return bool(client.eval(LIFT, 1, rq.SUSPENDED, mark))

    def setting(self, name: str) -> str:
        """A setting of the server (CONFIG GET); empty where it does not tell."""
        from redis import exceptions

        with self._asking() as client, contextlib.suppress(exceptions.ResponseError):
            return str(client.config_get(name).get(name, ""))
        return ""


def _connect(access: Access, budget: redis_limits.Budget) -> Redis:
    try:
        import redis
    except ImportError as failure:
        raise DeployError(
            "PG920",
            "the Python package `redis` is not installed, and without it nothing is known of jobs",
            "install it: pip install 'prodgen[restart]'",
        ) from failure
    given: dict[str, Any] = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    if access.password:
        given |= {"username": access.username, "password": access.password}
    try:
        client = redis.Redis.from_url(
            usable_url(access.url), decode_responses=True, encoding_errors="replace", **given
        )
    except NO_REDIS as failure:
        raise DeployError(
            "PG919",
            f"redis_queue is no address of a Redis: {failure}",
            "write it like redis://127.0.0.1:11000 in sites/common_site_config.json",
        ) from failure
    redis_limits.limit(client.connection_pool, budget)
    return client


def usable_url(url: str) -> str:
    """The URL without options by which it would say how the client behaves. Raises ValueError."""
    parts = urlsplit(url)
    options = [
        (name, value)
        for name, value in parse_qsl(parts.query)
        if name in OPTIONS or (name.startswith("ssl_") and parts.scheme == "rediss")
    ]
    head = url.partition("#")[0].partition("?")[0]
    return f"{head}?{urlencode(options)}" if options else head


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _texts(values: Any) -> list[str]:
    return [_text(value) for value in values]
