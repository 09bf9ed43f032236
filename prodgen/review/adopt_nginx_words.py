"""The names of both sides: what theirs calls a site, a server, an upstream, and what ours does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from prodgen.plan.model import Plan
from prodgen.review.nginx_blocks import Directive, parse
from prodgen.review.sides import Side
from prodgen.targets.nginx_syntax import identifier


class Ours(NamedTuple):
    """What prodgen installs for nginx, and for whom."""

    bench: str
    folder: str
    sites: Mapping[str, str]
    """The folder of the site behind each name."""
    whole: tuple[Directive, ...]
    host_words: frozenset[tuple[str, ...]] = frozenset()
    """The first words of what the host's file sets."""

    @property
    def servers(self) -> list[Directive]:
        """Those that answer, without the redirects."""
        found = (one for one in self.whole if one.words == ("server",))
        return [one for one in found if any(leaf.words[0] == "root" for leaf in one.inner or ())]

    def upstream(self, name: str) -> Directive | None:
        """Ours of this name."""
        return next((one for one in self.whole if one.words == ("upstream", name)), None)

    def serving(self, names: Iterable[str]) -> list[Directive]:
        """Our servers that answer to one of these names."""
        wanted = set(names)
        return [one for one in self.servers if wanted & set(names_of(one))]

    def redirecting(self, name: str) -> bool:
        """Whether a name is sent on to HTTPS."""
        servers = (one for one in self.whole if one.words == ("server",))
        return any(one not in self.servers and name in names_of(one) for one in servers)


def ours_of(plan: Plan, new: Side) -> Ours:
    """What the rendered files of nginx say."""
    texts = {path.name: one.text for path, one in new.items() if one.target == "nginx"}
    mine = texts.pop(f"{plan.bench_name.value}.conf", "")
    host = [one for text in texts.values() for one in parse(text)]
    sites = {name.name.value: site.folder.value for site in plan.sites for name in site.names}
    return Ours(
        plan.bench_name.value,
        str(plan.bench.value),
        sites,
        tuple(parse(mine)),
        frozenset(one.words[:1] for one in host if one.inner is None),
    )


class Theirs(NamedTuple):
    """One file of theirs, beside ours."""

    ours: Ours
    servers: tuple[Directive, ...]
    upstreams: Mapping[str, str]
    """Bench's upstreams, and what ours calls them."""
    variables: tuple[str, ...]
    """Bench's variables that hold the name of the site."""

    def is_of_bench(self, server: Directive) -> bool:
        """Whether a server is this bench's: it serves its folder, its application or its names."""
        for one in leaves(server):
            word = argument(one)
            if one.words[0] == "root" and is_below(word, self.ours.folder):
                return True
            if one.words[0] == "proxy_pass" and self._is_ours(word):
                return True
        redirects = any(one.words[0] == "return" for one in leaves(server))
        return redirects and any(name in self.names for name in names_of(server))

    def _is_ours(self, address: str) -> bool:
        mine = (self.ours.upstream(f"{self.ours.bench}-{kind}") for kind in ("web", "realtime"))
        servers = {argument(one) for each in mine if each for one in each.inner or ()}
        place = address.partition("://")[2].partition("/")[0]
        return place in self.upstreams or place.replace("localhost", "127.0.0.1") in servers

    @property
    def names(self) -> set[str]:
        """The names of the bench's servers, here and in ours."""
        answering = (one for one in self.answering)
        return {*self.ours.sites, *(name for one in answering for name in names_of(one))}

    @property
    def answering(self) -> list[Directive]:
        """Those of the servers that answer from the bench."""
        return [
            one
            for one in self.servers
            if any(
                leaf.words[0] == "root" and is_below(argument(leaf), self.ours.folder)
                for leaf in one.inner or ()
            )
        ]

    def rename(self, word: str) -> str:
        """A word of theirs as it is called beside ours."""
        for old, new in self.upstreams.items():
            word = re.sub(rf"(?<=://){re.escape(old)}(?![\w.-])", new, word)
        mine = f"${identifier(self.ours.bench)}_site"
        for variable in self.variables:
            word = re.sub(rf"{re.escape(variable)}\b", lambda _found: mine, word)
        return "@web" if word in ("@webserver", "@magic") else word

    def is_everywhere(self, one: Directive) -> bool:
        """Whether every site has it, so that ours may have it in all of them."""
        sites = set(self.ours.sites.values())
        having = (server for server in self.answering if one in leaves(server))
        names = (name for server in having for name in names_of(server))
        return len(sites) <= 1 or sites <= {self.ours.sites.get(name) for name in names}


def leaves(one: Directive) -> Iterator[Directive]:
    """The directives in the braces, and in those within."""
    for each in one.inner or ():
        yield each
        yield from leaves(each)


def argument(one: Directive) -> str:
    """The first word after the name."""
    return one.words[1] if len(one.words) > 1 else ""


def names_of(server: Directive) -> list[str]:
    """The names of a server."""
    inner = server.inner or ()
    return [word for one in inner if one.words[0] == "server_name" for word in one.words[1:]]


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return path == folder or path.startswith(f"{folder}/")
