"""Text that is to come out of Markdown as it went in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MADE = "<!-- Made of the code by `make golden`; a change here is lost. -->"


def head(title: str, *paragraphs: str) -> Iterator[str]:
    """The beginning of a page."""
    yield MADE
    yield ""
    yield f"# {title}"
    for text in paragraphs:
        yield ""
        yield text


def plain(text: str) -> str:
    """Words on one line; what stands between backticks is code already, the rest is no markup."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def code(text: str) -> str:
    """The text as code; in backticks of its own where it has some."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table; a bar in a cell would end the cell, in code too."""
    names = list(names)
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        cells = " | ".join(cell.replace("|", "\\|") for cell in row)
        yield f"| {cells} |"


def _escaped(text: str) -> str:
    return re.sub(r"(?<!\w)_|_(?!\w)|[\\*<\[\]]", lambda found: f"\\{found[0]}", text)
