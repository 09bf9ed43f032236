"""A folder that other users may enter."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder in /tmp that every user may enter, gone after the test."""
    folder = Path(tempfile.mkdtemp(prefix="prodgen-ground-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
