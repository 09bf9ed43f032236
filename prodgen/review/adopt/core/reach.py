"""Who else than root can change a config that root's programs load, and the paths that it names.

The facts come from `deploy/apply/takeover_reach.py`; this room only decides by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from posixpath import normpath
from typing import NamedTuple


class How(Enum):
    """What root's program does with a path."""

    READ = "reads"
    """Who can change what the path leads to decides what is read: each part of the way counts."""
    WRITE = "writes"
    """It makes the file or folder, and may give it to its workers: the folder above it counts."""


class Opened(NamedTuple):
    """A path that root's program opens."""

    path: str
    """Absolute; in an include of nginx's or Supervisor's it may be a pattern."""
    how: How = How.READ
    is_include: bool = False
    """Whether it is read as config; a message of the program's may then quote it."""


class Reach(NamedTuple):
    """What others than root can change of one config file."""

    file: str = ""
    writer: str = ""
    """Who can change the file itself, such as `frappe can change /home/frappe`; empty for nobody
    but root."""
    source: str = ""
    """What the file leads to if it is a link."""
    dangers: Mapping[Opened, str] = {}
    """The same of paths that the file names, as far as others than root have a hand in them."""

    def danger(self, opened: Opened, allowed: tuple[str, ...]) -> str:
        """Why root's program must not open a path; empty if it may.

        In a file that others can change it writes to the `allowed` folders only: else they choose
        where root's program puts text of theirs.
        """
        found = self.dangers.get(opened, "")
        if found or not self.writer or opened.how is How.READ:
            return found
        # normpath takes `//x` for a root of its own (POSIX), the kernel does not
        path = "/" + normpath(opened.path).lstrip("/")
        return "" if path.startswith(allowed) else self.writer

    def at(self, line: int) -> str:
        """The place of a setting."""
        return f"{self.file}:{line}"


ROOTS_OWN = Reach()
"""Of a file that only root can change, with all that it names."""
