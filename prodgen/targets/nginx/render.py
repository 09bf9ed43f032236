"""nginx: one file for one bench, which stands beside other sites in a stock nginx.conf."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, has_errors
from prodgen.plan.core.model import Address, Plan, Proxy, Role
from prodgen.provenance import Sourced
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.base import Target, Unwritable, unwritable
from prodgen.targets.core.templating import render
from prodgen.targets.nginx.checks import bad_choices, no_web, remarks
from prodgen.targets.nginx.escape import constant, identifier, server, text, word
from prodgen.targets.nginx.pages import ANSWERS, RETRY_AFTER, Answer
from prodgen.targets.nginx.servers import HTTP, HTTPS, Choice, Server, lay_out
from prodgen.targets.nginx.tls import Dialect, Tls, dialect_of, tls_of

INCLUDED = PurePosixPath("/etc/nginx/conf.d")
STRIPPED = (
    "Forwarded",
    "PATH_INFO",
    "Proxy",
    "REMOTE_ADDR",
    "REQUEST_URI",
    "SCRIPT_NAME",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Protocol",
    "X-Forwarded-Ssl",
)
"""Headers that Gunicorn, WSGI or Frappe would believe."""
ACTIVE_TYPES = "|".join(
    (
        "atom|dhtml|htc|html?|jnlp|kml|mht|mhtml|mml|rdf|rss|shtml|svgz?",
        "wml|xht|xhtml|xml|xsd|xslt?|xspf",
    )
)
"""Extensions of files that a browser may run as a page."""
GZIP_TYPES = (
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/rss+xml",
    "application/vnd.ms-fontobject",
    "application/x-javascript",
    "application/xml",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
    "image/x-icon",
    "text/css",
    "text/csv",
    "text/javascript",
    "text/plain",
    "text/xml",
)
SECRET_QUERIES = (
    r"[^?]*(?:log(?:in|out)|password|oauth|sign_?up|verif|confirm)[^?]*)\?",
    (
        r"[^?]*)\?(?:.*&)?(?:cmd|code|key|pwd|pass(?:word)?|secret|sid|signature|state|token"
        r"|api_(?:key|secret)|\w+_(?:key|token|secret|password))="
    ),
)
"""Addresses whose query is left out of the log, up to the `)` that ends what is kept.

Reset links (`/update-password?key=`), links that log in (frappe/www/login.py), OAuth's codes, and
what a form of such a page sends by GET.
"""
LOGIN_METHODS = "|".join(
    (
        "login",
        r"frappe\.core\.doctype\.user\.user\.(sign_up|reset_password)",
        r"frappe\.www\.login\.\w+",
    )
)
BURST_SECONDS = 4
"""A page of the desk sends many API requests at once."""


class NameMap(NamedTuple):
    """A map from host names to sites."""

    variable: str
    choices: list[Choice]


class Context(NamedTuple):
    """What the template sees; every string is in nginx's language already."""

    bench: str
    id: str
    """The prefix of variables and zones."""
    own: str
    """The folder of the user's own additions."""
    web: str
    realtime: str
    sites: str
    acme_webroot: str
    access_log: str
    json_logs: bool
    secret_queries: Sequence[str]
    servers: list[Server]
    by_port: list[Choice]
    by_name: list[NameMap]
    chains: Sequence[Choice]
    keys: Sequence[Choice]
    trusted: list[str]
    scheme: str
    """The variable that holds the client's scheme."""
    has_tls: bool
    tls: Tls
    hsts: str
    """The value of Strict-Transport-Security; empty for none."""
    hsts_value: str
    """The same as one word, or the variable that holds it."""
    read_timeout: int
    login_rate: int
    login_burst: int
    api_rate: int
    api_burst: int
    gzip_static: bool
    needs_dollar: bool
    stripped: tuple[str, ...] = STRIPPED
    active_types: str = ACTIVE_TYPES
    gzip_types: str = " ".join(GZIP_TYPES)
    login_methods: str = LOGIN_METHODS
    answers: tuple[Answer, ...] = ANSWERS
    """What nginx itself says."""
    retry_after: int = RETRY_AFTER


class HostContext(NamedTuple):
    """What the template of the host's file sees."""

    http: list[str]
    https: list[str]
    """Empty where nginx is too old to refuse a handshake."""


def render_nginx(plan: Plan) -> tuple[list[Artifact], list[Diagnostic]]:
    """The bench's file, and the host's where the user wants that."""
    if plan.proxy is None:
        roles = {one.role.value for one in plan.services}
        has_frappe = bool(plan.sites) or bool(roles - {Role.OTHER})
        return [], [no_web()] if has_frappe else []
    dialect, findings = dialect_of(plan)
    findings += bad_choices(plan)
    context = None if has_errors(findings) else _context(plan, plan.proxy, dialect, findings)
    if context is None or has_errors(findings):
        return [], findings
    findings += remarks(plan)
    made = [_artifact(f"{plan.bench_name.value}.conf", render("nginx/bench.conf", context))]
    if plan.nginx.default_server.value:
        made.append(_host_file(dialect))
    return made, findings


def _artifact(name: str, made: str) -> Artifact:
    return Artifact(PurePosixPath("nginx", name), made, INCLUDED / name, "nginx")


def _context(
    plan: Plan, proxy: Proxy, dialect: Dialect, findings: list[Diagnostic]
) -> Context | None:
    layout, faults = lay_out(plan, dialect)
    findings += faults
    paths = _Paths(plan, findings)
    if has_errors(findings):
        return None
    options = plan.nginx
    trusted = sorted(set(options.trusted_proxies.value))
    prefix = paths.id
    tls = tls_of(plan, dialect, prefix)
    has_tls = any(one.is_tls for one in layout.servers)
    by_name = f"${prefix}_site_by_name" if layout.by_port or layout.by_port_and_name else ""
    ports = [
        Choice(str(port), f"${prefix}_site_by_name_{port}") for port in layout.by_port_and_name
    ]
    return Context(
        bench=plan.bench_name.value,
        id=prefix,
        own=f"/etc/nginx/{plan.bench_name.value}",
        web=paths.server(proxy.web),
        realtime=paths.server(proxy.realtime),
        sites=paths.sites,
        acme_webroot=paths.acme_webroot,
        access_log=paths.access_log,
        json_logs=options.json_logs.value,
        secret_queries=SECRET_QUERIES,
        servers=layout.servers,
        by_port=[*layout.by_port, *ports],
        by_name=[
            NameMap(by_name or f"${prefix}_site", layout.by_name),
            *(
                NameMap(f"${prefix}_site_by_name_{port}", choices)
                for port, choices in layout.by_port_and_name.items()
            ),
        ],
        chains=layout.chains,
        keys=layout.keys,
        trusted=trusted,
        scheme=f"${prefix}_scheme" if trusted else "$scheme",
        has_tls=has_tls,
        tls=tls,
        hsts=tls.hsts if has_tls else "",
        hsts_value=f"${prefix}_hsts" if trusted else word(tls.hsts),
        read_timeout=proxy.read_timeout.value,
        login_rate=options.login_rate.value,
        login_burst=max(1, options.login_rate.value),
        api_rate=options.api_rate.value,
        api_burst=options.api_rate.value * BURST_SECONDS,
        gzip_static=options.gzip_static.value,
        needs_dollar=paths.has_dollar,
    )


class _Paths:
    """The plan's paths and addresses in nginx's language; a finding for each that cannot be."""

    def __init__(self, plan: Plan, findings: list[Diagnostic]) -> None:
        self._findings = findings
        self.id = identifier(plan.bench_name.value)
        self._dollar = f"{self.id}_dollar"
        options = plan.nginx
        sites = plan.bench.derive(str(plan.bench.value / "sites"), "its sites")
        self.has_dollar = "$" in sites.value or "$" in options.acme_webroot.value
        self.sites = self._text(sites)
        self.acme_webroot = self._text(options.acme_webroot) if options.acme_webroot.value else ""
        self.access_log = self._access_log(plan.bench_name.value, options.access_log)

    def server(self, address: Sourced[Address] | None) -> str:
        if address is None:
            return ""
        try:
            return server(address.value)
        except Unwritable as reason:
            self._findings.append(unwritable(address, reason, "nginx"))
            return ""

    def _text(self, path: Sourced[str]) -> str:
        try:
            return text(path.value, self._dollar)
        except Unwritable as reason:
            self._findings.append(unwritable(path, reason, "nginx"))
            return ""

    def _access_log(self, bench: str, given: Sourced[str]) -> str:
        """The parameters of `access_log`."""
        path = given.value or f"/var/log/nginx/{bench}.access.log"
        try:
            return "off" if path == "off" else f"{constant(path)} {self.id}"
        except Unwritable as reason:
            self._findings.append(unwritable(given, reason, "nginx"))
            return ""


def _host_file(dialect: Dialect) -> Artifact:
    https = [one for one in dialect.listens(HTTPS, is_tls=True) if "quic" not in one]
    context = HostContext(
        http=dialect.listens(HTTP), https=https if dialect.can_reject_handshake else []
    )
    return _artifact("00-prodgen-host.conf", render("nginx/host.conf", context))


def _install_steps(_plan: Plan) -> tuple[str, ...]:
    return "    nginx -t", "    systemctl reload nginx"


TARGET = Target("nginx", "the reverse proxy before the bench's sites", render_nginx, _install_steps)
