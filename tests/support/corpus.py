"""Real benches and Procfiles from the field, where the environment says that they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("PRODGEN_CORPUS", "")


def corpus(part: str) -> list[Path]:
    """The folders of one part of the corpus; none where there is no corpus."""
    folder = Path(FOLDER, part)
    return sorted(path for path in folder.iterdir() if path.is_dir()) if FOLDER else []


needs_corpus = pytest.mark.skipif(not FOLDER, reason="PRODGEN_CORPUS is not set")
