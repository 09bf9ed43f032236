"""What a config file means: named blocks of settings, without comments, order and layout."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Iterator, Mapping

from prodgen.review.core.nginx_parse import nginx_blocks

Block = Mapping[str, tuple[str, ...]]
"""The values of each setting; several where it is given several times, in their order."""
Meaning = Mapping[str, Block]
"""Blocks by name."""
SETS = ("programs",)
"""Settings of Supervisor that are lists without an order."""


def supervisor_blocks(text: str) -> dict[str, Block]:
    """The sections of a Supervisor file (configparser with `;` and `#` comments, as it reads it).

    Where it is no such file, one block holds its lines.
    """
    from configparser import Error, RawConfigParser

    parser = RawConfigParser(inline_comment_prefixes=(";",), strict=False)
    try:
        parser.read_string(text)
    except Error:
        return _lines(text)
    return {
        name: {key: _ordered(key, value) for key, value in parser[name].items()}
        for name in parser.sections()
    }


def _ordered(key: str, value: str) -> tuple[str, ...]:
    if key in SETS:
        return tuple(sorted(part.strip() for part in value.split(",")))
    return (" ".join(value.split()),) if key != "environment" else (value.strip(),)


def unit_blocks(text: str) -> dict[str, Block]:
    """The settings of a unit as one block, each with its section: `Service.ExecStart`
    (systemd.syntax(7))."""
    found: dict[str, tuple[str, ...]] = {}
    section = ""
    for line in _joined(text):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            name, _, value = line.partition("=")
            key = f"{section}.{name.strip()}"
            found[key] = (*found.get(key, ()), value.strip()) if value.strip() else ()
        else:
            found[section] = (*found.get(section, ()), line)
    return {"unit": found}


def _joined(text: str) -> Iterator[str]:
    """The lines without comments; one that ends with a backslash goes on in the next."""
    begun = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(("#", ";")) or (not stripped and not begun):
            continue
        if stripped.endswith("\\"):
            begun += stripped[:-1].rstrip() + " "
            continue
        yield begun + stripped
        begun = ""
    if begun:
        yield begun


def gunicorn_blocks(text: str) -> dict[str, Block]:
    """The settings and functions of a gunicorn.conf.py."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return _lines(text)
    found: dict[str, tuple[str, ...]] = {}
    for one in tree.body:
        if isinstance(one, ast.Assign):
            for target in one.targets:
                found[ast.unparse(target)] = (ast.unparse(one.value),)
        elif isinstance(one, (ast.FunctionDef, ast.ClassDef)):
            found[one.name] = (ast.unparse(one),)
        else:
            source = ast.unparse(one)
            found[source] = (source,)
    return {"gunicorn": found}


def redis_blocks(text: str) -> dict[str, Block]:
    """The directives of a redis.conf."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        try:
            name, *values = shlex.split(line, comments=line.lstrip().startswith("#")) or [""]
        except ValueError:
            name, values = line, []
        if name:
            found[name.lower()] = (*found.get(name.lower(), ()), " ".join(values))
    return {"redis": found}


def _lines(text: str) -> dict[str, Block]:
    return {"file": {"lines": tuple(text.splitlines())}}


READERS: Mapping[str, Callable[[str], Mapping[str, Block]]] = {
    "supervisor": supervisor_blocks,
    "systemd": unit_blocks,
    "nginx": nginx_blocks,
    "gunicorn": gunicorn_blocks,
    "redis": redis_blocks,
}


def meaning(target: str, text: str) -> Meaning:
    """What the text of a target's file means; a file of no target means its lines."""
    return READERS.get(target, _lines)(text)
