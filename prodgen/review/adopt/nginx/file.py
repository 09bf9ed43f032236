"""What becomes of each directive of an nginx.conf of bench's that prodgen takes over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prodgen.review.adopt.core.model import (
    Addition,
    AdoptedSetting,
    Adoption,
    Disposition,
    joined,
    unreadable_file,
)
from prodgen.review.adopt.core.reach import ROOTS_OWN, Opened, Reach
from prodgen.review.adopt.nginx.bench_template import SITE_MAP, UPSTREAM, spelled
from prodgen.review.adopt.nginx.directives import (
    Ours,
    Theirs,
    argument,
    is_below,
    leaves,
    names_of,
    place_of,
    roots_of,
)
from prodgen.review.adopt.nginx.entry import endangered, entry
from prodgen.review.adopt.nginx.paths import opened_by
from prodgen.review.adopt.nginx.server import adopt_server
from prodgen.review.adopt.nginx.write import as_nginx, count_settings, renamed
from prodgen.targets.nginx.parse import Directive, nginx_blocks, parse


def adopt_nginx(name: str, text: str, ours: Ours, reach: Reach = ROOTS_OWN) -> Adoption:
    """All directives of the file `name`, each with its disposition."""
    if set(nginx_blocks(text)) == {"file"}:
        return unreadable_file("nginx", name, text)
    whole = parse(text)
    servers = tuple(one for one in whole if _is_server(one))
    theirs = Theirs(ours, servers, *_names_in(whole, ours), reach)
    return joined(_top(one, theirs) for one in whole)


def _is_server(one: Directive) -> bool:
    return one.words == ("server",)


class Names(NamedTuple):
    """Names that bench gave for this bench, and that ours calls otherwise."""

    upstreams: dict[str, str]
    variables: tuple[str, ...]


def _names_in(whole: Sequence[Directive], ours: Ours) -> Names:
    upstreams = {}
    variables = []
    used = _used_by(whole, ours)
    for one in whole:
        if one.words[:1] == ("upstream",) and re.fullmatch(UPSTREAM, argument(one)):
            members = {argument(each) for each in one.inner or ()}
            if argument(one) not in used and not members & ours.addresses:
                continue  # another bench's
            kind = "realtime" if argument(one).endswith("socketio-server") else "web"
            upstreams[argument(one)] = f"{ours.bench}-{kind}"
        elif _is_site_map(one):
            variables.append(one.words[2])
    return Names(upstreams, tuple(variables))


def _used_by(whole: Sequence[Directive], ours: Ours) -> set[str]:
    """Where the servers lead that serve the bench's folder."""
    servers = (one for one in whole if any(is_below(root, ours.folder) for root in roots_of(one)))
    inner = (leaf for server in servers for leaf in leaves(server))
    return {place_of(argument(leaf)) for leaf in inner if leaf.words[0] == "proxy_pass"}


def _is_site_map(one: Directive) -> bool:
    return one.words[:2] == ("map", "$host") and bool(re.fullmatch(SITE_MAP, one.words[-1]))


def _top(one: Directive, theirs: Theirs) -> Adoption:
    """A directive of http level."""
    if _is_server(one):
        if theirs.is_of_bench(one):
            return adopt_server(one, theirs)
    elif one.words[:1] == ("upstream",) and argument(one) in theirs.upstreams:
        return Adoption(tuple(_upstream(one, theirs)))
    elif _is_site_map(one):
        return Adoption(tuple(_site_map(one, theirs.ours)))
    elif re.fullmatch(r"limit_conn_zone \$host zone=per_host_\w+:\d+m", spelled(one)):
        return Adoption((AdoptedSetting(Disposition.DEFAULT, "nginx", "http", spelled(one)),))
    elif one.inner is None and one.words[:1] in theirs.ours.host_words:
        note = "the host's file of prodgen's (`nginx: default_server`) says it already"
        return Adoption((AdoptedSetting(Disposition.DEFAULT, "nginx", "http", spelled(one), note),))
    return _beside(one, theirs)


def _beside(one: Directive, theirs: Theirs) -> Adoption:
    """A directive of http level that somebody has added, by our names."""
    if found := endangered(one, "http", theirs):
        return found
    kept = renamed(one, theirs.rename_beside)
    addition = Addition("http.d", as_nginx(kept))
    return entry(Disposition.MOVED, "http", one, "http.d").plus(Adoption(additions=(addition,)))


def _upstream(one: Directive, theirs: Theirs) -> Iterator[AdoptedSetting]:
    """Bench's own upstream: where the application listens is the bench's to say."""
    subject = f"upstream {argument(one)}"
    mine = theirs.ours.upstream(theirs.upstreams[argument(one)])
    yield AdoptedSetting(
        Disposition.DEFAULT, "nginx", subject, subject, f"ours: {mine and mine.words[1]}"
    )
    known = {spelled(each) for each in (mine.inner or ())} if mine else set()
    for each in one.inner or ():
        if spelled(each) in known:
            yield AdoptedSetting(
                Disposition.OURS, "nginx", subject, spelled(each), settings=count_settings(each)
            )
        else:
            said = ", ".join(sorted(known)) or "none"
            note = f"ours: {said} (`webserver_port`, `socketio_port` in common_site_config.json)"
            yield AdoptedSetting(
                Disposition.OPEN, "nginx", subject, spelled(each), note, count_settings(each)
            )


def _site_map(one: Directive, ours: Ours) -> Iterator[AdoptedSetting]:
    """Bench's map from domains to sites; each domain has to be one of ours."""
    subject = spelled(one)
    yield AdoptedSetting(
        Disposition.DEFAULT, "nginx", subject, subject, "ours has a map of its own"
    )
    for each in one.inner or ():
        name, site = (*each.words, "")[:2]
        if name == "default" or ours.sites.get(name) == site:
            yield AdoptedSetting(Disposition.OURS, "nginx", subject, spelled(each))
        else:
            note = f'sites/{site}/site_config.json: "domains": ["{name}"]'
            yield AdoptedSetting(Disposition.OPEN, "nginx", subject, spelled(each), note)


def paths_in(text: str) -> set[Opened]:
    """The paths that nginx's master opens for a file."""
    if set(nginx_blocks(text)) == {"file"}:
        return set()
    return {opened for one in parse(text) for _, opened in opened_by(one)}


def is_of_bench(text: str, ours: Ours) -> bool:
    """Whether a file of nginx's has a server of this bench."""
    if set(nginx_blocks(text)) == {"file"}:
        return ours.folder in text
    whole = parse(text)
    theirs = Theirs(ours, tuple(one for one in whole if _is_server(one)), *_names_in(whole, ours))
    return any(theirs.is_of_bench(one) and names_of(one) for one in theirs.servers)
