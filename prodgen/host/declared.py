"""The facts that `host:` in prodgen.yaml declares; what is declared is not looked up."""

from __future__ import annotations

from pathlib import PurePosixPath

from prodgen.host.facts import FACT_NAMES, HostFacts
from prodgen.inputs.core.values import Values
from prodgen.provenance import Sourced


def declared_facts(settings: Values) -> HostFacts:
    """What the settings say about the host that will run the bench."""
    return HostFacts(
        path=_path(settings, "path"),
        home=_path(settings, "home"),
        cpus=settings.integer("host", "cpus"),
        memory=settings.integer("host", "memory"),
        node=_path(settings, "node"),
        redis_server=_path(settings, "redis_server"),
        frappe=settings.text("host", "frappe"),
        gunicorn=settings.text("host", "gunicorn"),
        python=settings.text("host", "python"),
        nginx=settings.text("host", "nginx"),
        nginx_modules=_names(settings, "nginx_modules"),
        openssl=settings.text("host", "openssl"),
        ipv6=settings.flag("host", "ipv6"),
        systemd=settings.text("host", "systemd"),
        supervisor_folder=_path(settings, "supervisor_folder"),
    )


def _path(settings: Values, name: str) -> Sourced[PurePosixPath] | None:
    given = settings.text("host", name)
    return Sourced(PurePosixPath(given.value), given.origin) if given else None


def _names(settings: Values, name: str) -> Sourced[tuple[str, ...]] | None:
    given = settings.items("host", name)
    names = tuple(str(item) for item in given)
    return settings.sourced(names, "host", name) if given else None


def complete(declared: HostFacts, found: HostFacts) -> HostFacts:
    """The declared facts, and for those that nobody declared what was found."""
    missing = {name: getattr(found, name) for name in FACT_NAMES if getattr(declared, name) is None}
    return declared._replace(**missing)
