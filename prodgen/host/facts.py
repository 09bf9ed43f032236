"""The facts about a host that a plan may depend on. They come from outside; nothing here looks."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.provenance import Kind, Origin, Sourced

DEBIAN_PROGRAMS = PurePosixPath("/etc/supervisor/conf.d")
RED_HAT_PROGRAMS = PurePosixPath("/etc/supervisord.d")
"""The folder whose files supervisord includes, as the package of each family has it."""


class HostFacts(NamedTuple):
    """What is known of the host that will run the bench; None is not known.

    `memory` is in bytes. The versions are those that the programs print.
    """

    path: Sourced[PurePosixPath] | None = None
    """Of the bench's folder."""
    owner: Sourced[str] | None = None
    home: Sourced[PurePosixPath] | None = None
    cpus: Sourced[int] | None = None
    memory: Sourced[int] | None = None
    node: Sourced[PurePosixPath] | None = None
    redis_server: Sourced[PurePosixPath] | None = None
    frappe: Sourced[str] | None = None
    gunicorn: Sourced[str] | None = None
    python: Sourced[str] | None = None
    """That of the bench's env, such as `3.11`."""
    nginx: Sourced[str] | None = None
    nginx_modules: Sourced[tuple[str, ...]] | None = None
    """As `nginx -V` names them, such as `http_gzip_static_module`."""
    openssl: Sourced[str] | None = None
    """That nginx was built with."""
    ipv6: Sourced[bool] | None = None
    """Whether the kernel has it."""
    systemd: Sourced[str] | None = None
    supervisor_folder: Sourced[PurePosixPath] | None = None
    """The folder whose files supervisord includes."""


FACT_NAMES = HostFacts._fields


def detected(value: object, how: str) -> Origin:
    """The origin of a fact found on this machine."""
    shown = " ".join(value) if isinstance(value, tuple) else value
    return Origin(Kind.HOST, f"{shown} ({how})")
