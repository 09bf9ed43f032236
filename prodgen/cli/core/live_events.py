"""How a restart shows what it does: lines, live lines on a terminal, or JSON."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import click

from prodgen.app.reports.json import diagnostic
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.terminal.color import style
from prodgen.app.terminal.text import printable, shortened, write_stderr
from prodgen.deploy.session.events import Busy, Event, Waiting
from prodgen.diagnostics import Diagnostic

FORMAT_VERSION = 1
REMINDER = 30.0
"""Seconds between two plain lines about the same wait."""
WIDTH = 100
TONES = {"problem": "red"} | dict.fromkeys(("ready", "checked", "done", "healthy"), "green")
ERASE_LINE, LINE_UP = "\x1b[2K", "\x1b[1A"


def reporter(form: str, *, quiet: bool, color: bool) -> Callable[[Event | Waiting], None]:
    """The callback that prints events: JSON to standard output, text to standard error."""
    if form == "json":
        return JsonLines()
    live = sys.stderr.isatty() and not quiet
    return LiveLines(color=color) if live else PlainLines(color=color, quiet=quiet)


def say_refusal(found: Sequence[Diagnostic], form: str, *, color: bool, folder: str = "") -> None:
    """Why a command cannot go on: words to standard error, and as JSON one last event."""
    show_diagnostics(found, color=color, folder=folder)
    if form == "json":
        diagnostics = [diagnostic(one, PurePosixPath(folder)) for one in found]
        made = {"event": "refused", "text": found[0].message, "diagnostics": diagnostics}
        click.echo(json.dumps({**made, "time": round(time.time(), 3)}, ensure_ascii=False))


class JsonLines:
    """One object a line. A wait is reported when it changes."""

    def __init__(self) -> None:
        self.last: Waiting | None = None
        self._print({"event": "begin", "format_version": FORMAT_VERSION})

    def __call__(self, one: Event | Waiting) -> None:
        if isinstance(one, Event):
            made = {"event": one.kind, "text": one.text, "process": one.process, **one.data}
            return self._print(made)
        if one != self.last:
            self.last = one
            workers = [worker.as_json() for worker in one.workers]
            self._print({"event": "waiting", "text": one.what, "workers": workers})
        return None

    def _print(self, made: dict[str, object]) -> None:
        click.echo(json.dumps({**made, "time": round(time.time(), 3)}, ensure_ascii=False))


class PlainLines:
    """A line for each event; a wait once, when it changes, and again every half minute."""

    def __init__(self, *, color: bool, quiet: bool = False) -> None:
        self.color = color
        self.quiet = quiet
        self.known: dict[tuple[str, str], float] = {}

    def __call__(self, one: Event | Waiting) -> None:
        if isinstance(one, Event):
            if not self.quiet or one.kind == "problem":
                write_stderr(f"{self.line(one)}\n")
        elif not self.quiet:
            self.wait(one)

    def line(self, one: Event) -> str:
        """An event as a line."""
        text = printable(one.text)
        mark = {"problem": "error: ", "note": "note: "}.get(one.kind, "")
        tone = TONES.get(one.kind)
        return style(f"{mark}{text}", tone) if self.color and tone else f"{mark}{text}"

    def wait(self, one: Waiting) -> None:
        """Print the workers that are waited for: once each, and again every half minute."""
        now = time.monotonic()
        for worker in one.workers:
            key = (worker.process, worker.job)
            if now - self.known.get(key, -REMINDER) >= REMINDER:
                self.known[key] = now
                write_stderr(f"waiting: {busy_line(worker)}\n")


class LiveLines(PlainLines):
    """Plain lines, with a line for each busy worker at the end that is redrawn."""

    def __init__(self, *, color: bool) -> None:
        super().__init__(color=color)
        self.drawn = 0
        self.at = 0.0

    def __call__(self, one: Event | Waiting) -> None:
        if isinstance(one, Event):
            self._erase()
            write_stderr(f"{self.line(one)}\n")
            return
        if time.monotonic() - self.at < 0.5 and len(one.workers) == self.drawn:
            return
        self.at = time.monotonic()
        self._erase()
        columns = shutil.get_terminal_size((WIDTH, 24)).columns
        lines = [f"  … {busy_line(worker)}"[: columns - 1] for worker in one.workers]
        write_stderr("".join(f"{line}\n" for line in lines))
        self.drawn = len(lines)

    def _erase(self) -> None:
        write_stderr(f"{LINE_UP}{ERASE_LINE}" * self.drawn)
        self.drawn = 0


def busy_line(one: Busy, now: float | None = None) -> str:
    """A busy worker: process, job, site, for how long, and its latest possible end."""
    now = time.time() if now is None else now
    what = printable(shortened(one.description or one.job))[:60]
    parts = [one.process, what, *([f"of {one.site}"] if one.site else [])]
    if one.since:
        parts.append(f"for {span(now - one.since)}")
    if one.latest_end:
        parts.append(f"ends within {span(one.latest_end - now)}")
    return ", ".join(printable(part) for part in parts if part)


def span(seconds: float) -> str:
    """`42 s`, `3 min 5 s`, `2 h 10 min`, `5 d 3 h`."""
    total = max(0, round(seconds))
    for size, name, smaller, lesser in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if total >= size:
            rest = total % size // smaller
            return f"{total // size} {name}" + (f" {rest} {lesser}" if rest else "")
    return f"{total} s"
