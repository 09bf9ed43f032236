"""What becomes of each directive of one server of theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from prodgen.review import adopt_nginx_bench as bench
from prodgen.review.adopt_nginx_bench import spelled
from prodgen.review.adopt_nginx_words import Ours, Theirs, argument, leaves, names_of
from prodgen.review.adopted import Addition, Adoption, Entry, Lot, joined
from prodgen.review.nginx_blocks import Directive
from prodgen.review.nginx_write import as_nginx, count_settings, renamed

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
SEVERAL = frozenset({
    "add_header", "allow", "deny", "error_page", "fastcgi_param", "if", "include", "limit_conn",
    "limit_req", "location", "proxy_set_header", "rewrite", "set", "sub_filter", "access_log",
})  # fmt: skip
"""Directives that nginx takes several times in one place."""
UNSAFE = ("add_header", "root", "alias", "try_files", "rewrite", "return", "proxy_pass")
"""What would change more beside ours than it did in its place."""


def adopt_server(server: Directive, theirs: Theirs) -> Adoption:
    """All of one server of the bench, and what of it is kept."""
    names = names_of(server)
    subject = f"server {' '.join(names) or 'of no name'}"
    head = Adoption((Entry(Lot.DEFAULT, "nginx", subject, "server", "ours has its own"),))
    rest = joined(_line(one, subject, server, theirs) for one in server.inner or ())
    return head.plus(rest)


def _entry(lot: Lot, subject: str, one: Directive, note: str = "") -> Adoption:
    return Adoption((Entry(lot, "nginx", subject, spelled(one), note, count_settings(one)),))


def _line(one: Directive, subject: str, server: Directive, theirs: Theirs) -> Adoption:
    names, ours = names_of(server), theirs.ours
    mine = ours.serving(names) or ours.servers
    word = one.words[0]
    if word == "server_name":
        return Adoption(tuple(_names(one, subject, server, ours)))
    if word == "listen":
        return _entry(*_listen(one, subject, mine, ours, names))
    if word == "location" and bench.is_one_of(one, bench.LOCATIONS):
        return _location(one, f"{subject}, {spelled(one)}", theirs)
    found = _tls_line(one, subject, server, ours)
    return found or _usual_line(one, subject, mine, theirs)


def _tls_line(one: Directive, subject: str, server: Directive, ours: Ours) -> Adoption | None:
    """What has to do with certificates, and the redirect to HTTPS."""
    names, word = names_of(server), one.words[0]
    mine = ours.serving(names) or ours.servers
    if word in ("ssl_certificate", "ssl_certificate_key"):
        if mine and all(one in (each.inner or ()) for each in mine):
            return _entry(Lot.OURS, subject, one)
        return _entry(Lot.OPEN, subject, one, certificate_settings(server, ours))
    if word in ("return", "if") and _is_redirect(one):
        return _redirect(one, subject, names, ours)
    if one.words == ("return", "404") and any(_is_redirect(each) for each in server.inner or ()):
        return _entry(Lot.DEFAULT, subject, one, "certbot's end of its redirect")
    return None


def _usual_line(
    one: Directive, subject: str, mine: Sequence[Directive], theirs: Theirs
) -> Adoption:
    """What ours has too, or bench writes, or somebody has added."""
    same = any(one in (each.inner or ()) for each in mine)
    if same or one.words == ("root", f"{theirs.ours.folder}/sites"):
        return _entry(Lot.OURS, subject, one)
    if bench.is_bench_server_line(one):
        return _entry(Lot.DEFAULT, subject, one, _instead(one, mine))
    return _own_line(one, subject, mine, theirs)


def _own_line(one: Directive, subject: str, mine: Sequence[Directive], theirs: Theirs) -> Adoption:
    """What neither ours nor bench has."""
    rivals = [each for server in mine for each in server.inner or () if _clash(one, each)]
    if rivals or one.words[0] == "root":
        note = TO_SET.get(one.words[0], f"ours has `{spelled(rivals[0])}`" if rivals else "")
        return _entry(Lot.OPEN, subject, one, note)
    if not theirs.is_everywhere(one):
        note = (
            "server.d counts for all sites of the bench, and not all have it: put it there yourself"
        )
        return _entry(Lot.OPEN, subject, one, note)
    moved = _entry(Lot.MOVED, subject, one, "server.d")
    return moved.plus(
        Adoption(additions=(Addition("server.d", as_nginx(renamed(one, theirs.rename))),))
    )


def _clash(one: Directive, other: Directive) -> bool:
    """Whether nginx would not have both in one place, or would answer with both."""
    word = one.words[0]
    if word != other.words[0]:
        return False
    if word in ("add_header", "proxy_set_header", "location"):
        return [part.lower() for part in one.words[:-1]] == [
            part.lower() for part in other.words[:-1]
        ] and (word != "location" or one.words == other.words)
    return word not in SEVERAL


def _instead(one: Directive, mine: Sequence[Directive]) -> str:
    """What ours has for a setting of bench's."""
    same = (each for server in mine for each in server.inner or () if each.words[0] == one.words[0])
    if one.words[0] == "add_header":
        same = (each for each in same if argument(each).lower() == argument(one).lower())
    found = next(same, None)
    return f"ours: {spelled(found)}" if found else "ours does without"


def _names(one: Directive, subject: str, server: Directive, ours: Ours) -> Iterator[Entry]:
    """Each name of the server; together they count as one directive."""
    missing = [name for name in one.words[1:] if name not in ours.sites]
    if not missing:
        yield Entry(Lot.OURS, "nginx", subject, spelled(one))
        return
    site = site_of(server, ours)
    note = f'sites/{site or "SITE"}/site_config.json: "domains": {json.dumps(missing)}'
    yield Entry(Lot.OPEN, "nginx", subject, spelled(one), note)


def _listen(
    one: Directive, subject: str, mine: Sequence[Directive], ours: Ours, names: Sequence[str]
) -> tuple[Lot, str, Directive, str]:
    port = argument(one).rpartition(":")[2]
    is_tls = "ssl" in one.words or port == "443"
    places = {argument(each) for each in _listens(mine)} | {
        argument(each)
        for name in names
        for server in ours.whole
        if server.words == ("server",) and name in names_of(server)
        for each in _listens([server])
    }
    ports = {place.rpartition(":")[2] for place in places}
    if argument(one) in places:
        return Lot.OURS, subject, one, ""
    if port in ports:
        return Lot.DEFAULT, subject, one, "ours has the port"
    if is_tls:
        return Lot.OPEN, subject, one, "ours answers over HTTPS once the certificate is set"
    if port in ("80", "default"):
        return Lot.OPEN, subject, one, f"ours listens on {', '.join(sorted(ports)) or 'no port'}"
    note = f'sites/SITE/site_config.json: "nginx_port": {port}'
    return Lot.OPEN, subject, one, note


def _listens(servers: Sequence[Directive]) -> list[Directive]:
    return [one for each in servers for one in each.inner or () if one.words[0] == "listen"]


def _is_redirect(one: Directive) -> bool:
    """`return 301 https://…`, alone or in certbot's `if ($host = name)`."""
    if one.words[0] == "if":
        inner = one.inner or ()
        return one.words[1:3] == ("($host", "=") and len(inner) == 1 and _is_redirect(inner[0])
    target = one.words[2] if len(one.words) == 3 else ""
    return one.words[:2] in (("return", "301"), ("return", "302")) and bool(
        re.fullmatch(r"https://\$(host|server_name)\$request_uri", target)
    )


def _redirect(one: Directive, subject: str, names: Sequence[str], ours: Ours) -> Adoption:
    named = [one.words[3].rstrip(")")] if one.words[0] == "if" else list(names)
    if named and all(ours.redirecting(name) for name in named):
        return _entry(Lot.OURS, subject, one)
    note = "ours redirects each name that has a certificate: set that"
    return _entry(Lot.OPEN, subject, one, note)


def site_of(server: Directive, ours: Ours) -> str:
    """The folder of the site that a server is for; empty where it does not say."""
    for one in leaves(server):
        if one.words[:2] == ("proxy_set_header", "X-Frappe-Site-Name") and len(one.words) > 2:
            site = one.words[2]
            if "$" not in site:
                return site
    known = {ours.sites[name] for name in names_of(server) if name in ours.sites}
    return known.pop() if len(known) == 1 else ""


def certificate_settings(server: Directive, ours: Ours) -> str:
    """The lines of site_config.json that keep the certificate of a server."""
    inner = server.inner or ()
    pair = {
        one.words[0]: argument(one)
        for one in inner
        if one.words[0] in ("ssl_certificate", "ssl_certificate_key")
    }
    names = names_of(server)
    site = site_of(server, ours) or next(iter(names), "SITE")
    others = [{"domain": name, **pair} for name in names if name != site]
    lines = []
    if site in names or not names:
        lines += [f'"{key}": {json.dumps(value)}' for key, value in pair.items()]
    if others:
        lines.append(f'"domains": {json.dumps(others)}')
    return f"sites/{site}/site_config.json: {', '.join(lines)}"


def _location(block: Directive, subject: str, theirs: Theirs) -> Adoption:
    """A location that bench writes, with what somebody has added to it."""
    found = Adoption((Entry(Lot.DEFAULT, "nginx", subject, spelled(block), "ours has its own"),))
    for one in block.inner or ():
        if one.words[0] == "location" and bench.is_one_of(one, bench.LOCATIONS):
            found = found.plus(_location(one, f"{subject}, {spelled(one)}", theirs))
        else:
            found = found.plus(_in_location(one, block, subject, theirs))
    return found


def _in_location(one: Directive, block: Directive, subject: str, theirs: Theirs) -> Adoption:
    word = one.words[0]
    if bench.is_one_of(one, bench.INNER):
        return _entry(Lot.DEFAULT, subject, one)
    if word == "proxy_set_header" and argument(one) == "X-Frappe-Site-Name":
        return _site_header(one, subject, theirs)
    return _own_in_location(one, block, subject, theirs)


def _own_in_location(one: Directive, block: Directive, subject: str, theirs: Theirs) -> Adoption:
    """What bench does not write into one of its locations."""
    word = one.words[0]
    mine = [leaf for server in theirs.ours.servers for leaf in leaves(server)]
    if word in TO_SET or word in UNSAFE or not bench.is_one_of(block, (bench.APPLICATION,)):
        note = TO_SET.get(word, "ours has no place for it there")
        same = one in mine and word in TO_SET
        return _entry(Lot.OURS if same else Lot.OPEN, subject, one, "" if same else note)
    if any(_clash(one, each) for each in mine if each.words[0] != "if"):
        return _entry(Lot.OPEN, subject, one, "ours has another value for it")
    if not theirs.is_everywhere(one):
        note = "location.d counts for all sites of the bench, and not all have it"
        return _entry(Lot.OPEN, subject, one, note)
    text = as_nginx(renamed(one, theirs.rename))
    return _entry(Lot.MOVED, subject, one, "location.d").plus(
        Adoption(additions=(Addition("location.d", text),))
    )


def _site_header(one: Directive, subject: str, theirs: Theirs) -> Adoption:
    """Which site the application is told; ours tells it the one that a name belongs to."""
    site = one.words[2] if len(one.words) > 2 else ""
    known = {"$host", *theirs.variables, *theirs.ours.sites.values()}
    if site in known:
        return _entry(Lot.OURS, subject, one)
    return _entry(Lot.OPEN, subject, one, f"the bench has no site {site}")
