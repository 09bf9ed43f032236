"""An nginx file as blocks: each server, upstream and map by its name, with its directives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from prodgen.targets.core.meaning import Meaning, lines_of

TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*|(?P<mark>[;{}])|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<word>(?:[^\s;{}"'\\$]|\\.|\$\{[^}]*\}|\$)(?:[^\s;{\\$]|\\.|\$\{[^}]*\}|\$)*))""",
    re.DOTALL,
)
"""A comment, a mark or a word of nginx's language (ngx_conf_file.c, `ngx_conf_read_token`)."""


class Directive(NamedTuple):
    """A directive with its arguments, and what stands in its braces."""

    words: tuple[str, ...]
    inner: tuple[Directive, ...] | None = None
    line: int = 0
    """The line that it begins in, from 1. Two that say the same are equal wherever they are."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Directive) and self[:2] == other[:2]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:2])


def nginx_blocks(text: str) -> Meaning:
    """The blocks of a file of http level, by kind and name; what stands alone is in `http`.

    Each setting is written with the way to it: `location /files > add_header`. A file that nginx
    could not read to its end is one block of lines.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    if not _is_whole(text):
        return lines_of(text)
    for one in parse(text):
        name = _name(one) if one.inner is not None else "http"
        block = found.setdefault(name, {})
        inner = (one,) if one.inner is None else one.inner
        for key, value in _flat(inner, ""):
            block[key] = (*block.get(key, ()), value)
    return found


def parse(text: str) -> list[Directive]:
    """The directives of a file that is whole."""
    stack: list[list[Directive]] = [[]]
    heads: list[tuple[tuple[str, ...], int]] = []
    words: list[str] = []
    begin = 0
    for kind, word, line in _tokens(text):
        begin = begin if words else line
        if kind != "mark":
            words.append(word)
        elif word == ";":
            stack[-1].append(Directive(tuple(words), line=begin))
            words = []
        elif word == "{":
            heads.append((tuple(words), begin))
            stack.append([])
            words = []
        else:
            inner = tuple(stack.pop())
            head, first = heads.pop()
            stack[-1].append(Directive(head, inner, first))
    return stack[0]


def _is_whole(text: str) -> bool:
    """Whether all of it is words and marks, with no brace and no directive left open."""
    depth, at, last = 0, 0, ";"
    while match := TOKEN.match(text, at):
        at, word = match.end(), match["mark"]
        if match.lastgroup:
            last = word or "a word"
        depth += {"{": 1, "}": -1}.get(word, 0)
        if depth < 0:
            return False
    return depth == 0 and last in ";}" and not text[at:].strip()


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """The kind of each token, its text, and its line."""
    at, counted, line = 0, 0, 1
    while match := TOKEN.match(text, at):
        at = match.end()
        if match.lastgroup:
            begin = match.start(match.lastgroup)
            line += text.count("\n", counted, begin)
            counted = begin
            yield match.lastgroup, _unescaped(match.lastgroup, match[match.lastgroup]), line


def _unescaped(kind: str, word: str) -> str:
    """A quoted word without the backslashes that its own quotes needed."""
    quote = {"double": '"', "single": "'"}.get(kind, "")
    return word.replace(f"\\{quote}", quote) if quote else word


def _name(one: Directive) -> str:
    """`server erp.example.com`, `upstream x`, `map $a $b`; a server of no name has its ports."""
    if one.words != ("server",):
        return " ".join(one.words)
    inner = one.inner or ()
    names = [
        word for each in inner if each.words[:1] == ("server_name",) for word in each.words[1:]
    ]
    ports = sorted({each.words[1] for each in inner if each.words[:1] == ("listen",)})
    redirects = any(each.words[:1] == ("return",) for each in inner)
    kind = "redirect" if redirects else "server"
    return f"{kind} {' '.join(names) or 'of no name'} ({', '.join(ports)})"


def _shown(word: str) -> str:
    """A word as one: in quotes where it would be taken for several, or for none."""
    return word if word and not re.search(r"[\s;{}]", word) else f'"{word}"'


def _flat(directives: tuple[Directive, ...], way: str) -> Iterator[tuple[str, str]]:
    for one in directives:
        head = one.words[0] if one.words else ""
        if one.inner is None:
            yield way + head, " ".join(_shown(word) for word in one.words[1:])
        else:
            inner = f"{way}{' '.join(one.words)} > "
            yield inner.removesuffix(" > "), "{}"
            yield from _flat(one.inner, inner)
