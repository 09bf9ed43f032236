"""Gunicorn's own settings, in a file that both managers' commands name.

What may change often stands here rather than in the command, so that such a change needs no
new socket (docs.gunicorn.org, settings).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from prodgen.diagnostics import Diagnostic
from prodgen.plan.model import Plan
from prodgen.plan.rules import version_of
from prodgen.targets.artifacts import Artifact
from prodgen.targets.base import Target
from prodgen.targets.templating import render

CONTROL_SOCKET = (25, 1)
"""The first Gunicorn that opens a control socket, shared by all benches of a user."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the template sees; times in seconds."""

    bench: str
    workers: int
    threads: int
    preload: bool
    timeout: int
    graceful_timeout: int
    max_requests: int
    max_requests_jitter: int
    has_control_socket: bool


def render_gunicorn(plan: Plan) -> tuple[list[Artifact], list[Diagnostic]]:
    """`gunicorn.conf.py`, where the bench's web tier is Frappe under Gunicorn."""
    settings = next((one.gunicorn for one in plan.services if one.gunicorn), None)
    if settings is None:
        return [], []
    version = settings.version
    context = Context(
        bench=plan.bench_name.value,
        workers=settings.workers.value,
        threads=settings.threads.value,
        preload=settings.preload.value,
        timeout=settings.timeout.value,
        graceful_timeout=settings.graceful_timeout.value,
        max_requests=settings.max_requests.value,
        max_requests_jitter=settings.max_requests_jitter.value,
        has_control_socket=version is not None and version_of(version.value) >= CONTROL_SOCKET,
    )
    artifact = Artifact(
        path=PurePosixPath("gunicorn", "gunicorn.conf.py"),
        text=render("gunicorn/gunicorn.conf.py", context),
        destination=plan.config_folder.value / "gunicorn.conf.py",
        target="gunicorn",
    )
    return [artifact], []


def ready_line(master: int) -> str:
    """What the error log says once a worker of the instance with this pid has the application."""
    return f"Worker ready (master: {master})"


TARGET = Target("gunicorn", "settings of the web workers, for either manager", render_gunicorn)
