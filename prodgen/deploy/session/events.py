"""What a restart reports while it goes on: data, which the command line shows or prints as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Event:
    """One step. `kind` is a word for programs, `text` a sentence for people."""

    kind: str
    text: str
    process: str = ""
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """A worker that is waited for; times in seconds since the epoch."""

    process: str
    pid: int
    job: str = ""
    site: str = ""
    queue: str = ""
    description: str = ""
    since: float | None = None
    latest_end: float | None = None

    def as_json(self) -> Json:
        return {
            "process": self.process,
            "pid": self.pid,
            "job": self.job,
            "site": self.site,
            "queue": self.queue,
            "description": self.description,
            "since": self.since,
            "latest_end": self.latest_end,
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whom the restart waits for now."""

    what: str
    workers: tuple[Busy, ...]


Report = Callable[[Event | Waiting], None]
"""Takes each event as it happens. `Waiting` comes again and again while it lasts."""
