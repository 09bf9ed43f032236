"""What is said of one directive of theirs, and its text where it is kept."""

from __future__ import annotations

import re

from prodgen.review.adopt.core.model import Addition, AdoptedSetting, Adoption, Disposition
from prodgen.review.adopt.nginx.bench_template import spelled
from prodgen.review.adopt.nginx.directives import Ours, Theirs, names_of
from prodgen.review.adopt.nginx.paths import objection
from prodgen.review.adopt.nginx.write import as_nginx, count_settings, renamed
from prodgen.targets.nginx.parse import Directive

TO_SET = {
    "client_max_body_size": 'common_site_config.json: "max_file_size" (in bytes)',
    "proxy_read_timeout": 'common_site_config.json: "http_timeout" (in seconds)',
    "access_log": "prodgen.yaml: nginx: {access_log: ...}",
    "ssl_protocols": "prodgen.yaml: nginx: {tls: ...}",
    "ssl_ciphers": "prodgen.yaml: nginx: {tls: ...}",
    "set_real_ip_from": "prodgen.yaml: nginx: {trusted_proxies: [...]}",
    "root": "ours serves the bench's sites",
}
"""Where ours has a setting for what they wrote."""


def entry(
    disposition: Disposition, subject: str, one: Directive, note: str = "", settings: int = 0
) -> Adoption:
    """One directive with what is in its braces, unless it stands for less."""
    count = settings or count_settings(one)
    return Adoption((AdoptedSetting(disposition, "nginx", subject, spelled(one), note, count),))


def moved(one: Directive, subject: str, place: str, theirs: Theirs) -> Adoption:
    """A directive that goes into a file of the user's own, by our names."""
    if found := endangered(one, subject, theirs):
        return found
    addition = Addition(place, as_nginx(renamed(one, theirs.rename)))
    return entry(Disposition.MOVED, subject, one, place).plus(Adoption(additions=(addition,)))


def endangered(one: Directive, subject: str, theirs: Theirs) -> Adoption | None:
    """A directive by which nginx would open, as root, what a lesser user can change; else None."""
    found = objection(one, theirs.reach, theirs.ours.bench)
    return entry(Disposition.OPEN, subject, one, found) if found else None


def is_redirect(one: Directive) -> bool:
    """`return 301 https://…`, alone or in certbot's `if ($host = name)`."""
    if one.words[0] == "if":
        inner = one.inner or ()
        return one.words[1:3] == ("($host", "=") and len(inner) == 1 and is_redirect(inner[0])
    target = one.words[2] if len(one.words) == 3 else ""
    return one.words[:2] in (("return", "301"), ("return", "302")) and bool(
        re.fullmatch(r"https://\$(host|server_name)\$request_uri", target)
    )


def redirect(one: Directive, subject: str, server: Directive, ours: Ours) -> Adoption | None:
    """A redirect to HTTPS, which ours has for each name with a certificate; None for all else."""
    if one.words[0] not in ("return", "if") or not is_redirect(one):
        return None
    named = [one.words[3].rstrip(")").lower()] if one.words[0] == "if" else names_of(server)
    if named and all(ours.redirecting(name) for name in named):
        return entry(Disposition.OURS, subject, one)
    note = "ours redirects each name that has a certificate: set that"
    return entry(Disposition.OPEN, subject, one, note)
