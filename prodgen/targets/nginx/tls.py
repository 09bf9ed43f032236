"""TLS as Mozilla advises it (ssl-config.mozilla.org, 6.0), in the words of nginx's version."""

from __future__ import annotations

from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, note
from prodgen.plan.core.defaults import version_of
from prodgen.plan.core.model import Plan

CIPHERS = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for signature in ("ECDSA", "RSA")
)
GROUPS = "X25519:prime256v1:secp384r1"
HYBRID_GROUP = "?X25519MLKEM768"
"""Against recorded traffic and later quantum computers; `?`: left out where it is unknown."""
HTTP2_DIRECTIVE = (1, 25, 1)
"""The first nginx with `http2 on`; `listen … http2` is deprecated from there on."""
HTTP3 = (1, 25, 0)
REJECT_HANDSHAKE = (1, 19, 4)
"""The first nginx with ssl_reject_handshake."""
SAFE_TICKETS = (1, 23, 2)
"""The first nginx that rotates the keys of session tickets in a shared cache."""
HYBRID_OPENSSL = (3, 5)
TLS_1_3_ONLY = "modern"


class Dialect(NamedTuple):
    """What the installed nginx understands, and what the user wants of it."""

    version: tuple[int, ...]
    """Empty where it is unknown."""
    ipv6: bool
    http2: bool
    http3: bool

    @property
    def has_http2_directive(self) -> bool:
        return self.http2 and self.version >= HTTP2_DIRECTIVE

    @property
    def can_reject_handshake(self) -> bool:
        return self.version >= REJECT_HANDSHAKE

    def listens(self, port: int, *, is_tls: bool = False, is_first: bool = False) -> list[str]:
        """The parameters of each `listen`; `is_first` marks the first server on the port."""
        kind = ""
        if is_tls:
            kind = " ssl http2" if self.http2 and not self.has_http2_directive else " ssl"
        made = [f"{address}{kind}" for address in self._addresses(port)]
        if is_tls and self.http3:
            shared = " reuseport" if is_first else ""
            made += [f"{address} quic{shared}" for address in self._addresses(port)]
        return made

    def _addresses(self, port: int) -> list[str]:
        return [str(port), f"[::]:{port}"] if self.ipv6 else [str(port)]


class Tls(NamedTuple):
    """The settings that every server with TLS has, in nginx's language."""

    protocols: str
    ciphers: str
    """Empty for those of TLS 1.3 alone."""
    groups: str
    session_cache: str
    tickets_off: bool
    http2_directive: bool
    http3: bool
    hsts: str
    """The header's value; empty for none."""


def dialect_of(plan: Plan) -> tuple[Dialect, list[Diagnostic]]:
    """How to write for the nginx that the plan names, and what had to be assumed or left out."""
    known = plan.versions.get("nginx")
    version = version_of(known.value) if known else ()
    options = plan.nginx
    secured = any(name.certificate for site in plan.sites for name in site.names)
    findings: list[Diagnostic] = []
    if secured and not version and options.http2.value:
        findings.append(
            note(
                "PG722",
                "nginx's version is unknown: HTTP/2 is written as `listen … http2`, which every "
                "nginx loads and 1.25.1 or later calls deprecated",
                None,
                "declare `host: {nginx: …}` in prodgen.yaml",
            )
        )
    http3 = options.http3.value
    if secured and http3 and version < HTTP3:
        http3 = False
        findings.append(
            note(
                "PG725",
                f"HTTP/3 is left out: nginx {known.value if known else 'of unknown version'} "
                "may not have it",
                options.http3.location,
                "it needs nginx 1.25 or later, built with http_v3_module",
            )
        )
    return Dialect(version, options.ipv6.value, options.http2.value, http3), findings


def tls_of(plan: Plan, dialect: Dialect, identifier: str) -> Tls:
    """The TLS settings for the profile that the user chose."""
    openssl = plan.versions.get("openssl")
    modern = plan.nginx.tls.value == TLS_1_3_ONLY
    hybrid = openssl is not None and version_of(openssl.value) >= HYBRID_OPENSSL
    return Tls(
        protocols="TLSv1.3" if modern else "TLSv1.2 TLSv1.3",
        ciphers="" if modern else CIPHERS,
        groups=f"{HYBRID_GROUP}:{GROUPS}" if hybrid else GROUPS,
        session_cache=f"shared:{identifier}_tls:10m",
        tickets_off=dialect.version < SAFE_TICKETS,
        http2_directive=dialect.has_http2_directive,
        http3=dialect.http3,
        hsts=_hsts(plan),
    )


def _hsts(plan: Plan) -> str:
    options = plan.nginx
    extra = {"max-age": "", "subdomains": "; includeSubDomains"}
    if options.hsts.value == "off":
        return ""
    return f"max-age={options.hsts_max_age.value}" + extra.get(
        options.hsts.value, "; includeSubDomains; preload"
    )
