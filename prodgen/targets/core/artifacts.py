"""What a target makes: files with the place where they belong."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

HOST_FILES = frozenset({PurePosixPath("/etc/nginx/conf.d/00-prodgen-host.conf")})
"""Files of the whole host, which its benches share: made for whoever installs them by hand."""


class Artifact(NamedTuple):
    """One file: its path in an output folder, its text, and where it is installed."""

    path: PurePosixPath
    text: str
    destination: PurePosixPath
    target: str
    mode: int = 0o644

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return self.text.encode()
