"""Which directives of theirs cannot stand beside ours, or would not do there what they did."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prodgen.review.adopt.nginx.directives import argument
from prodgen.targets.nginx.parse import Directive

SEVERAL = frozenset({
    "add_header", "allow", "deny", "error_page", "fastcgi_param", "if", "include", "limit_conn",
    "limit_req", "location", "proxy_set_header", "rewrite", "set", "sub_filter", "access_log",
})  # fmt: skip
"""Directives that nginx takes several times in one place."""


def clashing(one: Directive, others: Iterable[Directive]) -> Directive | None:
    """The first of the others that it cannot stand beside."""
    return next((other for other in others if _clash(one, other)), None)


def otherwise(one: Directive, blocks: Iterable[Directive]) -> bool:
    """Whether one of these blocks of theirs has it too, with something else in it."""
    found = (other for block in blocks for other in block.inner or ())
    return any(other != one and _clash(one, other) for other in found)


def _clash(one: Directive, other: Directive) -> bool:
    """Whether nginx would not have both in one place, or would heed both, or `other` alone."""
    word = one.words[0]
    if word != other.words[0]:
        return False
    if word in ("add_header", "proxy_set_header"):
        return argument(one).lower() == argument(other).lower()
    if word == "location":
        return _is_beaten(one, other)
    if word == "error_page":
        return bool(set(_codes(one)) & set(_codes(other)))
    return word not in SEVERAL


def _codes(page: Directive) -> list[str]:
    """The statuses of an error_page: of two pages for one status nginx takes the first."""
    return [word for word in page.words[1:-1] if word.isdigit()]


def _is_beaten(one: Directive, other: Directive) -> bool:
    """Whether one location is the other, or all that it begins with is a longer one's."""
    kind, path = _kind(one)
    other_kind, other_path = _kind(other)
    if kind != other_kind:
        return False
    longer = kind == "prefix" and path != "/" and other_path.rstrip("/") == path
    return path == other_path or longer


def _kind(location: Directive) -> tuple[str, str]:
    """How a location is compared, and with what: nginx takes no `^~ /x` beside a `/x`."""
    mark, path = re.findall(r"(?s)^(=|~\*|\^~|~|)\s*(.*)", " ".join(location.words[1:]))[0]
    if mark in ("", "^~"):
        return ("named" if path.startswith("@") else "prefix"), path
    return mark, path
