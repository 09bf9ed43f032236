"""What a Supervisor file means: its sections."""

from __future__ import annotations

from prodgen.targets.core.meaning import Block, lines_of

SETS = ("programs",)
"""Settings that are lists without an order."""


def supervisor_blocks(text: str) -> dict[str, Block]:
    """The sections of a Supervisor file (configparser with `;` and `#` comments, as it reads it).

    Where it is no such file, one block holds its lines.
    """
    from configparser import Error, RawConfigParser

    parser = RawConfigParser(inline_comment_prefixes=(";",), strict=False)
    try:
        parser.read_string(text)
    except Error:
        return lines_of(text)
    return {
        name: {key: _ordered(key, value) for key, value in parser[name].items()}
        for name in parser.sections()
    }


def _ordered(key: str, value: str) -> tuple[str, ...]:
    if key in SETS:
        return tuple(sorted(part.strip() for part in value.split(",")))
    return (" ".join(value.split()),) if key != "environment" else (value.strip(),)
