"""The names of both sides: what theirs calls a site, a server, an upstream, and what ours does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from prodgen.plan.core.model import Plan
from prodgen.review.adopt.core.reach import ROOTS_OWN, Reach
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.nginx.escape import identifier
from prodgen.targets.nginx.parse import Directive, parse


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

    @property
    def addresses(self) -> set[str]:
        """Where its application and its realtime server listen."""
        mine = (self.upstream(f"{self.bench}-{kind}") for kind in ("web", "realtime"))
        return {argument(one) for each in mine if each for one in each.inner or ()}

    def serving(self, names: Iterable[str]) -> list[Directive]:
        """Our servers that answer to one of these names."""
        wanted = set(names)
        return [one for one in self.servers if wanted & set(names_of(one))]

    def redirecting(self, name: str) -> bool:
        """Whether a name is sent on to HTTPS."""
        servers = (one for one in self.whole if one.words == ("server",))
        return any(one not in self.servers and name in names_of(one) for one in servers)


def ours_of(plan: Plan, new: FileSet) -> Ours:
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
    reach: Reach = ROOTS_OWN

    def is_of_bench(self, server: Directive) -> bool:
        """Whether a server is this bench's: it serves its folder, its application or its names."""
        if self.answers(server):
            return True
        redirects = any(one.words[0] == "return" for one in leaves(server))
        return redirects and any(name in self.names for name in names_of(server))

    def answers(self, server: Directive) -> bool:
        """Whether a server answers from the bench."""
        roots = roots_of(server)
        if any(is_below(root, self.ours.folder) for root in roots):
            return True
        if any(root.rstrip("/").endswith("/sites") for root in roots):
            return False  # another bench's, whatever its upstreams are called
        return any(
            one.words[0] == "proxy_pass" and self._is_ours(place_of(argument(one)))
            for one in leaves(server)
        )

    def _is_ours(self, place: str) -> bool:
        return place in self.upstreams or place in self.ours.addresses

    @property
    def names(self) -> set[str]:
        """The names of the bench's servers, here and in ours."""
        return {*self.ours.sites, *(name for one in self.answering for name in names_of(one))}

    @property
    def answering(self) -> list[Directive]:
        """Those of the servers that answer from the bench."""
        return [one for one in self.servers if self.answers(one)]

    def rename(self, word: str) -> str:
        """A word of a server of the bench's as it is called in ours."""
        return "@web" if word in ("@webserver", "@magic") else self.rename_beside(word)

    def rename_beside(self, word: str) -> str:
        """A word of theirs as it is called beside our servers."""
        for old, new in self.upstreams.items():
            word = re.sub(rf"(?<=://){re.escape(old)}(?![\w.-])", new, word)
        mine = f"${identifier(self.ours.bench)}_site"
        for variable in self.variables:
            word = re.sub(rf"{re.escape(variable)}\b", lambda _found: mine, word)
        return word

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
    """The names of a server, as nginx compares them: a pattern as it is, others in lower case."""
    inner = server.inner or ()
    words = (word for one in inner if one.words[0] == "server_name" for word in one.words[1:])
    return [word if word.startswith("~") else word.lower() for word in words]


def roots_of(server: Directive) -> list[str]:
    """What a server itself has for `root`; its locations may have others."""
    return [argument(one) for one in server.inner or () if one.words[0] == "root"]


def place_of(address: str) -> str:
    """The upstream, or host and port, that a `proxy_pass` leads to."""
    return address.partition("://")[2].partition("/")[0].replace("localhost", "127.0.0.1")


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return path == folder or path.startswith(f"{folder}/")
