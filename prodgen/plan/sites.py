"""The sites and the names under which the reverse proxy serves them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from prodgen.diagnostics import Location, error, note, warning
from prodgen.inputs.bench import SiteInput
from prodgen.inputs.core.values import Values
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import PlanContext
from prodgen.plan.core.model import Certificate, ServerName, Site
from prodgen.provenance import Kind, Origin, Sourced, default

LABEL = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)"
HOST_NAME = rf"(?:\*\.)?{LABEL}(?:\.{LABEL})*\.?"
SITE_NAME = r"[A-Za-z0-9._-]+"
HTTP_PORT = 80
USUAL_PORT = default(HTTP_PORT, "the port of HTTP")


class _Shared(NamedTuple):
    """What the bench says for all of its sites."""

    largest_body: Sourced[int]
    covered: str = ""
    """The domain whose names the wildcard certificate covers."""
    certificate: Sourced[Certificate] | None = None


def plan_sites(context: PlanContext) -> tuple[Site, ...]:
    """Every site that can be served, by the name of its folder."""
    shared = _shared(context.bench.common)
    sites = [
        site for given in context.bench.sites if (site := _site(context, given, shared)) is not None
    ]
    _refuse_shared_names(context, sites)
    _mention_ports(context, sites)
    return tuple(sites)


def _shared(common: Values) -> _Shared:
    largest = _largest_body(common, Values())
    domain = common.text("wildcard", "domain")
    certificate = _certificate(common, ("wildcard",))
    if domain is None or certificate is None:
        return _Shared(largest)
    return _Shared(largest, domain.value.lower().removeprefix("*."), certificate)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _site(context: PlanContext, given: SiteInput, shared: _Shared) -> Site | None:
    folder = Sourced(given.name, Origin(Kind.FILE, f"the folder sites/{given.name}"))
    if not _compiled(SITE_NAME).fullmatch(given.name) or not is_host_name(
        given.name.lower().rstrip(".")
    ):
        context.report(
            warning(
                "PG642",
                f"the site `{given.name}` is left out: neither Frappe nor nginx takes such a name",
                Location(f"sites/{given.name}"),
                "rename its folder to a host name: letters, digits, `-`, `_`, and dots between",
            )
        )
        return None
    names = tuple(_names(context, given, folder, shared))
    has_own = given.config.integer("max_file_size")
    largest = _largest_body(context.bench.common, given.config) if has_own else shared.largest_body
    return Site(folder=folder, names=names, port=_port(given), largest_body=largest)


def _names(
    context: PlanContext, given: SiteInput, folder: Sourced[str], shared: _Shared
) -> Iterator[ServerName]:
    """The folder's own name and the domains, each once."""
    config = given.config
    own = _certificate(config, ())
    seen: set[str] = set()
    candidates = [(folder, own), *_domains(config, own)]
    for name, certificate in candidates:
        key = name.value.lower().rstrip(".")
        if key in seen:
            continue
        if not is_host_name(key):
            context.report(
                error(
                    "PG641",
                    f"`{name.value}` is no host name",
                    name.location,
                    "expected a name like erp.example.com, or *.example.com",
                )
            )
            continue
        seen.add(key)
        shown = name if name.value == key else Sourced(key, name.origin)
        yield ServerName(name=shown, certificate=certificate or _wildcard(shared, key))


def _domains(
    config: Values, own: Sourced[Certificate] | None
) -> Iterator[tuple[Sourced[str], Sourced[Certificate] | None]]:
    for index, item in enumerate(config.items("domains")):
        if isinstance(item, dict):
            certificate = _certificate(config, ("domains", index)) or own
            yield config.sourced(str(item["domain"]), "domains", index, "domain"), certificate
        else:
            yield config.sourced(str(item), "domains", index), own


def is_host_name(name: str) -> bool:
    """Whether nginx and browsers can use `name` for a host (RFC 1123, with `_` and `*.`)."""
    if ":" not in name:
        return len(name) <= 253 and bool(_compiled(HOST_NAME).fullmatch(name))
    try:
        ipaddress.IPv6Address(name)
    except ValueError:
        return False
    return True


def _certificate(config: Values, path: tuple[str | int, ...]) -> Sourced[Certificate] | None:
    chain = config.text(*path, "ssl_certificate")
    key = config.text(*path, "ssl_certificate_key") if chain else None
    if chain is None or key is None:
        return None
    return chain.derive(Certificate(chain.value, key.value), "the site's certificate", key)


def _wildcard(shared: _Shared, name: str) -> Sourced[Certificate] | None:
    """The bench's wildcard certificate where it covers `name`: one label, not two (RFC 6125)."""
    return shared.certificate if name.partition(".")[2] == shared.covered else None


def _port(given: SiteInput) -> Sourced[int]:
    return given.config.integer("nginx_port") or USUAL_PORT


def _largest_body(common: Values, config: Values) -> Sourced[int]:
    """Bytes of an upload with what multipart adds, never less than bench has allowed."""
    limit = (
        config.integer("max_file_size")
        or common.integer("max_file_size")
        or default(rules.UPLOAD_LIMIT, "Frappe's own upload limit")
    )
    wanted = limit.value + rules.MULTIPART_OVERHEAD
    if wanted < rules.SMALLEST_BODY_LIMIT:
        return limit.derive(rules.SMALLEST_BODY_LIMIT, "never less than bench has allowed")
    return limit.derive(wanted, "the upload limit, and 1 MB for what multipart adds")


def _refuse_shared_names(context: PlanContext, sites: list[Site]) -> None:
    claimed: dict[tuple[str, int], tuple[Site, ServerName]] = {}
    for site in sites:
        for name in site.names:
            other = claimed.setdefault((name.name.value, site.port.value), (site, name))
            if other[0] is site:
                continue
            place = other[1].name.location
            context.report(
                error(
                    "PG640",
                    f"the sites {other[0].folder.value} and {site.folder.value} both claim "
                    f"{name.name.value}",
                    name.name.location or place,
                    "leave it to one of them",
                    (("the other claim", place),) if place and name.name.location else (),
                )
            )


def _mention_ports(context: PlanContext, sites: list[Site]) -> None:
    """bench gives each site a port of its own unless dns_multitenant is on."""
    by_name = context.bench.common.flag("dns_multitenant")
    unnamed = [site.folder.value for site in sites if site.port.value == HTTP_PORT]
    if len(unnamed) > 1 and not (by_name and by_name.value):
        context.report(
            note(
                "PG643",
                f"{len(unnamed)} sites share port {HTTP_PORT} and are told apart by name",
                by_name.location if by_name else None,
                "bench would give each a port of its own; set nginx_port in a site_config.json "
                "to keep one",
            )
        )
