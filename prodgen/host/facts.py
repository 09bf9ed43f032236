"""The facts about a host that a plan may depend on. They come from outside; nothing here looks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import PurePosixPath

from prodgen.provenance import Kind, Origin, Sourced


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
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
    nginx: Sourced[str] | None = None
    nginx_modules: Sourced[tuple[str, ...]] | None = None
    """As `nginx -V` names them, such as `http_gzip_static_module`."""
    openssl: Sourced[str] | None = None
    """That nginx was built with."""
    systemd: Sourced[str] | None = None


FACT_NAMES = tuple(fact.name for fact in fields(HostFacts))


def detected(value: object, how: str) -> Origin:
    """The origin of a fact found on this machine."""
    return Origin(Kind.HOST, f"{value} ({how})")
