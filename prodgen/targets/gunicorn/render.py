"""Gunicorn's own settings, in a file that both managers' commands name.

What may change often stands here rather than in the command, so that such a change needs no
new socket (docs.gunicorn.org, settings).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic
from prodgen.plan.core.defaults import version_of
from prodgen.plan.core.model import GUNICORN_SETTINGS, Plan, Service
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.base import Target
from prodgen.targets.core.templating import render

LOOPBACK = ("127.0.0.1", "::1")
CONTROL_SOCKET = (25, 1)
"""The first Gunicorn that opens a control socket, shared by all benches of a user."""
REAPS_ALL = (24,)
"""The first Gunicorn that notices each end of a worker while it stops (gunicorn/arbiter.py)."""


class Context(NamedTuple):
    """What the template sees; times in seconds."""

    bench: str
    workers: int
    threads: int
    preload: bool
    timeout: int
    graceful_timeout: int
    max_requests: int
    max_requests_jitter: int
    proxies: str
    """Addresses that a proxy on this machine comes from."""
    has_control_socket: bool
    """True where the version is unknown: older ones ignore a setting that they do not know."""
    misses_ends: bool
    """Whether a broken application may keep the master for all its graceful time-out."""


def render_gunicorn(plan: Plan) -> tuple[list[Artifact], list[Diagnostic]]:
    """`gunicorn.conf.py`, where the bench's web tier is Frappe under Gunicorn."""
    web = next((one for one in plan.services if one.gunicorn), None)
    settings = web.gunicorn if web else None
    if web is None or settings is None:
        return [], []
    version = version_of(settings.version.value) if settings.version else ()
    context = Context(
        bench=plan.bench_name.value,
        workers=settings.workers.value,
        threads=settings.threads.value,
        preload=settings.preload.value,
        timeout=settings.timeout.value,
        graceful_timeout=settings.graceful_timeout.value,
        max_requests=settings.max_requests.value,
        max_requests_jitter=settings.max_requests_jitter.value,
        proxies=",".join(_proxies(web)),
        has_control_socket=not version or version >= CONTROL_SOCKET,
        misses_ends=version < REAPS_ALL,
    )
    artifact = Artifact(
        path=PurePosixPath("gunicorn", GUNICORN_SETTINGS),
        text=render("gunicorn/gunicorn.conf.py", context),
        destination=plan.config_folder.value / GUNICORN_SETTINGS,
        target="gunicorn",
    )
    return [artifact], []


def _proxies(web: Service) -> list[str]:
    """Loopback, and the web's own address: who connects to it from here comes from it too."""
    own = web.address.value.host if web.address else ""
    return [*LOOPBACK, *([own] if own and own not in LOOPBACK else [])]


def ready_line(master: int) -> str:
    """What the error log says once a worker of the instance with this pid has the application."""
    return f"Worker ready (master: {master})"


TARGET = Target("gunicorn", "settings of the web workers, for either manager", render_gunicorn)
