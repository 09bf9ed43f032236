"""What becomes of each directive of one server of theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from prodgen.plan.core.defaults import MULTIPART_OVERHEAD
from prodgen.review.adopt.core.model import AdoptedSetting, Adoption, Disposition, joined
from prodgen.review.adopt.nginx import bench_template as bench
from prodgen.review.adopt.nginx.bench_template import spelled
from prodgen.review.adopt.nginx.certbot import adopt_challenge, challenge_root
from prodgen.review.adopt.nginx.clash import clashing, otherwise
from prodgen.review.adopt.nginx.directives import Ours, Theirs, argument, leaves, names_of
from prodgen.review.adopt.nginx.entry import TO_SET, endangered, entry, is_redirect, moved, redirect
from prodgen.review.adopt.nginx.location import adopt_location
from prodgen.targets.nginx.parse import Directive

UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}


def adopt_server(server: Directive, theirs: Theirs) -> Adoption:
    """All of one server of the bench, and what of it is kept."""
    names = names_of(server)
    subject = f"server {' '.join(names) or 'of no name'}"
    head = Adoption(
        (AdoptedSetting(Disposition.DEFAULT, "nginx", subject, "server", "ours has its own"),)
    )
    rest = joined(_line(one, subject, server, theirs) for one in server.inner or ())
    return head.plus(rest)


def _line(one: Directive, subject: str, server: Directive, theirs: Theirs) -> Adoption:
    names, ours = names_of(server), theirs.ours
    mine = ours.serving(names) or ours.servers
    word = one.words[0]
    if word == "server_name":
        return Adoption(tuple(_names(one, subject, server, ours)))
    if word == "listen":
        return _listen(one, subject, server, ours)
    if word == "location" and bench.is_one_of(one, bench.LOCATIONS):
        return adopt_location(one, f"{subject}, {spelled(one)}", server, theirs)
    if challenge_root(one):
        return adopt_challenge(one, subject, mine)
    found = _tls_line(one, subject, server, ours)
    return found or _usual_line(one, subject, server, theirs)


def _tls_line(one: Directive, subject: str, server: Directive, ours: Ours) -> Adoption | None:
    """What has to do with certificates, and the redirect to HTTPS."""
    names, word = names_of(server), one.words[0]
    mine = ours.serving(names) or ours.servers
    if word in ("ssl_certificate", "ssl_certificate_key"):
        if mine and all(one in (each.inner or ()) for each in mine):
            return entry(Disposition.OURS, subject, one)
        return entry(Disposition.OPEN, subject, one, certificate_settings(server, ours))
    if one.words == ("return", "404") and any(is_redirect(each) for each in server.inner or ()):
        return entry(Disposition.DEFAULT, subject, one, "certbot's end of its redirect")
    return redirect(one, subject, server, ours)


def _usual_line(one: Directive, subject: str, server: Directive, theirs: Theirs) -> Adoption:
    """What ours has too, or bench writes, or somebody has added."""
    mine = theirs.ours.serving(names_of(server)) or theirs.ours.servers
    same = any(one in (each.inner or ()) for each in mine)
    if same or one.words == ("root", f"{theirs.ours.folder}/sites"):
        return entry(Disposition.OURS, subject, one)
    if bench.is_bench_server_line(one):
        return entry(Disposition.DEFAULT, subject, one, _instead(one, mine))
    return endangered(one, subject, theirs) or _own_line(one, subject, server, theirs)


def _own_line(one: Directive, subject: str, server: Directive, theirs: Theirs) -> Adoption:
    """What neither ours nor bench has."""
    mine = theirs.ours.serving(names_of(server)) or theirs.ours.servers
    rival = clashing(one, (each for server in mine for each in server.inner or ()))
    if rival and one.words[0] == "client_max_body_size":
        return _body_limit(one, rival, subject)
    if rival or one.words[0] == "root":
        note = TO_SET.get(one.words[0], f"ours has `{spelled(rival)}`" if rival else "")
        return entry(Disposition.OPEN, subject, one, note)
    if not theirs.answers(server):
        note = "this server only sends on, as ours does: nothing of yours fits in there"
        return entry(Disposition.OPEN, subject, one, note)
    if otherwise(one, theirs.answering):
        note = "server.d counts for all servers of the bench, and another has it otherwise"
        return entry(Disposition.OPEN, subject, one, note)
    if not theirs.is_everywhere(one):
        note = (
            "server.d counts for all sites of the bench, and not all have it: put it there yourself"
        )
        return entry(Disposition.OPEN, subject, one, note)
    return moved(one, subject, "server.d", theirs)


def _body_limit(one: Directive, rival: Directive, subject: str) -> Adoption:
    """Nothing is lost where ours takes as much; else the limit of Frappe's that makes it so."""
    wanted, ours = bytes_of(argument(one)), bytes_of(argument(rival))
    if wanted and ours >= wanted:
        return entry(Disposition.DEFAULT, subject, one, f"ours: {spelled(rival)}")
    limit = wanted - MULTIPART_OVERHEAD
    note = f'common_site_config.json: "max_file_size": {limit}' if limit > 0 else ""
    return entry(Disposition.OPEN, subject, one, note or TO_SET[one.words[0]])


def bytes_of(text: str) -> int:
    """A size as nginx writes it, in bytes; 0 where it is none, which is nginx's for no limit
    (ngx_parse_size)."""
    figures, unit = text.rstrip("kKmMgG"), text[-1:].lower()
    return int(figures) * UNITS.get(unit, 1) if figures.isdecimal() else 0


def _instead(one: Directive, mine: Sequence[Directive]) -> str:
    """What ours has for a setting of bench's or of certbot's."""
    if one.words[0] == "include":
        return "ours has TLS settings of its own (`nginx: {tls: ...}`)"
    same = (each for server in mine for each in server.inner or () if each.words[0] == one.words[0])
    if one.words[0] == "add_header":
        same = (each for each in same if argument(each).lower() == argument(one).lower())
    found = next(same, None)
    return f"ours: {spelled(found)}" if found else "ours does without"


def _names(one: Directive, subject: str, server: Directive, ours: Ours) -> Iterator[AdoptedSetting]:
    """Each name of the server; together they count as one directive."""
    missing = [name for name in names_of(server) if name not in ours.sites]
    if not missing:
        yield AdoptedSetting(Disposition.OURS, "nginx", subject, spelled(one))
        return
    site = site_of(server, ours)
    note = f'sites/{site}/site_config.json: "domains": {json.dumps(missing)}'
    if site not in ours.sites.values():
        note = f"the bench has no site {site or missing[0]}"
    yield AdoptedSetting(Disposition.OPEN, "nginx", subject, spelled(one), note)


def _listen(one: Directive, subject: str, server: Directive, ours: Ours) -> Adoption:
    names = names_of(server)
    mine = ours.serving(names) or ours.servers
    port = argument(one).rpartition(":")[2]
    is_tls = "ssl" in one.words or port == "443"
    places = {argument(each) for each in _listens(mine)} | {
        argument(each)
        for name in names
        for other in ours.whole
        if other.words == ("server",) and name in names_of(other)
        for each in _listens([other])
    }
    ports = {place.rpartition(":")[2] for place in places}
    if argument(one) in places:
        return entry(Disposition.OURS, subject, one)
    if port in ports:
        return entry(Disposition.DEFAULT, subject, one, "ours has the port")
    note = f'sites/{site_of(server, ours) or "SITE"}/site_config.json: "nginx_port": {port}'
    if is_tls:
        note = "ours answers over HTTPS once the certificate is set"
    elif port in ("80", "default"):
        note = f"ours listens on {', '.join(sorted(ports)) or 'no port'}"
    return entry(Disposition.OPEN, subject, one, note)


def _listens(servers: Sequence[Directive]) -> list[Directive]:
    return [one for each in servers for one in each.inner or () if one.words[0] == "listen"]


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
    others = [{"domain": name, **pair} for name in names if name != site.lower()]
    lines = []
    if site.lower() in names or not names:
        lines += [f'"{key}": {json.dumps(value)}' for key, value in pair.items()]
    if others:
        lines.append(f'"domains": {json.dumps(others)}')
    return f"sites/{site}/site_config.json: {', '.join(lines)}"
