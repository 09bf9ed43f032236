"""Text for a terminal: nothing in it commands the terminal, and it fits the width."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

from prodgen.app.terminal.color import RESET

NARROWEST = 40
"""Columns that a line has at least: in fewer, lines of a word or two are no easier to read."""
UNBROKEN = r"\s*(?:`[^`]*`|\S)+\s*"
"""A word with the blanks around it; a command in backticks is one, blanks and all."""
CUT = "..."
COLOR = r"(\x1b\[[0-9;:]*m)"
"""Select Graphic Rendition, the one command to a terminal that does nothing but colour."""
LONGEST = 600
"""Characters of a message."""


def write_stderr(text: str) -> None:
    """Writes to standard error; where that fails there is nobody to tell."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def columns_of(stream: TextIO) -> int:
    """How wide the terminal of a stream is; 0 where it is none, and nothing is wrapped."""
    if not stream.isatty():
        return 0
    import shutil

    return max(shutil.get_terminal_size().columns, NARROWEST)


def wrapped(text: str, columns: int, indent: str) -> list[str]:
    """The text as lines of so many columns, all but the first indented; with 0, one line.

    What stands in backticks is to be copied and stays whole, as does every word, however long.
    """
    if not columns or width(text) <= columns:
        return [text]
    lines, line = [], ""
    for word in re.findall(UNBROKEN, text):
        if line.strip() and width(line + word.rstrip()) > columns:
            lines.append(line.rstrip())
            line = indent
        line += word
    return [*lines, line.rstrip()]


def printable(text: str) -> str:
    """The text without anything that a terminal would obey; a tab or line break is one blank."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def with_colors(text: str) -> str:
    """As `printable`, but colours stay: the text is what some process has written to its log."""
    if text.isprintable():
        return text
    parts = re.split(COLOR, text)  # every second one is a colour
    shown = "".join(one if at % 2 else printable(one) for at, one in enumerate(parts))
    return f"{shown}{RESET}" if len(parts) > 1 else shown


def _escaped(char: str) -> str:
    if char in "\t\n":
        return " "
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8 (PEP 383)
        code -= 0xDC00
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def shortened(text: str) -> str:
    """The text without its middle where it is longer than anyone would read."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]}{CUT}{text[-half:]}"


def width(text: str) -> int:
    """The columns that the text takes on a terminal; East Asian characters take two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )
