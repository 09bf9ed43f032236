"""What becomes of each directive of one location that bench writes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prodgen.review.adopt.core.model import Adoption, Disposition
from prodgen.review.adopt.nginx import bench_template as bench
from prodgen.review.adopt.nginx.bench_template import spelled
from prodgen.review.adopt.nginx.certbot import challenge_root
from prodgen.review.adopt.nginx.clash import clashing, otherwise
from prodgen.review.adopt.nginx.directives import Theirs, argument, leaves
from prodgen.review.adopt.nginx.entry import TO_SET, endangered, entry, moved, redirect
from prodgen.targets.nginx.parse import Directive

UNSAFE = ("add_header", "root", "alias", "try_files", "rewrite", "return", "proxy_pass", "location")
"""What would change more beside ours than it did in its place."""
GUARDS = {
    "allow": ("allow", "deny"),
    "deny": ("allow", "deny"),
    "satisfy": ("satisfy",),
    "auth_basic": ("auth_basic",),
    "auth_basic_user_file": ("auth_basic",),
    "auth_request": ("auth_request",),
    "if": (),
}
"""What lets requests through, or not, and what a location has that does without."""


def adopt_location(block: Directive, subject: str, server: Directive, theirs: Theirs) -> Adoption:
    """A location that bench writes, with what somebody has added to it."""
    found = entry(Disposition.DEFAULT, subject, block, "ours has its own", settings=1)
    for one in block.inner or ():
        if one.words[0] == "location" and bench.is_one_of(one, bench.LOCATIONS):
            inner = f"{subject}, {spelled(one)}"
            found = found.plus(adopt_location(one, inner, server, theirs))
        else:
            found = found.plus(_line(one, block, subject, server, theirs))
    return found


def _line(
    one: Directive, block: Directive, subject: str, server: Directive, theirs: Theirs
) -> Adoption:
    word = one.words[0]
    if bench.is_one_of(one, bench.INNER):
        return entry(Disposition.DEFAULT, subject, one)
    if word == "proxy_set_header" and argument(one) == "X-Frappe-Site-Name":
        return _site_header(one, subject, theirs)
    return (
        redirect(one, subject, server, theirs.ours)
        or endangered(one, subject, theirs)
        or _own(one, block, subject, server, theirs)
    )


def _own(
    one: Directive, block: Directive, subject: str, server: Directive, theirs: Theirs
) -> Adoption:
    """What bench does not write into one of its locations."""
    word = one.words[0]
    mine = [leaf for each in theirs.ours.servers for leaf in leaves(each)]
    if word in TO_SET or word in UNSAFE or not _asks_application(block):
        note = TO_SET.get(word, "ours has no place for it there")
        same = one in mine and word in TO_SET
        return entry(
            Disposition.OURS if same else Disposition.OPEN, subject, one, "" if same else note
        )
    if clashing(one, (each for each in mine if each.words[0] != "if")):
        return entry(Disposition.OPEN, subject, one, "ours has another value for it")
    blocks = [each for other in theirs.answering for each in other.inner or ()]
    if not theirs.answers(server) or otherwise(one, filter(_asks_application, blocks)):
        return entry(
            Disposition.OPEN, subject, one, "location.d counts for all servers of the bench"
        )
    if not theirs.is_everywhere(one):
        note = "location.d counts for all sites of the bench, and not all have it"
        return entry(Disposition.OPEN, subject, one, note)
    if _guards_files(one, block):
        return _guard(one, subject, blocks, theirs)
    return moved(one, subject, "location.d", theirs)


def _guard(one: Directive, subject: str, blocks: Sequence[Directive], theirs: Theirs) -> Adoption:
    """Ours answers for files beside `location /`: a guard in there would leave them open to all."""
    if any(_would_be_guarded(each, one) for each in blocks):
        note = "in server.d it would count for your own locations too: put it there yourself"
        return entry(Disposition.OPEN, subject, one, note)
    return moved(one, subject, "server.d", theirs)


def _asks_application(block: Directive) -> bool:
    """Whether it is one of bench's locations that go to the application."""
    return bench.is_one_of(block, (bench.APPLICATION,))


def _guards_files(one: Directive, block: Directive) -> bool:
    """Whether it keeps requests for public files away too, as in `location /` of bench's."""
    if not re.fullmatch("location /", spelled(block)):
        return False
    if one.words[0] == "if":
        return {each.words[0] for each in one.inner or ()} == {"return"}
    return one.words[0] in GUARDS


def _would_be_guarded(location: Directive, guard: Directive) -> bool:
    """Whether a location of somebody's own is open, and would not be with a guard of its server."""
    if location.words[0] != "location" or bench.is_one_of(location, bench.LOCATIONS):
        return False
    own = {each.words[0] for each in location.inner or ()}
    return not challenge_root(location) and own.isdisjoint(GUARDS[guard.words[0]])


def _site_header(one: Directive, subject: str, theirs: Theirs) -> Adoption:
    """Which site the application is told; ours tells it the one that a name belongs to."""
    site = one.words[2] if len(one.words) > 2 else ""
    known = {"$host", *theirs.variables, *theirs.ours.sites.values()}
    if site in known:
        return entry(Disposition.OURS, subject, one)
    return entry(Disposition.OPEN, subject, one, f"the bench has no site {site}")
