"""When output is coloured, and the codes that colour it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

CODES = {"red": 31, "green": 32, "magenta": 35, "cyan": 36}
"""Select Graphic Rendition (ECMA-48, 8.3.117). Yellow is hard to read on white, blue on black."""
BOLD, DIM = 1, 2
RESET = "\x1b[0m"


def wants_color(choice: str, stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether text for this stream is coloured; `choice` is `--color`: auto, always or never.

    With auto: not if NO_COLOR is set (no-color.org); else yes if FORCE_COLOR is set
    (force-color.org); else if the stream is a terminal that is not dumb. Empty is not set.
    """
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return environment.get("TERM") != "dumb" and stream.isatty()


def style(text: str, color: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
    """The text in one of the colours of CODES, or unchanged if no style is asked for."""
    wanted = ((CODES[color] if color else 0, color), (BOLD, bold), (DIM, dim))
    codes = "".join(f"\x1b[{code}m" for code, is_wanted in wanted if is_wanted)
    return f"{codes}{text}{RESET}" if codes else text
