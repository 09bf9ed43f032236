"""What a target makes: files with the place where they belong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Artifact:
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
