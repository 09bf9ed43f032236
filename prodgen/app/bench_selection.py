"""Which bench a command is about, and with which settings."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Selection(NamedTuple):
    """Which bench, and which of its settings: `-C`, `--env` and `--config`."""

    folder: Path | None = None
    environment: str | None = None
    settings: Path | None = None
