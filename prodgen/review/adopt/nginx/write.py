"""Directives of nginx as text again (the counterpart of `parse` in targets/nginx)."""

from __future__ import annotations

import re
from collections.abc import Callable

from prodgen.targets.nginx.parse import Directive

INDENT = "    "
Rename = Callable[[str], str]


def as_nginx(one: Directive, indent: str = "") -> str:
    """The directive as lines that nginx reads alike, each with its newline."""
    head = indent + " ".join(_word(word) for word in one.words)
    if one.inner is None:
        return f"{head};\n"
    inner = "".join(as_nginx(each, indent + INDENT) for each in one.inner)
    return f"{head} {{\n{inner}{indent}}}\n"


def _word(word: str) -> str:
    """A word, in quotes where it would be taken for several, for none, or for a comment."""
    if word and not re.search(r"[\s;{}]|^[\"'#]", word):
        return word
    # A quote that has its backslash keeps it: words are read as they stand, escapes and all.
    inner = re.sub(r'\\.|"', lambda found: found[0].rjust(2, "\\"), word, flags=re.DOTALL)
    return f'"{inner}"'


def renamed(one: Directive, rename: Rename) -> Directive:
    """The directive with every word after its name changed, in its braces too."""
    inner = None if one.inner is None else tuple(renamed(each, rename) for each in one.inner)
    words = (*one.words[:1], *(rename(word) for word in one.words[1:]))
    return Directive(words, inner, one.line)


def count_settings(one: Directive) -> int:
    """How many directives this is, with those in its braces."""
    return 1 + sum(count_settings(each) for each in one.inner or ())
