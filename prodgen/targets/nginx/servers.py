"""Which server blocks a plan's sites need: as few as their certificates and limits allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, error
from prodgen.plan.core.model import Certificate, Plan, ServerName, Site
from prodgen.provenance import Sourced
from prodgen.targets.core.base import Unwritable, unwritable
from prodgen.targets.nginx.escape import (
    constant,
    covers,
    host_name,
    identifier,
    is_long,
    map_key,
    size,
)
from prodgen.targets.nginx.tls import Dialect

HTTP = 80
HTTPS = 443


class Server(NamedTuple):
    """One `server {}`, in nginx's language."""

    listens: list[str]
    names: list[str]
    body_limit: str
    is_tls: bool = False
    chain: str = ""
    key: str = ""
    redirects: bool = False
    """It only sends clients on to HTTPS."""
    upgrades: bool = False
    """It answers on both ports and sends clients of plain HTTP on to HTTPS."""
    port: int = 0
    """Of TLS."""
    is_mapped: bool = False
    """Whether its certificate is chosen at each handshake."""
    mistaken: bool = False
    """Whether people may speak plain HTTP to its port by mistake: it has none of its own."""


class Choice(NamedTuple):
    """One line of a map: the key, and what it chooses (the folder of a site, a path)."""

    key: str
    value: str

    def __str__(self) -> str:
        """The line itself: a template joins thousands of them much faster than it loops."""
        return f"{self.key} {self.value};"


class Layout(NamedTuple):
    """The servers, and how the site of a request is found."""

    servers: list[Server]
    by_name: list[Choice]
    """By host, on the ports of HTTP and HTTPS."""
    by_port: list[Choice]
    """By port, where a site has one to itself."""
    by_port_and_name: dict[int, list[Choice]]
    """By host, on a port of their own that several sites share."""
    chains: Sequence[Choice] = ()
    """The certificate by the name that a client asks for, where it is chosen at each handshake."""
    keys: Sequence[Choice] = ()


class _Entry(NamedTuple):
    """A name with its site, and what of them is asked for time and again."""

    site: Site
    name: ServerName
    host: str
    certificate: Certificate | None
    body: int


_Key = tuple[str, str, int]
"""Chain, key, and bytes of the largest body: what names must share to share a server."""


def lay_out(plan: Plan, dialect: Dialect) -> tuple[Layout, list[Diagnostic]]:
    """The servers of a plan; findings are errors."""
    entries = [
        _Entry(
            site,
            name,
            name.name.value,
            name.certificate.value if name.certificate else None,
            site.largest_body.value,
        )
        for site in sorted(plan.sites, key=lambda one: one.folder.value)
        for name in site.names
    ]
    findings = [*_unwritable(entries), *_hidden(entries)]
    if findings:
        return Layout([], [], [], {}), findings
    shared, alone = _by_way(entries)
    is_mapped = plan.nginx.certificates.value == "map"
    servers = _by_name(shared, plan, dialect, is_mapped=is_mapped)
    by_port: list[Choice] = []
    by_port_and_name: dict[int, list[Choice]] = {}
    for port, own in sorted(alone.items()):
        secured = [one for one in own if one.certificate]
        findings += _insecure(own, port, is_tls=bool(secured) or port == HTTPS)
        servers += _on_port(own, port, dialect)
        if len({one.site.folder.value for one in own}) == 1:
            by_port.append(Choice(str(port), own[0].site.folder.value))
        else:
            by_port_and_name[port] = _choices(own)
    layout = Layout(servers, _choices(shared), by_port, by_port_and_name)
    return (_with_certificates(layout, shared) if is_mapped else layout), findings


def _with_certificates(layout: Layout, entries: Iterable[_Entry]) -> Layout:
    given = [(map_key(one.host), one.certificate) for one in entries]
    return layout._replace(
        chains=[Choice(host, constant(own.chain)) for host, own in given if own],
        keys=[Choice(host, constant(own.key)) for host, own in given if own],
    )


def _is_by_name(entry: _Entry) -> bool:
    port = entry.site.port.value
    return port == HTTP or (port == HTTPS and entry.certificate is not None)


def _by_way(entries: Iterable[_Entry]) -> tuple[list[_Entry], dict[int, list[_Entry]]]:
    """The names on the ports of HTTP and HTTPS, and those on other ports by port."""
    shared: list[_Entry] = []
    alone: dict[int, list[_Entry]] = {}
    for one in entries:
        place = shared if _is_by_name(one) else alone.setdefault(one.site.port.value, [])
        place.append(one)
    return shared, alone


def _choices(entries: Iterable[_Entry]) -> list[Choice]:
    return [Choice(map_key(one.host), one.site.folder.value) for one in entries]


def _by_name(
    entries: list[_Entry], plan: Plan, dialect: Dialect, *, is_mapped: bool
) -> list[Server]:
    """The servers on the ports of HTTP and HTTPS, plain ones first."""
    plain = [one for one in entries if not one.certificate]
    secured = [one for one in entries if one.certificate]
    servers = [
        Server(dialect.listens(HTTP), _hosts(members), size(body))
        for body, members in _by_body(plain).items()
    ]
    behind_proxy = bool(plan.nginx.trusted_proxies.value)
    if secured and not behind_proxy:
        servers.append(Server(dialect.listens(HTTP), _hosts(secured), "", redirects=True))
    by_certificate = _grouped(secured)
    if is_mapped:
        own = f"${identifier(plan.bench_name.value)}"
        by_certificate = {
            (f"{own}_chain", f"{own}_key", body): members
            for body, members in _by_body(secured).items()
        }
    for index, ((chain, key, body), members) in enumerate(by_certificate.items()):
        listens = dialect.listens(HTTPS, is_tls=True, is_first=index == 0)
        servers.append(
            Server(
                [*(dialect.listens(HTTP) if behind_proxy else []), *listens],
                _hosts(members),
                size(body),
                is_tls=True,
                chain=chain if is_mapped else constant(chain),
                key=key if is_mapped else constant(key),
                is_mapped=is_mapped,
                upgrades=behind_proxy,
                port=HTTPS,
            )
        )
    return servers


def _on_port(entries: list[_Entry], port: int, dialect: Dialect) -> list[Server]:
    return [
        Server(
            dialect.listens(port, is_tls=bool(chain), is_first=index == 0),
            _hosts(members),
            size(body),
            is_tls=bool(chain),
            chain=constant(chain) if chain else "",
            key=constant(key) if key else "",
            port=port,
            mistaken=bool(chain),
        )
        for index, ((chain, key, body), members) in enumerate(_grouped(entries).items())
    ]


def _grouped(entries: Iterable[_Entry]) -> dict[_Key, list[_Entry]]:
    groups: dict[_Key, list[_Entry]] = {}
    for one in entries:
        own = one.certificate or Certificate("", "")
        groups.setdefault((own.chain, own.key, one.body), []).append(one)
    return groups


def _by_body(entries: Iterable[_Entry]) -> dict[int, list[_Entry]]:
    groups: dict[int, list[_Entry]] = {}
    for one in entries:
        groups.setdefault(one.body, []).append(one)
    return groups


def _hosts(entries: Iterable[_Entry]) -> list[str]:
    return [host_name(one.host) for one in entries]


def _unwritable(entries: Iterable[_Entry]) -> list[Diagnostic]:
    """The certificates whose paths nginx would not take as they are."""
    findings: list[Diagnostic] = []
    seen: set[Certificate] = set()
    for one in entries:
        given: Sourced[Certificate] | None = one.name.certificate
        if given is None or given.value in seen:
            continue
        seen.add(given.value)
        try:
            _check(given.value.chain)
            _check(given.value.key)
        except Unwritable as reason:
            findings.append(unwritable(given, reason, "nginx"))
    return findings


def _check(path: str) -> None:
    constant(path)
    if path.startswith(("data:", "engine:", "store:")):
        kind = path.partition(":")[0]
        raise Unwritable(f"`{path}` would be no path to nginx, but a value of the kind `{kind}:`")


def _insecure(entries: list[_Entry], port: int, *, is_tls: bool) -> list[Diagnostic]:
    """An error for each name without a certificate on a port where TLS is spoken."""
    if not is_tls:
        return []
    return [
        error(
            "PG724",
            f"{one.host} has no certificate, and port {port} speaks TLS",
            one.name.name.location or one.site.port.location,
            "give it a certificate, or its site another nginx_port",
        )
        for one in entries
        if not one.certificate
    ]


def _hidden(entries: list[_Entry]) -> list[Diagnostic]:
    """Names so long that they are patterns, which nginx asks only after every wildcard."""
    wildcards = [one for one in entries if one.host.startswith("*.")]
    if not wildcards:
        return []
    return [
        error(
            "PG726",
            f"{one.host} is so long that nginx would choose {wild.host} for it",
            one.name.name.location or wild.name.name.location,
            f"leave one of the two out, or serve both from {wild.site.folder.value}",
        )
        for one in entries
        if is_long(one.host)
        for wild in wildcards
        if covers(wild.host, one.host)
        and one.site.port.value == wild.site.port.value
        and (one.site is not wild.site or one.certificate != wild.certificate)
    ]
